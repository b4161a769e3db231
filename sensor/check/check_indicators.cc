#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include "exporter/geo/geo.h"
#include "exporter/policy/partners.h"
#include "parsers/registry.h"
#include "sensor/check/parts.h"
#include "sensor/config/duration.h"
#include "sensor/live/newest_file.h"
#include "sensor/setup/inputs.h"
#include "sensor/setup/progress.h"
#include "signatures/readers/read_indicators.h"

namespace vedette {
namespace {

int64_t NowSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// By reason, an example of each.
void WarnOfProblems(const CompileReport& compiled, CheckReport& report) {
  for (const ProblemKind& kind : compiled.kinds) {
    const std::string count = kind.rows == 1 ? "" : fmt::format(" ({} such rows)", Thousands(kind.rows));
    report.Warn("indicators", TextOf(kind.first) + count);
  }
}

}  // namespace

std::shared_ptr<const IndicatorSet> CheckIndicators(const Config& config, CheckReport& report) {
  if (config.indicators.empty()) {
    report.Error("indicators", "`indicators` names no files; there is nothing to look for");
    return nullptr;
  }
  IndicatorSetBuilder builder;
  builder.set_supported(SupportedObservables());
  for (const std::string& path : config.indicators) {
    for (const SourceReport& source : ReadIndicators(path, builder)) {
      if (!source.error.empty()) {
        report.Error("indicators", source.error);
      } else if (source.passed_over) {
        const std::string text = fmt::format("{}: passed over: {}", source.path, source.unused);
        source.missed ? report.Warn("indicators", text) : report.Ok("indicators", text);
      } else if (!source.unused.empty()) {
        report.Warn("indicators", fmt::format("{}: is not used: {}", source.path, source.unused));
      } else {
        report.Ok("indicators", fmt::format("{}: {}, {} rows, {} unusable", source.path, source.format,
                                            Thousands(source.rows), Thousands(source.unusable)));
      }
    }
  }
  CompileReport compiled;
  std::shared_ptr<const IndicatorSet> set = builder.Compile(compiled);
  WarnOfProblems(compiled, report);
  if (set == nullptr) {
    report.Error("indicators", "they cannot be compiled");
  } else if (set->size() == 0) {
    report.Error("indicators", "none of them can be used; there is nothing to look for");
    set = nullptr;
  } else {
    report.Ok("indicators", fmt::format("{} in use", Thousands(set->size())));
  }
  const int64_t newest = NewestFile(config.indicators);
  const int64_t limit = config.alarms.stale_indicators.count();
  if (limit != 0 && newest != 0 && NowSeconds() - newest > limit) {
    report.Warn("indicators",
                fmt::format("the newest file is {} days old (limit {}); is whatever delivers them still running?",
                            (NowSeconds() - newest) / 86'400, DurationText(config.alarms.stale_indicators)));
  }
  return set;
}

void CheckGeo(const Config& config, CheckReport& report) {
  GeoLookup geo;
  OpenGeoFiles(config.geo, geo, [&](const std::string& problem) {
    config.geo.empty() ? report.Warn("geo", problem) : report.Error("geo", problem);
  });
  for (const GeoDatabaseInfo& database : geo.databases()) {
    const std::string stale = StaleWarning(database, NowSeconds());
    if (stale.empty()) {
      report.Ok("geo", fmt::format("{}: of {}", database.path, database.date));
    } else {
      report.Warn("geo", stale);
    }
  }
  if (!config.has_feed) return;
  Partners partners(&geo);
  for (const PartnerConfig& partner : config.feed.partners) partners.Add(partner);
  for (const std::string& warning : partners.constituencies().Warnings()) report.Warn("feed", warning);
}

}  // namespace vedette
