// The figures at the end of a run, for a person.
#pragma once

#include <string>
#include <vector>

#include "exporter/export_loop.h"
#include "sensor/commands/inputs.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

// Counts alerts by indicator; one of the sinks.
class CountSink : public AlertSink {
 public:
  explicit CountSink(size_t indicators) : by_indicator_(indicators, 0) {}
  bool Accept(const Alert& alert) override {
    for (uint32_t index : alert.indicators) ++by_indicator_[index];
    ++alerts_;
    return true;
  }
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }
  const std::vector<uint64_t>& by_indicator() const { return by_indicator_; }
  uint64_t alerts() const { return alerts_; }

 private:
  std::vector<uint64_t> by_indicator_;
  uint64_t alerts_ = 0;
  std::string error_;
};

// Everything about packets, flows and observables.
std::string SummaryOfCapture(const Totals& totals);
// Indicators, alerts by indicator, drops. `alerts` are all workers' counters added up.
std::string SummaryOfAlerts(const LoadedIndicators& loaded, const CountSink& counts, const AlertCounters& alerts,
                            const MatchCounters& fields);
// Damage, one line a file, on standard error.
void ReportDamage(const Totals& totals);

}  // namespace vedette
