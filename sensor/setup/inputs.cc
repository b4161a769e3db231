#include "sensor/setup/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "parsers/base/address.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/progress.h"
#include "sensor/setup/time_option.h"

namespace vedette {
namespace {

constexpr size_t kKindsShown = 15;
constexpr size_t kFilesShown = 10;
constexpr size_t kSourcesShown = 50;
constexpr size_t kMaxValueShown = 100;
constexpr size_t kSkippedShown = 5;
constexpr uint32_t kMaxWorkers = 64;  // each walks the capture itself; more only walk in each other's way

// One line, whatever is in the feed.
std::string LineOf(const IndicatorProblem& problem) { return ForTerminal(TextOf(problem)); }

// Rows by reason, an example of each.
void SayProblems(const CompileReport& report, const std::string& problems_file) {
  size_t shown[2] = {0, 0};  // of rows that are not used, and that are
  uint64_t rows_left[2] = {0, 0}, num_rows = 0;
  for (const ProblemKind& kind : report.kinds) {
    num_rows += kind.rows;
    if (++shown[kind.used ? 1 : 0] > kKindsShown) {
      rows_left[kind.used ? 1 : 0] += kind.rows;
      continue;
    }
    const std::string reason = kind.used ? kind.reason : "not used: " + kind.reason;
    Say("  {} {} {}\n    {} {}:{}: {}\n", Thousands(kind.rows), kind.rows == 1 ? "row" : "rows", ForTerminal(reason),
        kind.rows == 1 ? "it is" : "such as", ForTerminal(kind.first.file), kind.first.line,
        ForTerminal(std::string_view(kind.first.value).substr(0, kMaxValueShown)));
  }
  if (rows_left[0] > 0) Say("  … and {} more rows not used\n", Thousands(rows_left[0]));
  if (rows_left[1] > 0) Say("  … and {} more rows used with a remark\n", Thousands(rows_left[1]));
  size_t files = 0, files_left = 0;
  for (const IndicatorProblem& problem : report.problems) {
    if (problem.line != 0) continue;
    if (++files > kFilesShown) {
      ++files_left;
    } else {
      Say("  {}\n", LineOf(problem));
    }
  }
  if (files_left > 0) Say("  … and {} more files\n", Thousands(files_left));
  if (num_rows > report.kinds.size())
    Say("  {}\n",
        problems_file.empty() ? "--problems FILE lists them all" : "all are listed in " + ForTerminal(problems_file));
}

// Rows, and files that were not read. False where the file could not be written.
bool WriteProblems(const LoadedIndicators& loaded, const std::string& problems_file) {
  if (problems_file.empty()) return true;
  std::ofstream file(problems_file);
  for (const IndicatorProblem& problem : loaded.report.problems) {
    file << LineOf(problem) << '\n';
  }
  for (const SourceReport& source : loaded.sources) {
    if (source.passed_over) file << ForTerminal(source.path) << ": passed over: " << ForTerminal(source.unused) << '\n';
  }
  if (file.flush()) return true;
  Complain("--problems " + problems_file +
           ": cannot be written; the list of unusable rows is not complete. Name a file in a folder that exists and is "
           "yours");
  return false;
}

// Each file, or of many the first and the sums of the others.
void SaySources(const std::vector<SourceReport>& sources) {
  uint64_t files = 0, rows = 0, unusable = 0;
  size_t shown = 0;
  for (const SourceReport& source : sources) {
    if (source.passed_over) {
      if (++shown <= kSourcesShown) Say("indicators  {}: passed over: {}\n", ForTerminal(source.path), source.unused);
    } else if (++shown <= kSourcesShown) {
      Say("indicators  {}: {}, {} rows, {} unusable{}\n", ForTerminal(source.path), source.format,
          Thousands(source.rows), Thousands(source.unusable),
          source.warned == 0 ? "" : ", " + Thousands(source.warned) + " with a remark");
      continue;
    }
    if (shown <= kSourcesShown) continue;
    ++files;
    rows += source.rows;
    unusable += source.unusable;
  }
  if (files > 0)
    Say("indicators  … and {} more files, {} rows, {} unusable\n", Thousands(files), Thousands(rows),
        Thousands(unusable));
}

// An address that means another machine in every network is no indicator, but an analyst may want to see what it did.
std::string FilterAdvice(std::string_view value) {
  for (const std::string_view type : {"ip:port:", "ip:", "cidr:", "url:"}) {
    if (!value.starts_with(type)) continue;
    value.remove_prefix(type.size());
    break;
  }
  if (const size_t scheme = value.find("://"); scheme != std::string_view::npos) {
    value.remove_prefix(scheme + 3);
    value = value.substr(0, value.find('/'));
  }
  const auto special = [](std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    const std::optional<IpAddress> address = IpAddress::Parse(text);
    return address && address->IsSpecial() ? address : std::nullopt;
  };
  const auto number = [](std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (const auto address = special(value))
    return fmt::format("; for all packets of that machine: --bpf 'host {}'", address->ToString());
  if (const size_t slash = value.find('/'); slash != std::string_view::npos && number(value.substr(slash + 1))) {
    if (const auto address = special(value.substr(0, slash)))
      return fmt::format("; for all packets of that network: --bpf 'net {}/{}'", address->ToString(),
                         value.substr(slash + 1));
  }
  if (const size_t colon = value.rfind(':'); colon != std::string_view::npos && number(value.substr(colon + 1))) {
    if (const auto address = special(value.substr(0, colon)))
      return fmt::format("; for all packets of that service: --bpf 'host {} and port {}'", address->ToString(),
                         value.substr(colon + 1));
  }
  return {};
}

}  // namespace

void CaptureOptions::AddTo(CLI::App& app) {
  app.add_option("captures", paths,
                 "capture files (pcap, pcapng; also gzip or zstd), folders of them, or - for standard input")
      ->required()
      ->type_name("FILE|DIR|-");
  app.add_option("--bpf", filter, "only packets that match this filter, in tcpdump's language")->type_name("FILTER");
  app.add_option(
         "--since", since,
         "only packets from this time on: 2026-11-23T10:00:00Z, 2026-11-23T10:00, a date, or seconds since 1970")
      ->type_name("TIME");
  app.add_option("--until", until, "only packets before this time")->type_name("TIME");
  app.add_flag(
      "--follow", follow,
      "when all is read, wait for more: for data that is appended to a file, also when it is rotated; for each new "
      "capture in a folder once it is complete. Of several paths, the last is followed. Ctrl-C ends the run");
  app.add_option("--workers", workers,
                 "number of worker threads (default: one per processor); the output is the same for any number")
      ->type_name("N");
}

bool CaptureOptions::Check(std::string& error) {
  const auto read = [&](const char* name, const std::string& text, uint64_t& out) {
    if (text.empty()) return true;
    std::string reason;
    const std::optional<uint64_t> time = ParseTime(text, reason);
    if (!time) {
      error = fmt::format("{} {}: {}", name, text, reason);
      return false;
    }
    out = *time;
    return true;
  };
  if (!read("--since", since, since_ns) || !read("--until", until, until_ns)) return false;
  if (since_ns >= until_ns) {
    error = fmt::format("--since {} is not before --until {}: no packet can be in between", since, until);
    return false;
  }
  if (workers == 0) workers = std::max(1u, std::thread::hardware_concurrency());
  if (workers > kMaxWorkers) {
    error = fmt::format("--workers {}: at most {}", workers, kMaxWorkers);
    return false;
  }
  return true;
}

LoadedIndicators LoadIndicators(const std::vector<std::string>& paths, const std::vector<std::string>& values,
                                const std::string& problems_file, const std::string& cache_folder,
                                const LoadOptions& options) {
  LoadedIndicators loaded;
  const auto begin = std::chrono::steady_clock::now();
  IndicatorSetBuilder builder;
  builder.set_supported(SupportedObservables());
  builder.set_cache_folder(cache_folder);
  if (!problems_file.empty()) builder.set_kept_problems(SIZE_MAX);  // the file gets them all
  bool failed = false;
  const auto fail = [&](const std::string& what) {
    Complain(what);
    if (!failed) loaded.error = what;
    failed = true;
  };
  for (const std::string& path : paths) {
    for (SourceReport& source : ReadIndicators(path, builder)) {
      if (!source.error.empty()) {
        fail(source.error);
      }
      loaded.sources.push_back(std::move(source));
    }
  }
  for (const std::string& value : values) {
    std::string error;
    std::string guessed;
    if (!AddFromText(value, builder, error, &guessed)) {
      // Such an address is no indicator, but an analyst may want to see what its machine did.
      fail("--match " + error + FilterAdvice(value));
    } else if (!guessed.empty()) {
      loaded.guesses.push_back(fmt::format("--match {}: taken as {}", value, guessed));
    }
  }
  if (failed) {
    builder.GiveUp(loaded.report);
    loaded.problems_written = WriteProblems(loaded, problems_file);
    return loaded;
  }
  if (options.canary) builder.AddCanary();
  loaded.set = builder.Compile(loaded.report);
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (!options.quiet) {
    SaySources(loaded.sources);
    SayProblems(loaded.report, problems_file);
  }
  loaded.problems_written = WriteProblems(loaded, problems_file);
  if (loaded.set == nullptr) loaded.error = "the indicators could not be compiled; see the reason above";
  if (loaded.set != nullptr && !options.quiet) {
    const CompileReport& report = loaded.report;
    Say("indicators  {} loaded in {}{}{}\n", Thousands(report.loaded), Span(loaded.seconds),
        report.patterns == 0
            ? ""
            : fmt::format(", {} patterns {} {}", Thousands(report.patterns),
                          report.patterns_cached ? "from the cache in" : "compiled in", Span(report.patterns_seconds)),
        report.duplicates == 0 ? "" : ", " + Thousands(report.duplicates) + " duplicates");
    if (!report.cache_problem.empty()) Warn(report.cache_problem);
  }
  return loaded;
}

std::vector<std::filesystem::path> DefaultGeoFolders() {
  std::error_code status;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", status);
  std::vector<std::filesystem::path> folders = {"/var/lib/vedette/geo"};
  if (!status) {
    std::filesystem::path folder = program.parent_path();
    folders.push_back(folder.parent_path() / "share/vedette/geo");
    for (int up = 0; up < 4 && folder.has_relative_path(); ++up, folder = folder.parent_path())
      folders.push_back(folder / "geo");
  }
  return folders;
}

std::string UserCacheFolder() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/vedette";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/' || access(home, W_OK) != 0) return {};
  return std::string(home) + "/.cache/vedette";
}

std::string CacheFolderOf(const Config& config) {
  if (config.cache_given) return config.cache;
  return access(config.cache.c_str(), R_OK | W_OK | X_OK) == 0 ? config.cache : std::string();
}

bool OpenGeoFiles(const std::vector<std::string>& paths, GeoLookup& geo,
                  const std::function<void(const std::string&)>& problem) {
  const auto open = [&](const std::string& path) {
    std::string error;
    const bool opened = geo.Open(path, error);
    if (!opened) problem(error);
    return opened;
  };
  if (!paths.empty()) {
    size_t opened = 0;
    for (const std::string& path : paths) opened += open(path) ? 1 : 0;
    return opened == paths.size();
  }
  std::error_code status;
  for (const std::filesystem::path& folder : DefaultGeoFolders()) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder, status)) {
      if (entry.path().extension() == ".mmdb") found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    for (const std::string& path : found) open(path);
    if (!geo.databases().empty()) return true;
  }
  problem(
      "no geolocation database found; alerts will not say where addresses are (put one into /var/lib/vedette/geo, or "
      "name one with `geo` or --geo)");
  return true;
}

