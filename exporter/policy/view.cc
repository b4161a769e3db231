#include "exporter/policy/view.h"

#include "signatures/canary.h"

namespace vedette {

const GeoRecord& View::PlaceOf(const IpAddress& address) const {
  static const GeoRecord kNowhere;
  return geo != nullptr && address.version() != 0 ? geo->Find(address) : kNowhere;
}

bool ShowsTheSame(const View& a, const View& b) {
  const auto same_claim = [](const Claim* x, const Claim* y) {
    if (x == nullptr || y == nullptr) return x == y;
    return x->affected == y->affected && x->suspect == y->suspect && x->rule == y->rule && x->matched == y->matched;
  };
  return a.kind == b.kind && a.for_partner == b.for_partner && a.seen == b.seen && a.hits == b.hits &&
         a.context == b.context && a.file == b.file && a.capture == b.capture && a.responsible == b.responsible &&
         a.indicators_digest == b.indicators_digest && a.generation == b.generation && a.alerts == b.alerts &&
         a.first_alert_id == b.first_alert_id && same_claim(a.own_claim, b.own_claim);
}

Reader Reader::Of(PartnerId id, const Clearance& clearance) {
  Reader reader;
  if (clearance.partner == kCanaryView) reader.takes = EventKind::kCanary;
  reader.permits = [&clearance](const IndicatorRecord& record) { return clearance.Permits(record); };
  reader.partner = id;
  reader.only_constituency = clearance.only_constituency;
  return reader;
}

}  // namespace vedette
