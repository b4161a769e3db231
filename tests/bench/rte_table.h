// DPDK's hash table with the same keys, to compare with. rte_table.cc where CMake finds libdpdk, rte_table_absent.cc else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/flow_keys.h"

namespace vedette::bench {

class RteTable {
 public:
  // nullptr with why there is none.
  static std::unique_ptr<RteTable> Open(const std::vector<FlowEnds>& flows, std::string& why);
  virtual ~RteTable() = default;
  // Of 32 packets: how many flows were found.
  virtual size_t Find(const FlowEnds* burst) = 0;
  virtual std::string version() const = 0;
};

}  // namespace vedette::bench
