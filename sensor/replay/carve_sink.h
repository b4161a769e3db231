// Which flows are carved: those with alerts, in the order of their first one. One of the sinks, and the first of them,
// so that the renderers after it can name the file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "sensor/pipeline/burst_consumer.h"

namespace vedette {

struct CarvedFlow {
  FlowSnapshot flow;  // as of its last alert
  uint64_t alerts = 0;
  // Positions between which its five-tuple is this flow's, both included.
  uint64_t first_packet = 0, last_packet = 0;
};

// "1234.pcap": how a flow's capture is named within its folder.
std::string CarvedName(uint64_t flow_id);

// Used by the exporter thread until all alerts are delivered, by any one thread afterwards.
class CarveSink final : public AlertSink {
 public:
  // Once there are `max_flows`, flows with a first alert are left out.
  explicit CarveSink(size_t max_flows) : max_flows_(max_flows) {}

  bool Accept(const Event& event) override;
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }

  bool Carves(uint64_t flow_id) const { return index_.count(flow_id) != 0; }
  // Where the flows lie in the capture, as the workers found it.
  void SetEnds(std::span<const EndedFlow> flows);
  // In the order of their first packet. The sink is empty afterwards.
  std::vector<CarvedFlow> TakeFlows();

 private:
  size_t max_flows_;
  std::unordered_map<uint64_t, size_t> index_;  // by flow id
  std::vector<CarvedFlow> flows_;
  std::string error_;
};

}  // namespace vedette
