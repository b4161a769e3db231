#include "sensor/live/exporter_meter.h"

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/metrics/families.h"
#include "signatures/canary.h"

namespace vedette {

ExporterMeter::ExporterMeter(const MatchTally& tally, const AlertRenderer& renderer, const GeoLookup& geo,
                             const FileSink* file, FeedPublisher* publisher, const Partners& partners)
    : tally_(tally), renderer_(renderer), geo_(geo), file_(file), publisher_(publisher), partners_(partners) {
  published_.Publish(StateNow());
}

bool ExporterMeter::Accept(const Alert& alert) {
  ++delivered_;
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto waited = static_cast<int64_t>(now.count()) - static_cast<int64_t>(alert.time_ns);
  latency_.Record(waited > 0 ? static_cast<double>(waited) * 1e-9 : 0);
  return true;
}

void ExporterMeter::Idle() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  if (published_.TryPublish(StateNow())) next_ = now + kPublishInterval;
}

bool ExporterMeter::Close() {
  published_.Publish(StateNow());
  return true;
}

ExporterMeter::State ExporterMeter::StateNow() {
  State state;
  state.delivered = delivered_;
  state.unresolved = renderer_.unresolved();
  if (file_ != nullptr) {
    state.output_lost = file_->lost();
    state.output_failing = file_->failing();
    state.output_opened = file_->opened();
  }
  state.geo_counters = geo_.counters();
  state.geo = geo_.databases();
  state.latency = latency_;
  state.by_source = tally_.by_source();
  if (publisher_ == nullptr) return state;
  state.feed = publisher_->counters();
  const auto now = std::chrono::steady_clock::now();
  std::map<PartnerId, std::chrono::steady_clock::time_point> last_connected;
  for (const PartnerStatus& status : publisher_->partners()) {
    const vedette::Partner* const one = partners_.Find(status.name);
    if (status.name == kCanaryView || one == nullptr) continue;
    Partner& partner = state.partners.emplace_back();
    partner.name = status.name;
    partner.alerts = one->counters;
    partner.dropped = status.dropped_alerts;
    partner.connections = status.connections;
    partner.suspended = status.suspended;
    const auto before = last_connected_.find(status.id);  // one that is new counts from now on
    const auto last = partner.connections != 0 || before == last_connected_.end() ? now : before->second;
    last_connected[status.id] = last;
    partner.silent_seconds = std::chrono::duration<double>(now - last).count();
  }
  last_connected_ = std::move(last_connected);
  return state;
}

void ExporterMeter::AppendFigures(Figures& out) const {
  const State state = published_.Read();
  for (const auto& [source, alerts] : state.by_source) out.Add(families::kMatches, source, static_cast<double>(alerts));
  out.Add(families::kAlertsBySink, "exporter", static_cast<double>(state.delivered));
  out.Add(families::kAlertsDropped, "unknown_generation", static_cast<double>(state.unresolved));
  if (file_ != nullptr) {
    out.Add(families::kAlertsDropped, "output_failed", static_cast<double>(state.output_lost));
    out.Add(families::kOutputFailing, state.output_failing ? 1 : 0);
    out.Add(families::kOutputOpened, "moved", static_cast<double>(state.output_opened.moved));
    out.Add(families::kOutputOpened, "size", static_cast<double>(state.output_opened.rotated));
  }
  out.Add(families::kAlertLatency, state.latency);
  std::vector<std::string> databases;  // files in several folders may have one name
  for (const GeoDatabaseInfo& database : state.geo) {
    const auto namesakes =
        std::count_if(state.geo.begin(), state.geo.begin() + static_cast<std::ptrdiff_t>(databases.size()),
                      [&](const GeoDatabaseInfo& earlier) { return earlier.name == database.name; });
    databases.push_back(namesakes == 0 ? database.name : database.name + "-" + std::to_string(namesakes + 1));
    out.Add(families::kGeoDatabase, databases.back(), static_cast<double>(database.build_epoch));
  }
  const int64_t now = std::time(nullptr);
  for (size_t i = 0; i < databases.size(); ++i) {
    if (const std::optional<int64_t> age = AgeDays(state.geo[i], now))
      out.Add(families::kGeoAge, databases[i], static_cast<double>(*age));
  }
  const GeoCounters& geo = state.geo_counters;
  out.Add(families::kGeoReloads, "succeeded", static_cast<double>(geo.reloads));
  out.Add(families::kGeoReloads, "failed", static_cast<double>(geo.failed_reloads));
  out.Add(families::kGeoReloadFailing, static_cast<double>(geo.failing));
  out.Add(families::kGeoLookups, "remembered", static_cast<double>(geo.memo_hits));
  out.Add(families::kGeoLookups, "looked_up", static_cast<double>(geo.lookups - geo.memo_hits));
  out.Add(families::kGeoErrors, static_cast<double>(geo.lookup_errors));
  if (publisher_ == nullptr) return;
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedAlerts, partner.name, static_cast<double>(partner.alerts.published));
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedOutside, partner.name, static_cast<double>(partner.alerts.outside_constituency));
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedUndecided, partner.name, static_cast<double>(partner.alerts.undecided));
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedNoRole, partner.name, static_cast<double>(partner.alerts.no_role));
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedDropped, partner.name, static_cast<double>(partner.dropped));
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedConnections, partner.name, static_cast<double>(partner.connections));
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedSuspended, partner.name, partner.suspended ? 1 : 0);
  }
  for (const Partner& partner : state.partners) {
    out.Add(families::kFeedSilent, partner.name, partner.silent_seconds);
  }
  const FeedCounters& feed = state.feed;
  out.Add(families::kFeedUnheard, static_cast<double>(feed.unheard_alerts));
  out.Add(families::kFeedBatches, static_cast<double>(feed.batches));
  const auto refused = [&](std::string_view reason, uint64_t count) {
    out.Add(families::kFeedRefused, reason, static_cast<double>(count));
  };
  refused("unknown_key", feed.refused_unknown_key);
  refused("not_curve", feed.refused_not_curve);
  refused("wrong_server_key", feed.refused_wrong_server_key);
  refused("handshake", feed.refused_handshakes);
  refused("view_of_another", feed.refused_subscriptions);
  refused("suspended", feed.refused_suspended);
  refused("too_many_connections", feed.refused_too_many);
  refused("protocol_breach", feed.protocol_breaches);
  refused("no_descriptor", feed.accept_failures);
  out.Add(families::kAlertsDropped, "line_too_long",
          static_cast<double>(feed.oversized_alerts + feed.malformed_alerts));
}

}  // namespace vedette
