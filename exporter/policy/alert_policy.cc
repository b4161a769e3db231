#include "exporter/policy/alert_policy.h"

#include <algorithm>
#include <utility>

#include "exporter/alert/content_id.h"

namespace vedette {
namespace {

constexpr uint8_t kConfidenceWhereAbsent = 50;

// Confidence, then id; where a source gave none, the middle of the scale, as severity takes it.
bool IsBetter(const IndicatorRecord& a, const IndicatorRecord& b) {
  const uint8_t confidence_a = a.confidence.value_or(kConfidenceWhereAbsent);
  const uint8_t confidence_b = b.confidence.value_or(kConfidenceWhereAbsent);
  if (confidence_a != confidence_b) return confidence_a > confidence_b;
  if (a.id != b.id) return a.id < b.id;
  return a.index < b.index;
}

}  // namespace

AlertPolicy::AlertPolicy(IndicatorCatalogue indicators, Parts parts) : parts_(std::move(parts)) {
  catalogues_.Add(std::move(indicators));
  std::sort(parts_.sensor.resolvers.begin(), parts_.sensor.resolvers.end());
}

const Event* AlertPolicy::Decide(Alert& alert) {
  event_.kind = alert.event;
  event_.alert = &alert;
  event_.catalogue = catalogues_.Find(alert.generation);
  event_.hits.clear();
  event_.roles = {};
  if (alert.event != EventKind::kAlert) return &event_;  // the end of a flow hit nothing
  if (parts_.canaries != nullptr && !parts_.canaries->Admit(alert, event_.catalogue)) return nullptr;
  if (parts_.mutes != nullptr && !parts_.mutes->Admit(alert, event_.catalogue)) return nullptr;
  event_.kind = alert.event;
  Resolve(alert);
  return &event_;
}

void AlertPolicy::Resolve(const Alert& alert) {
  if (event_.catalogue == nullptr) {
    ++counters_.unresolved;
    return;
  }
  bool all_known = true;
  for (const uint32_t index : alert.indicators) {
    if (index < event_.catalogue->size) {
      event_.hits.push_back(event_.catalogue->at(index));
    } else {
      all_known = false;
    }
  }
  if (!all_known) ++counters_.unresolved;
  if (event_.hits.empty()) return;
  std::sort(event_.hits.begin(), event_.hits.end(), IsBetter);
  event_.roles = DecideRoles(alert, parts_.sensor.resolvers);
}

ViewOutcome AlertPolicy::Show(const Event& event, Reader& reader, View& view) {
  if (!reader.takes.Has(event.kind)) return ViewOutcome::kNotTaken;
  if (event.kind == EventKind::kClosed) return ShowEnd(event, reader, view);
  view.hits.clear();
  for (const IndicatorRecord& hit : event.hits) {
    if (!reader.permits || reader.permits(hit)) view.hits.push_back(&hit);
  }
  if (view.hits.empty()) return ViewOutcome::kNotCleared;
  if (reader.partner && WasTold(event, reader)) return ViewOutcome::kToldBefore;
  ShowSighting(event, reader, view);
  view.roles = &event.roles;
  view.context = reader.partner ? ContextFor(reader, *event.catalogue) : ObservableMask::All();
  if (const ViewOutcome concern = Concern(event, reader, view); concern != ViewOutcome::kShown) return concern;
  if (reader.takes.Has(EventKind::kClosed)) Remember(view, reader);
  return ViewOutcome::kShown;
}

void AlertPolicy::ShowSighting(const Event& event, const Reader& reader, View& view) const {
  const Sighting& seen = *event.alert;
  view.kind = event.kind;
  view.sensor = &parts_.sensor;
  view.seen = &seen;
  view.geo = parts_.geo;
  view.for_partner = reader.partner.has_value();
  view.file = parts_.file_name ? parts_.file_name(seen.file) : std::string_view();
  // A folder's name may be a case's name: partners see the file's only.
  if (view.for_partner && parts_.sensor.replay) view.file.remove_prefix(view.file.rfind('/') + 1);
  view.capture = view.for_partner || !capture_of_ ? std::string() : capture_of_(seen.flow.id);
  view.indicators_digest =
      view.for_partner || event.catalogue == nullptr ? std::string_view() : event.catalogue->digest;
  view.generation = view.for_partner ? 0 : event.alert->generation;
  view.responsible = nullptr;
  view.own_claim = nullptr;
  view.constituencies = nullptr;
  view.alerts = 0;
  view.first_alert_id.clear();
}

bool AlertPolicy::WasTold(const Event& event, const Reader& reader) {
  return std::any_of(event.alert->told.begin(), event.alert->told.end(), [&](uint32_t index) {
    return index < event.catalogue->size && (!reader.permits || reader.permits(event.catalogue->at(index)));
  });
}

// Parsers emit more where others' indicators look.
ObservableMask AlertPolicy::ContextFor(Reader& reader, const IndicatorCatalogue& catalogue) {
  if (reader.context_of == catalogue.generation) return reader.context;
  ObservableMask looked_in;
  for (const Audience& audience : catalogue.audiences) {
    if (reader.permits && !reader.permits(catalogue.at(audience.first_row))) continue;
    looked_in.Add(audience.places);
    if (reader.takes.Has(EventKind::kClosed)) reader.audiences.insert(audience.key);
  }
  reader.context = EmittedFor(looked_in);
  reader.context_of = catalogue.generation;
  return reader.context;
}

ViewOutcome AlertPolicy::Concern(const Event& event, const Reader& reader, View& view) {
  const Responsibility* responsible = nullptr;
  ConstituencyTable* const table = parts_.partners == nullptr ? nullptr : &parts_.partners->constituencies();
  if (table != nullptr && !table->empty()) {
    const Roles& roles = event.roles;
    const FlowSnapshot& flow = event.alert->flow;
    const IpAddress* affected = roles.affected != End::kNone ? EndPointOf(flow, roles.affected).address : nullptr;
    const IpAddress* suspect = roles.suspect_address         ? &*roles.suspect_address
                               : roles.suspect != End::kNone ? EndPointOf(flow, roles.suspect).address
                                                             : nullptr;
    responsible = &table->Decide(affected, suspect);
    view.constituencies = table;
  }
  if (!reader.partner) {
    view.responsible = responsible;
    return ViewOutcome::kShown;
  }
  if (responsible != nullptr) view.own_claim = responsible->Of(*reader.partner);
  if (!reader.only_constituency || view.own_claim != nullptr) return ViewOutcome::kShown;
  if (responsible == nullptr) return ViewOutcome::kOutsideConstituency;
  if (responsible->no_role) return ViewOutcome::kNoRole;
  return table->IsUndecided(*responsible, *reader.partner) ? ViewOutcome::kUndecided
                                                           : ViewOutcome::kOutsideConstituency;
}

void AlertPolicy::Remember(const View& view, Reader& reader) {
  const uint64_t flow = view.seen->flow.id;
  const auto known = reader.flows.find(flow);
  if (known != reader.flows.end()) {
    ++known->second.alerts;
  } else if (reader.flows.size() >= reader.max_flows) {
    ++reader.flows_over_limit;
  } else {
    reader.flows[flow] = {1, AlertId(*view.seen, view.sensor->name, view.best())};
  }
}

ViewOutcome AlertPolicy::ShowEnd(const Event& event, Reader& reader, View& view) {
  const auto shown = reader.flows.extract(event.alert->flow.id);
  if (shown.empty()) return ViewOutcome::kUnheard;
  const std::vector<uint64_t>& audiences = event.alert->audiences;
  const auto may_see = [&](uint64_t key) { return !reader.partner || reader.audiences.contains(key); };
  if (std::none_of(audiences.begin(), audiences.end(), may_see)) return ViewOutcome::kNotCleared;
  ShowSighting(event, reader, view);
  view.hits.clear();
  view.roles = &event.roles;
  view.context = {};
  view.alerts = shown.mapped().alerts;
  view.first_alert_id = shown.mapped().first_alert_id;
  return ViewOutcome::kShown;
}

}  // namespace vedette
