// What the exporter thread knows in figures: alerts delivered, how long that took, and how each partner's feed is
// doing.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporter/alert/alert_sink.h"
#include "exporter/feed/publisher.h"
#include "exporter/metrics/figures.h"
#include "exporter/metrics/published.h"
#include "exporter/output/file_sink.h"
#include "exporter/policy/partners.h"
#include "exporter/render/match_tally.h"

namespace vedette {

// The last of the sinks: what it is handed has been delivered to the others. Accept, Idle and Close are called in the
// exporter thread, AppendFigures in any; it returns what was published last, kPublishInterval ago at most.
class ExporterMeter : public AlertSink, public FigureSource {
 public:
  static constexpr auto kPublishInterval = std::chrono::milliseconds(200);

  // All outlive the meter. `file` may be null (no output), `publisher` as well (no feed).
  ExporterMeter(const MatchTally& tally, const AlertRenderer& renderer, const GeoLookup& geo, const FileSink* file,
                FeedPublisher* publisher, const Partners& partners);

  bool Accept(const Alert& alert) override;
  void Idle() override;
  bool Close() override;
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }

  void AppendFigures(Figures& out) const override;

 private:
  struct Partner {
    std::string name;
    PartnerCounters alerts;
    uint64_t dropped = 0;
    size_t connections = 0;
    bool suspended = false;
    double silent_seconds = 0;
  };
  struct State {
    uint64_t delivered = 0, unresolved = 0, output_lost = 0;
    bool output_failing = false;
    FileSink::Opened output_opened;
    HistogramCounts latency;
    std::map<std::string, uint64_t, std::less<>> by_source;
    FeedCounters feed;
    std::vector<Partner> partners;
    std::vector<GeoDatabaseInfo> geo;
    GeoCounters geo_counters;
  };
  State StateNow();

  const MatchTally& tally_;
  const AlertRenderer& renderer_;
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
