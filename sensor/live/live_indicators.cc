#include "sensor/live/live_indicators.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "sensor/config/config_changes.h"
#include "sensor/live/newest_file.h"

namespace vedette {

LoadedIndicators LoadLiveIndicators(const Config& config) {
  return LoadIndicators(config.indicators, {}, "", CacheFolderOf(config), {.canary = true});
}

IndicatorLoad ReadyForUse(LoadedIndicators loaded, const std::vector<std::string>& paths) {
  IndicatorLoad out;
  out.error = std::move(loaded.error);
  if (loaded.set == nullptr) return out;
  out.unusable = loaded.unusable();
  for (SourceReport& source : loaded.sources) {
    if (source.passed_over && !source.missed) continue;
    const uint64_t rows = source.rows - std::min(source.rows, source.unusable);
    std::error_code no_link;
    const std::filesystem::path target = std::filesystem::read_symlink(source.path, no_link);
    if (!source.unused.empty() && !source.passed_over && !no_link) {
      source.unused += fmt::format("; it is a link to {}", target.string());
      if (access(source.path.c_str(), F_OK) == 0) {
        source.unused += ", and a running sensor reads only the folders that its configuration named at its start";
      }
    }
    out.files.push_back({std::move(source.path), std::move(source.unused), rows});
  }
  if (loaded.report.loaded == 0) {
    const auto unused = std::find_if(out.files.begin(), out.files.end(),
                                     [](const IndicatorFile& file) { return !file.unused.empty(); });
    out.error = "none of the indicators can be used";
    if (unused != out.files.end()) out.error += fmt::format("; {}: {}", unused->path, unused->unused);
    return out;
  }
  out.wanted = EmittedFor(loaded.set->wanted());
  out.indicators = loaded.report.loaded;
  out.memory_bytes = loaded.report.memory_bytes;
  out.newest_file = NewestFile(paths);
  out.set = std::move(loaded.set);
  return out;
}

IndicatorLoad LoadAgain(const Config& as_started) {
  Config now;
  std::string error;
  if (!LoadConfig(as_started.path, now, error)) {
    IndicatorLoad failed;
    failed.error = error;
    return failed;
  }
  IndicatorLoad load = ReadyForUse(LoadLiveIndicators(now), now.indicators);
  load.changed_settings = ChangedSettings(as_started, now);
  return load;
}

}  // namespace vedette
