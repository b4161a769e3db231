#include "sensor/check/offloads.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace vedette {
namespace {

constexpr uint32_t kMaxFeatures = 1024;  // Linux 6.12 has 64

struct Offload {
  std::string_view feature;  // as the kernel calls it
  const char* name;          // as `ethtool -K` does
};
constexpr Offload kMerging[] = {{"rx-gro", "gro"}, {"rx-lro", "lro"}, {"rx-gro-hw", "rx-gro-hw"}};

// A structure of <linux/ethtool.h> with its array behind it.
class Request {
 public:
  Request(uint32_t command, size_t bytes) : words_(bytes / sizeof(uint32_t) + 1) { words_[0] = command; }
  uint32_t& at(size_t offset) { return words_[offset / sizeof(uint32_t)]; }
  const char* text(size_t offset) const { return reinterpret_cast<const char*>(words_.data()) + offset; }
  bool Ask(int descriptor, const std::string& interface) {
    ifreq request{};
    std::memcpy(request.ifr_name, interface.data(), interface.size());
    request.ifr_data = reinterpret_cast<char*>(words_.data());
    return ioctl(descriptor, SIOCETHTOOL, &request) == 0;
  }

 private:
  std::vector<uint32_t> words_;
};

// How many features the kernel knows; 0: it does not say.
uint32_t CountFeatures(int descriptor, const std::string& interface) {
  Request request(ETHTOOL_GSSET_INFO, sizeof(ethtool_sset_info) + sizeof(uint32_t));
  const uint64_t mask = uint64_t{1} << ETH_SS_FEATURES;
  std::memcpy(&request.at(offsetof(ethtool_sset_info, sset_mask)), &mask, sizeof mask);
  if (!request.Ask(descriptor, interface)) return 0;
  const uint32_t count = request.at(sizeof(ethtool_sset_info));
  return count <= kMaxFeatures ? count : 0;
}

}  // namespace

std::vector<std::string> MergingOffloads(const std::string& interface) {
  std::vector<std::string> on;
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const uint32_t count = interface.size() < IFNAMSIZ ? CountFeatures(descriptor, interface) : 0;
  Request names(ETHTOOL_GSTRINGS, sizeof(ethtool_gstrings) + size_t{count} * ETH_GSTRING_LEN);
  names.at(offsetof(ethtool_gstrings, string_set)) = ETH_SS_FEATURES;
  names.at(offsetof(ethtool_gstrings, len)) = count;
  const uint32_t blocks = (count + 31) / 32;
  Request states(ETHTOOL_GFEATURES, sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block));
  states.at(offsetof(ethtool_gfeatures, size)) = blocks;
  if (count != 0 && names.Ask(descriptor, interface) && states.Ask(descriptor, interface)) {
    for (uint32_t i = 0; i < count; ++i) {
      const char* const text = names.text(sizeof(ethtool_gstrings) + size_t{i} * ETH_GSTRING_LEN);
      const std::string_view feature(text, strnlen(text, ETH_GSTRING_LEN));
      const size_t block = sizeof(ethtool_gfeatures) + (i / 32) * sizeof(ethtool_get_features_block);
      if ((states.at(block + offsetof(ethtool_get_features_block, active)) >> (i % 32) & 1) == 0) continue;
      for (const Offload& offload : kMerging) {
        if (offload.feature == feature) on.emplace_back(offload.name);
      }
    }
  }
  close(descriptor);
  return on;
}

}  // namespace vedette
