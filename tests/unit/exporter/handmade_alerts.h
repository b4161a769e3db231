// Alerts and indicators made by hand, for the tests of what is rendered from them.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/render/renderer.h"

namespace vedette {

inline IpAddress Address(std::string_view text) { return IpAddress::Parse(text).value_or(IpAddress()); }

// 2026-11-23T10:00:00Z
constexpr uint64_t kTenOClock = 1'795'428'000'000'000'000;

// A catalogue of records whose text is literals or lives in the list.
class RecordList {
 public:
  // Its index.
  uint32_t Add(IndicatorType type, std::string_view value, std::string_view id, std::string_view source = "cert-a") {
    IndicatorRecord record;
    record.index = static_cast<uint32_t>(records_.size());
    record.type = type;
    record.value = value;
    record.id = id;
    record.source = record.originator = source;
    records_.push_back(record);
    return record.index;
  }
  IndicatorRecord& operator[](uint32_t index) { return records_[index]; }
  // The list outlives what is made of it.
  IndicatorCatalogue Catalogue(uint64_t generation = 0) const {
    return {[this](uint32_t index) { return records_[index]; }, static_cast<uint32_t>(records_.size()),
            "3f0c5a1be2d94c7786a01d2b9f8e4471c6d5e0a39b8877665544332211000fed", generation};
  }

 private:
  std::deque<IndicatorRecord> records_;
};

// TCP from a client in a private network to a server, 10 packets, hit on the fourth.
inline Alert MakeAlert(ObservableKind kind, std::string_view value, std::vector<uint32_t> indicators) {
  Alert alert;
  alert.file = 0;
  alert.packet = 4;
  alert.time_ns = kTenOClock + 123'456'789;
  alert.flow.id = 4'503'599'627'370'497;
  alert.flow.client = Address("10.1.2.3");
  alert.flow.server = Address("89.160.20.112");
  alert.flow.client_port = 50'123;
  alert.flow.server_port = 443;
  alert.flow.protocol = 6;
  alert.flow.client_known = true;
  alert.flow.first_ns = kTenOClock;
  alert.flow.last_ns = alert.time_ns;
  alert.flow.packets[0] = 3;
  alert.flow.packets[1] = 1;
  alert.flow.bytes[0] = 740;
  alert.flow.bytes[1] = 74;
  alert.kind = kind;
  alert.value = value;
  if (FormOf(kind) == ValueForm::kAddress) alert.address = Address(value);
  alert.generation = 1;
  alert.indicators = std::move(indicators);
  return alert;
}

inline SensorIdentity TestSensor() { return {.name = "sensor-1", .version = "0.1.0", .replay = true, .resolvers = {}}; }

// The way of an alert to one reader's text; empty where it is shown nothing.
inline std::string TextOf(Alert alert, AlertPolicy& policy, Reader& reader, Renderer& renderer,
                          ViewOutcome* outcome = nullptr) {
  std::string out;
  const Event* const event = policy.Decide(alert);
  if (event == nullptr) return out;
  View view;
  const ViewOutcome shown = policy.Show(*event, reader, view);
  if (shown == ViewOutcome::kShown) renderer.Append(view, out);
  if (outcome != nullptr) *outcome = shown;
  return out;
}
// The operator's line of JSON.
inline std::string LineOf(const Alert& alert, AlertPolicy& policy) {
  Reader reader = Reader::Operator();
  return TextOf(alert, policy, reader, *MakeJsonRenderer());
}
inline bool Deliver(Alert alert, AlertPolicy& policy, AlertSink& sink) { return sink.Accept(*policy.Decide(alert)); }

inline std::string_view TestFileName(uint32_t) { return "captures/monday.pcap"; }

}  // namespace vedette
