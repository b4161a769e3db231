// `replay --carve`: its options, and what they come to.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporter/policy/alert_policy.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/replay/carve_sink.h"
#include "sensor/replay/carver.h"
#include "sensor/setup/inputs.h"

namespace CLI {
class App;
}

namespace vedette {

class CarveSetup {
 public:
  void AddTo(CLI::App& app);
  // Before anything is matched. False with an error for the user. Without --carve nothing is done, here and below.
  bool Open(const CaptureList& captures, std::string& error);

  // First among the sinks; nullptr without --carve.
  AlertSink* sink() { return sink_.get(); }
  // How many flows each MatchConsumer has to keep.
  size_t keep_flows() const { return sink_ == nullptr ? 0 : max_flows_; }
  void NameIn(AlertPolicy& policy) const;

  // After the run: `ended` are the matched flows of every worker. False where not all of it could be written; said on
  // standard error.
  bool Run(const std::vector<std::span<const EndedFlow>>& ended, const CaptureOptions& options,
           const std::shared_ptr<const CaptureList>& captures, const Totals& totals, const std::atomic<bool>& stop);

  bool wanted() const { return !folder_.empty(); }
  const std::string& folder() const { return folder_; }
  const CarveReport& report() const { return report_; }
  uint64_t flows_left_out() const { return flows_left_out_; }
  // For the end of a run; empty without --carve.
  std::string Summary() const;

 private:
  // Several hundred thousand files in one folder are more than most tools show.
  static constexpr uint64_t kDefaultMaxFlows = 100'000;

  std::string folder_;
  uint64_t max_flows_ = kDefaultMaxFlows;
  bool force_ = false;
  std::unique_ptr<CarveSink> sink_;
  CarveReport report_;
  uint64_t flows_left_out_ = 0;
};

}  // namespace vedette
