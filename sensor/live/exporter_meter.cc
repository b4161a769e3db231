#include "sensor/live/exporter_meter.h"

#include <cstddef>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "exporter/metrics/counter_figures.h"
#include "exporter/metrics/families.h"
#include "signatures/canary.h"

namespace vedette {

ExporterMeter::ExporterMeter(const MatchTally& tally, const AlertPolicy& policy, const GeoLookup& geo,
                             const FileSink* file, FeedPublisher* publisher, const Partners& partners)
    : tally_(tally), policy_(policy), geo_(geo), file_(file), publisher_(publisher), partners_(partners) {
  published_.Publish(StateNow());
}

bool ExporterMeter::Accept(const Event& event) {
  ++delivered_;
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch());
  const auto waited = static_cast<int64_t>(now.count()) - static_cast<int64_t>(event.alert->time_ns);
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
  state.by_source = tally_.by_source();
  state.exported = {.delivered = delivered_, .policy = policy_.counters()};
  if (file_ != nullptr) state.output = file_->counters();
  state.latency = latency_;
  state.databases = geo_.databases();
  state.geo = geo_.counters();
  if (publisher_ == nullptr) return state;
  state.feed = publisher_->counters();
  const auto now = std::chrono::steady_clock::now();
  std::map<PartnerId, std::chrono::steady_clock::time_point> last_connected;
  for (const PartnerStatus& status : publisher_->partners()) {
    const Partner* const one = partners_.Find(status.name);
    if (status.name == kCanaryView || one == nullptr) continue;
    const auto before = last_connected_.find(status.id);  // one that is new counts from now on
    const bool silent = status.counters.connections == 0 && before != last_connected_.end();
    const auto last = silent ? before->second : now;
    last_connected[status.id] = last;
    state.partners.emplace_back(status.name,
                                OfPartner{.alerts = one->counters,
                                          .feed = status.counters,
                                          .silent_seconds = std::chrono::duration<double>(now - last).count()});
  }
  last_connected_ = std::move(last_connected);
  return state;
}

void ExporterMeter::AppendFigures(Figures& out) const {
  const State state = published_.Read();
  for (const auto& [source, alerts] : state.by_source) out.Add(families::kMatches, source, static_cast<double>(alerts));
  AppendCounters(state.exported, out);
  if (state.output) AppendCounters(*state.output, out);
  out.Add(families::kAlertLatency, state.latency);  // also before the first
  const std::vector<std::string> databases = LabelsOf(state.databases);
  const int64_t now = std::time(nullptr);
  for (size_t i = 0; i < databases.size(); ++i) AppendCounters(FiguresOf(state.databases[i], now), out, databases[i]);
  AppendCounters(state.geo, out);
  for (const auto& [name, partner] : state.partners) AppendCounters(partner, out, name);
  if (state.feed) AppendCounters(*state.feed, out);
}

}  // namespace vedette
