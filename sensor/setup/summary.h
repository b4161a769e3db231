// The figures at the end of a run, for a person.
#pragma once

#include <string>
#include <vector>

#include "exporter/metrics/figures.h"
#include "exporter/render/match_tally.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/setup/inputs.h"

namespace vedette {

// The figures of a run at its end: what both summaries, for people and for programs, show.
Figures FiguresOf(const Totals& totals);
Figures FiguresOf(const Totals& totals, const LoadedIndicators& loaded, const MatchTally& tally);

// Everything about packets, flows and observables.
std::string SummaryOfCapture(const Totals& totals);
// Indicators, alerts by indicator, drops.
std::string SummaryOfAlerts(const LoadedIndicators& loaded, const MatchTally& tally, const Totals& totals);
// That a filter by ports left out fragments without any, on standard error.
void ReportFragments(const Totals& totals);
// Damage, one line a file, on standard error.
void ReportDamage(const Totals& totals);
// That the run ended before its captures did, on standard error.
void ReportInterrupted(const Totals& totals);

}  // namespace vedette