bool OpenGeo(const std::vector<std::string>& paths, bool no_geo, GeoLookup& geo) {
  if (no_geo) return true;
  // Without one that was named nothing is done; without a default one less is known.
  if (!OpenGeoFiles(paths, geo, [&](const std::string& text) { paths.empty() ? Warn(text) : Complain(text); }))
    return false;
  // The age of the default ones was told when they were built; `vedette check` and a metric tell it as well.
  if (paths.empty()) return true;
  for (const GeoDatabaseInfo& database : geo.databases()) {
    const std::string warning = StaleWarning(database, std::time(nullptr));
    if (!warning.empty()) Warn(warning);
  }
  return true;
}

std::shared_ptr<const CaptureList> ResolveCaptures(const CaptureOptions& options, const std::atomic<bool>& stop,
                                                   std::string& error) {
  CaptureList::Options list_options;
  list_options.stop = &stop;
  list_options.follow = options.follow;
  list_options.warn = [](const std::string& what) { Warn(what); };
  std::shared_ptr<const CaptureList> list = CaptureList::Resolve(options.paths, list_options, error);
  if (list == nullptr) return nullptr;
  size_t shown = 0;
  for (const CaptureList::Skipped& skipped : list->skipped()) {
    if (++shown > kSkippedShown) break;
    Say("{}passed over  {}: {}\n", skipped.holds_packets ? "warning: " : "", ForTerminal(skipped.name),
        ForTerminal(skipped.reason));
  }
  if (list->num_skipped() > kSkippedShown)
    Say("passed over  {} more files that are not captures\n", Thousands(list->num_skipped() - kSkippedShown));
  return list;
}

bool SetUpLanes(const CaptureOptions& options, const std::shared_ptr<const CaptureList>& list,
                std::vector<LaneSetup>& lanes, std::string& error) {
  std::vector<std::unique_ptr<CaptureSource>> sources = CaptureFiles::ForWorkers(list, options.workers, error);
  if (sources.empty()) return false;
  for (uint32_t i = 0; i < options.workers; ++i) {
    LaneSetup& lane = lanes.emplace_back();
    lane.source = std::move(sources[i]);
    if (!options.filter.empty()) {
      lane.filter = PacketFilter::Compile(options.filter, error);
      if (lane.filter == nullptr) return false;
    }
    lane.options.since_ns = options.since_ns;
    lane.options.until_ns = options.until_ns;
  }
  return true;
}

}  // namespace vedette
