// bench_flow_table [--flows N] [--json]
//
// What it takes to find a packet's flow among N (1,000,000): random packets of flows that are there, in bursts of 32, thread
// CPU time of each look-up, the hash included. Compared in the same run with DPDK's hash table (rte_hash_lookup_bulk_data
// over the same keys, 32 a call), where the program was built with it; else with the sum of the cache misses that none can
// do without (one touch of a random line each, 32 at a time).
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "sensor/flow/flow_table.h"
#include "tests/bench/flow_keys.h"
#include "tests/bench/report.h"
#include "tests/bench/rte_table.h"

namespace vedette::bench {
namespace {

constexpr size_t kBurst = 32, kLookups = 4'000'000;
constexpr int kRounds = 3;

double CpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

FlowKey KeyOf(const FlowEnds& ends) {
  FlowKey key;
  key.source = ends.source;
  key.destination = ends.destination;
  key.source_port = ends.source_port;
  key.destination_port = ends.destination_port;
  key.protocol = 6;
  key.version = 4;
  return key;
}

// What packets show, in the order in which they come: as headers that were just decoded, near.
using Packets = std::vector<FlowEnds>;

// The least of some rounds, nanoseconds a look-up. `find` is given 32 packets, and says of how many it found the flow.
template <class Find>
double Measure(const Packets& packets, Find find) {
  double least = 1e9;
  for (int round = 0; round < kRounds; ++round) {
    size_t found = 0;
    const double before = CpuNs();
    for (size_t at = 0; at + kBurst <= packets.size(); at += kBurst) found += find(&packets[at]);
    least = std::min(least, (CpuNs() - before) / static_cast<double>(packets.size() / kBurst * kBurst));
    if (found != packets.size() / kBurst * kBurst) return -1;
  }
  return least;
}

double OfFlowTable(const std::vector<FlowEnds>& flows, const Packets& packets) {
  FlowTable table(static_cast<uint32_t>(flows.size() + flows.size() / 8), FlowHashSeed::Random());
  for (const FlowEnds& ends : flows) {
    FlowKey key = KeyOf(ends);
    table.Hash(key);
    table.Insert(key, 0, [](Flow&) {});
  }
  FlowKey keys[kBurst];
  return Measure(packets, [&](const FlowEnds* burst) {
    size_t found = 0;
    for (size_t i = 0; i < kBurst; ++i) {
      keys[i] = KeyOf(burst[i]);
      table.Hash(keys[i]);
      table.PrefetchBucket(keys[i]);
    }
    for (FlowKey& key : keys) table.PrefetchFlow(key);
    for (FlowKey& key : keys) {
      bool from_client = false;
      const Flow* const flow = table.Find(key, from_client);
      found += flow != nullptr && from_client ? 1 : 0;
    }
    return found;
  });
}

// One line a flow: its key is in it, as in our table, and has to be looked at.
double OfTouches(size_t flows, const Packets& packets) {
  struct alignas(64) Line {
    uint64_t word = 1;
  };
  const std::vector<Line> lines(flows);
  return Measure(packets, [&](const FlowEnds* burst) {
    size_t found = 0;
    for (size_t i = 0; i < kBurst; ++i) __builtin_prefetch(&lines[burst[i].number]);
    for (size_t i = 0; i < kBurst; ++i) found += lines[burst[i].number].word;
    return found;
  });
}

int Main(int argc, char** argv) {
  size_t count = 1'000'000;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--json") json = true;
    if (std::string(argv[i]) == "--flows" && i + 1 < argc) count = std::strtoull(argv[++i], nullptr, 10);
  }
  const Report report(json);
  const std::vector<FlowEnds> flows = MakeFlowEnds(count);
  NameMaker random(7);
  Packets packets(kLookups);
  for (FlowEnds& packet : packets) packet = flows[random.Below(count)];
  const double own = OfFlowTable(flows, packets), touch = OfTouches(count, packets);
  std::string why;
  double rte = 0;
  const std::unique_ptr<RteTable> other = RteTable::Open(flows, why);
  if (other != nullptr) {
    rte = Measure(packets, [&](const FlowEnds* burst) { return other->Find(burst); });
    why = "rte_hash of " + other->version();
  }
  if (own < 0 || rte < 0) {
    std::fprintf(stderr, "bench_flow_table: a flow that is there was not found\n");
    return 1;
  }
  report.Row("flow table", std::to_string(count) + " flows",
             {{"ns", own}, {"touch ns", touch}, {"rte_hash ns", rte}, {"rte_hash / own", rte / own}}, why);
  if (!json) {
    std::printf("%zu flows: %.1f ns a look-up; one touch of a random line each: %.1f ns; ", count, own, touch);
    if (rte > 0) std::printf("rte_hash %.1f ns, %.2f times as long; ", rte, rte / own);
    std::printf("%s\n", why.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
