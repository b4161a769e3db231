// What a view shows of an alert: the hits it may show, best first, and what was decided about them. Shared by the
// output formats.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/render/render.h"
#include "parsers/base/ip_protocol.h"
#include "parsers/base/time_text.h"

namespace vedette {

enum class Validity : uint8_t { kBefore, kWithin, kAfter };
std::string_view NameOf(Validity validity);
// Judged at packet time: from valid_from on, up to but not including valid_until (STIX 2.1 section 4.7).
Validity ValidityAt(const IndicatorRecord& record, uint64_t time_ns);

// Confidence, then id; where a source gave none, the middle of the scale, as severity takes it.
bool IsBetter(const IndicatorRecord& a, const IndicatorRecord& b);

// EVE's `proto`: "TCP", "IPv6-ICMP"; three digits where the number has no name.
std::string ProtocolName(uint8_t protocol);

// One end of the flow.
struct EndPoint {
  const IpAddress* address;
  uint16_t port;
};
EndPoint EndPointOf(const FlowSnapshot& flow, End end);

struct Shown {
  std::vector<IndicatorRecord> hits;  // best first; not empty
  Roles roles;
  const IndicatorCatalogue* catalogue = nullptr;
  ObservableMask context;  // what of the message may be shown
  // What is said of responsibility; one of the two at most.
  const Responsibility* responsible = nullptr;  // of all partners, for the operator
  const Claim* own_claim = nullptr;             // of the partner whose view it is

  bool for_partner = false;  // else for the operator

  const IndicatorRecord& best() const { return hits.front(); }
};

struct AlertRenderer::Impl {
  std::vector<IndicatorCatalogue> catalogues;
  GeoLookup* geo = nullptr;
  ConstituencyTable* constituencies = nullptr;
  SensorIdentity identity;
  std::function<std::string_view(uint32_t)> file_name;
  std::function<std::string(uint64_t)> capture_of;
  uint64_t unresolved = 0;

  // Kept between calls to save their memory.
  Shown shown;
  EveTime packet_time, flow_time;

  // What of a message a partner is shown in alerts of the catalogue in `shown`.
  ObservableMask ContextOf(const PartnerView& view) const;
  // Whether it heard of the value before.
  bool WasTold(const Alert& alert, const PartnerView& view) const;
  // Fills `shown`; false where nothing may be shown.
  bool Choose(const Alert& alert, const HitFilter& filter);
  std::string CaptureOf(const Alert& alert) const;
  const GeoRecord& Locate(const IpAddress& address);
  // For who is affected and suspect in `shown`; null without constituencies.
  const Responsibility* Responsible(const Alert& alert);
};

}  // namespace vedette
