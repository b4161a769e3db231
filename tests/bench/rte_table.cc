#include "tests/bench/rte_table.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_version.h>

#include <array>
#include <cstring>

namespace vedette::bench {
namespace {

constexpr uint32_t kBurst = 32;

// 40 bytes: as much as our key has, one way round.
struct Key {
  uint8_t source[16], destination[16];
  uint16_t source_port, destination_port;
  uint32_t protocol;
};

Key KeyOf(const FlowEnds& ends) {
  Key key = {};
  std::memcpy(key.source, ends.source, sizeof key.source);
  std::memcpy(key.destination, ends.destination, sizeof key.destination);
  key.source_port = ends.source_port;
  key.destination_port = ends.destination_port;
  key.protocol = 6;
  return key;
}

class OfDpdk : public RteTable {
 public:
  explicit OfDpdk(rte_hash* table) : table_(table) {}
  ~OfDpdk() override { rte_hash_free(table_); }

  size_t Find(const FlowEnds* burst) override {
    std::array<Key, kBurst> keys;
    std::array<const void*, kBurst> pointers;
    std::array<void*, kBurst> data;
    uint64_t hits = 0;
    for (uint32_t i = 0; i < kBurst; ++i) {
      keys[i] = KeyOf(burst[i]);
      pointers[i] = &keys[i];
    }
    const int found = rte_hash_lookup_bulk_data(table_, pointers.data(), kBurst, &hits, data.data());
    return found < 0 ? 0 : static_cast<size_t>(found);
  }
  std::string version() const override { return rte_version(); }

 private:
  rte_hash* const table_;
};

}  // namespace

std::unique_ptr<RteTable> RteTable::Open(const std::vector<FlowEnds>& flows, std::string& why) {
  // Its table in ordinary memory, without devices.
  std::vector<std::string> words = {"bench", "--no-huge",      "--no-pci",    "-m",
                                    "1024",  "--no-telemetry", "--no-shconf", "--log-level=1"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    why = std::string("rte_hash is not compared: rte_eal_init: ") + rte_strerror(rte_errno);
    return nullptr;
  }
  rte_hash_parameters parameters = {};
  parameters.name = "flows";
  parameters.entries = static_cast<uint32_t>(flows.size() + flows.size() / 8);
  parameters.key_len = sizeof(Key);
  parameters.hash_func = rte_hash_crc;
  rte_hash* const table = rte_hash_create(&parameters);
  if (table == nullptr) {
    why = std::string("rte_hash is not compared: rte_hash_create: ") + rte_strerror(rte_errno);
    return nullptr;
  }
  auto out = std::make_unique<OfDpdk>(table);
  for (size_t i = 0; i < flows.size(); ++i) {
    const Key key = KeyOf(flows[i]);
    // The flow's record, which it would point to.
    if (rte_hash_add_key_data(table, &key, const_cast<FlowEnds*>(&flows[i])) != 0) {
      why = "rte_hash is not compared: it has no room for the flows";
      return nullptr;
    }
  }
  return out;
}

}  // namespace vedette::bench
