#include "tests/bench/rte_table.h"

namespace vedette::bench {

std::unique_ptr<RteTable> RteTable::Open(const std::vector<FlowEnds>&, std::string& why) {
  why = "rte_hash is not compared: built without libdpdk-dev";
  return nullptr;
}

}  // namespace vedette::bench
