// What the exporter thread knows in figures: alerts delivered, how long that took, and how each partner's feed is
// doing.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/feed/publisher.h"
#include "exporter/geo/geo.h"
#include "exporter/metrics/families.h"
#include "exporter/metrics/figures.h"
#include "exporter/metrics/histogram.h"
#include "exporter/metrics/published.h"
#include "exporter/output/file_sink.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/policy/partners.h"
#include "exporter/render/match_tally.h"
#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kAlertsBySink = {"vedette_alerts_written_total", FigureKind::kCounter,
                                               "alerts that passed the exporter", "to"};

}  // namespace families

// The last of the sinks: what it is handed has been delivered to the others. Accept, Idle and Close are called in the
// exporter thread, AppendFigures in any; it returns what was published last, kPublishInterval ago at most.
class ExporterMeter : public AlertSink, public FigureSource {
 public:
  static constexpr auto kPublishInterval = std::chrono::milliseconds(200);

  // All outlive the meter. `file` may be null (no output), `publisher` as well (no feed).
  ExporterMeter(const MatchTally& tally, const AlertPolicy& policy, const GeoLookup& geo, const FileSink* file,
                FeedPublisher* publisher, const Partners& partners);

  bool Accept(const Event& event) override;
  void Idle() override;
  bool Close() override;
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }

  void AppendFigures(Figures& out) const override;

 private:
  // What is in figures, as of one moment. Each part says in its table what it counts (parsers/base/counter.h).
  struct Exported {
    uint64_t delivered = 0;
    PolicyCounters policy;
    static constexpr auto Counters() {
      return CounterTable(Count(&Exported::delivered, families::kAlertsBySink, "exporter", "decided and delivered"),
                          CountAll(&Exported::policy));
    }
  };
  struct OfPartner {
    PartnerCounters alerts;
    PartnerFeedCounters feed;
    double silent_seconds = 0;
    static constexpr auto Counters() {
      return CounterTable(CountAll(&OfPartner::alerts), CountAll(&OfPartner::feed),
                          Count(&OfPartner::silent_seconds, families::kFeedSilent));
    }
  };
  struct State {
    std::map<std::string, uint64_t, std::less<>> by_source;
    Exported exported;
    std::optional<OutputCounters> output;
    HistogramCounts latency;
    std::vector<GeoDatabaseInfo> databases;
    GeoCounters geo;
    std::vector<std::pair<std::string, OfPartner>> partners;  // by name
    std::optional<FeedCounters> feed;
  };
  State StateNow();

  const MatchTally& tally_;
  const AlertPolicy& policy_;
  const GeoLookup& geo_;
  const FileSink* const file_;
  FeedPublisher* const publisher_;
  const Partners& partners_;
  std::map<PartnerId, std::chrono::steady_clock::time_point> last_connected_;  // of those that are partners
  HistogramCounts latency_;
  uint64_t delivered_ = 0;
  std::chrono::steady_clock::time_point next_;
  Published<State> published_;
  std::string error_;
};

}  // namespace vedette
