#include "exporter/render/render.h"

#include <algorithm>
#include <utility>

#include "exporter/render/shown.h"
#include "parsers/base/ip_protocol.h"

namespace vedette {
namespace {

constexpr uint8_t kConfidenceWhereAbsent = 50;

}  // namespace

std::string_view NameOf(Validity validity) {
  return validity == Validity::kBefore ? "before" : validity == Validity::kWithin ? "within" : "after";
}

Validity ValidityAt(const IndicatorRecord& record, uint64_t time_ns) {
  const auto now = static_cast<int64_t>(std::min<uint64_t>(time_ns, INT64_MAX));
  if (record.valid_from_ns && now < *record.valid_from_ns) return Validity::kBefore;
  if (record.valid_until_ns && now >= *record.valid_until_ns) return Validity::kAfter;
  return Validity::kWithin;
}

bool IsBetter(const IndicatorRecord& a, const IndicatorRecord& b) {
  const uint8_t confidence_a = a.confidence.value_or(kConfidenceWhereAbsent);
  const uint8_t confidence_b = b.confidence.value_or(kConfidenceWhereAbsent);
  if (confidence_a != confidence_b) return confidence_a > confidence_b;
  if (a.id != b.id) return a.id < b.id;
  return a.index < b.index;
}

std::string ProtocolName(uint8_t protocol) {
  if (const std::string_view name = IpProtocolName(protocol); !name.empty()) return std::string(name);
  std::string digits = std::to_string(protocol);
  return std::string(3 - digits.size(), '0') + digits;
}

EndPoint EndPointOf(const FlowSnapshot& flow, End end) {
  return end == End::kClient ? EndPoint{&flow.client, flow.client_port} : EndPoint{&flow.server, flow.server_port};
}

AlertRenderer::AlertRenderer(IndicatorCatalogue indicators, GeoLookup* geo, SensorIdentity identity,
                             std::function<std::string_view(uint32_t)> file_name)
    : impl_(std::make_unique<Impl>()) {
  impl_->catalogues.push_back(std::move(indicators));
  impl_->geo = geo;
  impl_->identity = std::move(identity);
  impl_->file_name = std::move(file_name);
  std::sort(impl_->identity.resolvers.begin(), impl_->identity.resolvers.end());
}

AlertRenderer::~AlertRenderer() = default;

void AlertRenderer::set_constituencies(ConstituencyTable* constituencies) { impl_->constituencies = constituencies; }
void AlertRenderer::NameCaptures(std::function<std::string(uint64_t)> capture_of) {
  impl_->capture_of = std::move(capture_of);
}

void AlertRenderer::AddGeneration(IndicatorCatalogue indicators) { impl_->catalogues.push_back(std::move(indicators)); }

void AlertRenderer::ForgetBefore(uint64_t generation) {
  std::erase_if(impl_->catalogues, [generation](const IndicatorCatalogue& catalogue) {
    return catalogue.generation != 0 && catalogue.generation < generation;
  });
}

uint64_t AlertRenderer::unresolved() const { return impl_->unresolved; }

bool AlertRenderer::Impl::Choose(const Alert& alert, const HitFilter& filter) {
  shown.hits.clear();
  shown.for_partner = false;
  shown.responsible = nullptr;
  shown.own_claim = nullptr;
  const auto catalogue = std::find_if(catalogues.rbegin(), catalogues.rend(), [&](const IndicatorCatalogue& candidate) {
    return candidate.generation == alert.generation || candidate.generation == 0;
  });
  if (catalogue == catalogues.rend()) {
    ++unresolved;
    return false;
  }
  bool all_known = true;
  for (const uint32_t index : alert.indicators) {
    if (index >= catalogue->size) {
      all_known = false;
      continue;
    }
    IndicatorRecord record = catalogue->at(index);
    if (!filter || filter(record)) shown.hits.push_back(std::move(record));
  }
  if (!all_known) ++unresolved;
  if (shown.hits.empty()) return false;
  std::sort(shown.hits.begin(), shown.hits.end(), IsBetter);
  shown.catalogue = &*catalogue;
  shown.context = ObservableMask::All();
  shown.roles = DecideRoles(alert, shown.best(), identity.resolvers);
  return true;
}

ObservableMask AlertRenderer::Impl::ContextOf(const PartnerView& view) const {
  const IndicatorCatalogue& catalogue = *shown.catalogue;
  if (view.context_of == catalogue.generation) return view.context;
  ObservableMask looked_in;
  for (const Audience& audience : catalogue.audiences) {
    if (!view.filter || view.filter(catalogue.at(audience.first_row))) looked_in.Add(audience.places);
  }
  view.context = EmittedFor(looked_in);
  view.context_of = catalogue.generation;
  return view.context;
}

bool AlertRenderer::Impl::WasTold(const Alert& alert, const PartnerView& view) const {
  const IndicatorCatalogue& catalogue = *shown.catalogue;
  return std::any_of(alert.told.begin(), alert.told.end(), [&](uint32_t index) {
    return index < catalogue.size && (!view.filter || view.filter(catalogue.at(index)));
  });
}

const Responsibility* AlertRenderer::Impl::Responsible(const Alert& alert) {
  if (constituencies == nullptr || constituencies->empty()) return nullptr;
  const Roles& roles = shown.roles;
  const IpAddress* affected = roles.affected != End::kNone ? EndPointOf(alert.flow, roles.affected).address : nullptr;
  const IpAddress* suspect = roles.suspect_address         ? &*roles.suspect_address
                             : roles.suspect != End::kNone ? EndPointOf(alert.flow, roles.suspect).address
                                                           : nullptr;
  return &constituencies->Decide(affected, suspect);
}

std::string AlertRenderer::Impl::CaptureOf(const Alert& alert) const {
  return capture_of ? capture_of(alert.flow.id) : std::string();
}

const GeoRecord& AlertRenderer::Impl::Locate(const IpAddress& address) {
  static const GeoRecord kNowhere;
  return geo != nullptr && address.version() != 0 ? geo->Find(address) : kNowhere;
}

}  // namespace vedette
