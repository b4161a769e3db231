#include "sensor/replay/carve_sink.h"

#include <algorithm>
#include <utility>

namespace vedette {

std::string CarvedName(uint64_t flow_id) { return std::to_string(flow_id) + ".pcap"; }

bool CarveSink::Accept(const Event& event) {
  const Alert& alert = *event.alert;
  auto found = index_.find(alert.flow.id);
  if (found == index_.end()) {
    if (flows_.size() >= max_flows_) return true;
    found = index_.emplace(alert.flow.id, flows_.size()).first;
    flows_.emplace_back();
  }
  CarvedFlow& carved = flows_[found->second];
  carved.flow = alert.flow;
  ++carved.alerts;
  return true;
}

void CarveSink::SetEnds(std::span<const EndedFlow> flows) {
  for (const EndedFlow& ended : flows) {
    const auto found = index_.find(ended.id);
    if (found == index_.end()) continue;
    flows_[found->second].first_packet = ended.first_packet;
    flows_[found->second].last_packet = ended.last_packet;
  }
}

std::vector<CarvedFlow> CarveSink::TakeFlows() {
  index_.clear();
  std::vector<CarvedFlow> flows = std::move(flows_);
  flows_.clear();
  std::stable_sort(flows.begin(), flows.end(),
                   [](const CarvedFlow& a, const CarvedFlow& b) { return a.first_packet < b.first_packet; });
  return flows;
}

}  // namespace vedette
