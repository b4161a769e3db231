// vedette replay: captures against indicators.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <thread>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/feed_sink.h"
#include "exporter/output/file_sink.h"
#include "sensor/commands/carve_setup.h"
#include "sensor/commands/command_files.h"
#include "sensor/commands/commands.h"
#include "sensor/commands/resume.h"
#include "sensor/commands/summary_json.h"
#include "sensor/config/config.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/feed_setup.h"
#include "sensor/setup/inputs.h"
#include "sensor/setup/progress.h"
#include "sensor/setup/signals.h"
#include "sensor/setup/summary.h"

namespace vedette {
namespace {

// A replay is faster than any partner: it waits for one that reads, and gives up one that stands still for so long.
constexpr std::chrono::seconds kPartnerStandstill{30};

struct ReplayOptions {
  CaptureOptions capture;
  CarveSetup carve;
  std::vector<std::string> indicators, values, geo;
  std::string format = "jsonl";
  std::string output = "-";
  std::string publish;
  std::string problems;
  std::string cache;
  std::string resume;
  double resume_every = 2;
  std::string summary;
  uint32_t partner_wait = 10;
  uint64_t payload_depth = 0;
  bool no_geo = false;
  bool no_cache = false;
  bool fail_on_match = false;
  bool quiet = false;
};

// Everything that a replay reads and writes.
CommandFiles FilesOf(const ReplayOptions& options, const Config& config, const CaptureList& captures) {
  CommandFiles files;
  files.AddCaptures(captures);
  for (const std::string& path : options.indicators) files.AddInputs(path, "one of the indicator files");
  if (!options.no_geo && options.geo.empty()) {
    for (const std::filesystem::path& folder : DefaultGeoFolders())
      files.AddInputs(folder.string(), "a geolocation database", ".mmdb");
  }
  for (const std::string& path : options.geo) files.AddInput(path, "a geolocation database");
  if (!options.publish.empty()) {
    files.AddInput(options.publish, "the configuration of --publish");
    files.AddInput(config.feed.secret_key_file, "the sensor's key");
    for (const std::string& path : config.public_key_files) files.AddInput(path, "a partner's key");
  }
  files.AddOutput("--out", options.output);
  files.AddOutput("--problems", options.problems);
  files.AddOutput("--summary", options.summary);
  if (!options.summary.empty()) files.AddOutput("--summary", options.summary + kPartSuffix);
  files.AddOutput("--resume", options.resume);
  if (!options.resume.empty()) files.AddOutput("--resume", options.resume + ResumeState::kNewSuffix);
  files.AddCarveFolder(options.carve.folder());
  return files;
}

// What --resume cannot go together with; empty: it can.
std::string WhyNotResumed(const ReplayOptions& options) {
  if (options.resume.empty()) return {};
  if (options.output == "-") return "--resume continues a file; name it with --out FILE";
  if (!options.publish.empty())
    return "--resume cannot be combined with --publish: partners would receive alerts twice; publish in a separate run";
  if (options.carve.wanted())
    return "--resume cannot be combined with --carve: carve in a separate run over the same captures";
  if (options.capture.follow)
    return "--resume cannot be combined with --follow: a followed capture has no end at which the output could be "
           "complete";
  return {};
}

// All that the bytes of the output depend on.
RunIdentity IdentityOf(const ReplayOptions& options, const IndicatorSet& set, const GeoLookup& geo) {
  RunIdentity identity;
  identity.parts = {{"version", VEDETTE_VERSION},
                    {"--out", options.output},
                    {"--format", options.format},
                    {"indicators", set.digest()},
                    {"--bpf", options.capture.filter},
                    {"--since", fmt::format("{} ns", options.capture.since_ns)},
                    {"--until", fmt::format("{} ns", options.capture.until_ns)},
                    {"--payload-depth", std::to_string(options.payload_depth)}};
  std::string databases;
  for (const GeoDatabaseInfo& database : geo.databases()) databases += IdentifyFile(database.path) + "; ";
  identity.parts.emplace_back("geolocation", databases);
  return identity;
}

// Contract 1's codes, the weightiest first: what failed, then what was found, then what was damaged.
// `matched` only where that is asked for.
int ExitStatus(bool failed, bool matched, const Totals& totals) {
  if (failed) return kExitFailed;
  if (matched) return kExitMatched;
  return totals.damage.empty() ? kExitDone : kExitDamagedInput;
}

uint64_t WallClockNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

int Replay(ReplayOptions& options) {
  const uint64_t started_ns = WallClockNs();
  std::string error;
  const auto usage = [&](const std::string& what) {
    Complain(what);
    return kExitUsage;
  };
  if (options.indicators.empty() && options.values.empty()) {
    return usage("nothing to look for: name indicator files with --indicators, or a value with --match");
  }
  if (!options.capture.Check(error)) return usage(error);
  if (const std::string why = WhyNotResumed(options); !why.empty()) return usage(why);
  Config config;
  if (!options.publish.empty()) {
    if (!LoadConfig(options.publish, config, error)) {
      ComplainInLines(error);
      return kExitUsage;
    }
    if (!config.has_feed) return usage(options.publish + ": has no `feed` part to publish with; see vedette.yaml(5)");
  }
  std::atomic<bool> stop{false};
  SignalWatch signals(stop);
  std::vector<LaneSetup> lanes;
  const std::shared_ptr<const CaptureList> files = ResolveCaptures(options.capture, stop, error);
  if (files == nullptr || !FilesOf(options, config, *files).Check(error) ||
      !SetUpLanes(options.capture, files, lanes, error))
    return usage(error);
  const std::optional<OutputFormat> format = OutputFormatOf(options.format);

  // Nothing is written yet that has to be ended in order, and a compile of patterns, which may take minutes, cannot be
  // broken off.
  signals.set_at_once(true);
  const LoadedIndicators loaded = LoadIndicators(options.indicators, options.values, options.problems,
                                                 options.no_cache        ? ""
                                                 : options.cache.empty() ? UserCacheFolder()
                                                                         : options.cache,
                                                 {.quiet = options.quiet});
  signals.set_at_once(false);
  if (stop.load()) return kExitFailed;  // it came while that ended
  if (loaded.set == nullptr) return kExitUsage;
  if (loaded.set->size() == 0) return usage("none of the indicators can be used; see the reasons above");
  if (!options.quiet) {
    for (const std::string& guess : loaded.guesses) Say("indicators  {}\n", ForTerminal(guess));
  }
  GeoLookup geo;
  if (!OpenGeo(options.geo, options.no_geo, geo)) return kExitUsage;

  SensorIdentity identity;
  identity.name = config.sensor_name;
  identity.version = VEDETTE_VERSION;
  identity.replay = true;
  identity.resolvers = config.resolvers;
  AlertRenderer renderer(loaded.set, &geo, identity,
                         [&](uint32_t file) { return std::string_view(files->file(file).name); });

  // A folder's name may be a case's name: partners see the file's only.
  AlertRenderer partner_renderer(loaded.set, &geo, identity, [&](uint32_t file) {
    const std::string_view name = files->file(file).name;
    return name.substr(name.rfind('/') + 1);
  });

  Partners partners(&geo);
  for (const PartnerConfig& partner : config.feed.partners) partners.Add(partner);
  for (const std::string& warning : partners.constituencies().Warnings()) Warn(warning);
  renderer.set_constituencies(&partners.constituencies());
  partner_renderer.set_constituencies(&partners.constituencies());

  MatchTally tally(CatalogueOf(loaded.set));
  std::vector<AlertSink*> sinks = {&tally};
  ResumeState resume(options.resume);
  if (!options.resume.empty()) {
    RunIdentity run = IdentityOf(options, *loaded.set, geo);
    if (!IdentifyCaptures(*files, run, error) || !resume.Load(run, error)) return usage(error);
    if (resume.complete() && !options.summary.empty()) {
      return usage(options.resume +
                   ": the run is complete, and its figures were not kept; for a --summary, omit --resume or remove the "
                   "state, and run again");
    }
    // The state first: an output of no certain bytes belongs to it from now on.
    if (!resume.complete() && !resume.Save(resume.mark(), error)) return usage(error);
  }
  if (!options.carve.Open(*files, error)) return usage(error);
  const std::unique_ptr<FileSink> file =
      options.resume.empty() ? FileSink::Open(options.output, *format, renderer, error)
                             : FileSink::Continue(options.output, *format, renderer, resume.mark(), error);
  if (file == nullptr) return usage(error);
  if (resume.complete()) {
    Say("{}: the run is complete, and {} holds its {} bytes; remove the state to run again\n",
        ForTerminal(options.resume), ForTerminal(options.output), Thousands(resume.mark().bytes));
    return options.fail_on_match && resume.matched() ? kExitMatched : resume.exit_status();
  }
  if (resume.mark().bytes != 0)
    Say("{}: continuing after {} bytes of {}\n", ForTerminal(options.resume), Thousands(resume.mark().bytes),
        ForTerminal(options.output));
  options.carve.NameIn(renderer);
  if (options.carve.sink() != nullptr) sinks.push_back(options.carve.sink());
  file->MayEndEarly(stop);
  if (options.capture.follow) file->ShowEachAtOnce();
  sinks.push_back(file.get());
  CheckpointSink checkpoints(*file, resume, std::chrono::milliseconds(std::llround(options.resume_every * 1000)), stop);
  if (!options.resume.empty()) sinks.push_back(&checkpoints);
  FeedSetup feed;
  if (!options.publish.empty()) {
    config.feed.lossless_wait = kPartnerStandstill;
    config.feed.stop = &stop;
    if (!feed.Open(config, partners, partner_renderer, error)) return usage(error);
    feed.WaitForPartners(std::chrono::seconds(options.partner_wait), stop);
    sinks.push_back(feed.sink());
  }

  Doorbell doorbell;
  std::vector<MatchConsumer*> consumers;  // the lanes'
  for (LaneSetup& lane : lanes) {
    consumers.push_back(
        MakeMatching(lane, loaded.set, doorbell, {.wait_when_full = true, .keep_flows = options.carve.keep_flows()}));
    if (consumers.back() == nullptr) return usage("no memory for the matcher; use fewer workers");
    lane.options.inspector.payload_depth = options.payload_depth;
  }

  ExportSummary exported;
  Pipeline pipeline(std::move(lanes), Sharing::kSameCapture);
  if (feed.sink() != nullptr) feed.TellLosses(pipeline);
  ExportLoop loop(doorbell, pipeline.alert_queues(), sinks, true, stop);
  std::thread exporter([&] { exported = loop.Run(); });
  ProgressBar progress;
  Totals totals = pipeline.Run(stop, [&](const ProgressReport& report) { progress.Show(report); });
  exporter.join();
  progress.Clear();
  if (options.capture.follow) totals.interrupted = false;  // there is no other end

  std::vector<std::span<const EndedFlow>> matched_flows;
  for (const MatchConsumer* consumer : consumers) matched_flows.emplace_back(consumer->matched_flows());
  const bool carved = options.carve.Run(matched_flows, options.capture, files, totals, stop);
  if (!options.quiet) {
    Say("{}{}{}{}", SummaryOfCapture(totals), SummaryOfAlerts(loaded, tally, totals), options.carve.Summary(),
        feed.Summary());
  }
  ReportFragments(totals);
  ReportDamage(totals);
  for (const std::string& problem : exported.errors) Complain(problem);
  const bool failed = !exported.errors.empty() || !carved || !loaded.problems_written;
  if (totals.interrupted && exported.errors.empty()) ReportInterrupted(totals);
  const bool matched = tally.alerts() != 0;
  const int status = ExitStatus(failed || totals.interrupted, options.fail_on_match && matched, totals);
  if (!options.summary.empty()) {
    const SummaryInput summary{.options = options.capture,
                               .payload_depth_bytes = options.payload_depth,
                               .captures = *files,
                               .loaded = loaded,
                               .tally = tally,
                               .totals = totals,
                               .carve = options.carve,
                               .started_ns = started_ns,
                               .exit_status = status};
    if (!WriteWholeFile(options.summary, SummaryJson(summary), error)) {
      Complain("--summary " + error);
      return kExitFailed;
    }
  }
  if (options.resume.empty() || failed) return status;
  if (totals.interrupted) {
    Say("{}: interrupted; run the same command again to continue after {} bytes of {}\n", ForTerminal(options.resume),
        Thousands(resume.mark().bytes), ForTerminal(options.output));
    return status;
  }
  // Without --fail-on-match: whoever asks again may ask otherwise.
  if (resume.SaveComplete(file->mark(), matched, ExitStatus(false, false, totals), error)) return status;
  Complain(error);
  return kExitFailed;
}

}  // namespace

Command AddReplay(CLI::App& app) {
  auto options = std::make_shared<ReplayOptions>();
  options->capture.AddTo(app);
  options->carve.AddTo(app);
  app.add_option("--indicators", options->indicators,
                 "indicator files or folders: CSV, Zeek intelligence files, or lists with one value per line")
      ->type_name("PATH");
  app.add_option("--match", options->values,
                 "a single indicator: a name, an address, a URL, or type:value such as ja3:…")
      ->type_name("VALUE");
  app.add_option("--geo", options->geo, "MMDB databases, the preferred one first (default: the installed ones)")
      ->type_name("DB");
  CLI::Option* const cache =
      app.add_option("--cache", options->cache,
                     "folder that keeps compiled patterns (default: vedette in $XDG_CACHE_HOME or ~/.cache)")
          ->type_name("DIR");
  app.add_flag("--no-cache", options->no_cache, "compile all patterns and keep none")->excludes(cache);
  app.add_flag("--no-geo", options->no_geo, "do not look up where addresses are");
  app.add_option("--format", options->format, "format of the alerts (default: jsonl)")
      ->check(CLI::IsMember({"jsonl", "table", "csv"}))
      ->type_name("FORMAT");
  app.add_option("--out", options->output, "file for the alerts (default: standard output)")->type_name("FILE");
  app.add_option("--publish", options->publish, "also publish to the partners in this configuration")
      ->type_name("CONFIG");
  app.add_option("--partner-wait", options->partner_wait, "seconds to wait for the partners to connect (default 10)")
      ->type_name("SECONDS");
  app.add_option("--payload-depth", options->payload_depth,
                 "scan only this many bytes of each direction of a flow for patterns (default 0: all)")
      ->type_name("BYTES");
  app.add_option("--problems", options->problems,
                 "file that lists all indicator rows that cannot be used or may never hit")
      ->type_name("FILE");
  app.add_option(
         "--resume", options->resume,
         "file that records the progress: after an interruption, run the same command again to continue (it reads the "
         "captures again from the beginning); --out FILE is then the same as after one uninterrupted run")
      ->type_name("STATE");
  app.add_option("--resume-every", options->resume_every, "seconds between two updates of the state (default 2)")
      ->check(CLI::Range(0.01, 3600.0))
      ->type_name("SECONDS");
  app.add_option("--summary", options->summary, "file for the final figures, as JSON")->type_name("FILE");
  app.add_flag("--fail-on-match", options->fail_on_match, "exit with status 3 if something was found");
  app.add_flag("--quiet", options->quiet, "print no summary and no report of the indicators");
  return [options] { return Replay(*options); };
}

}  // namespace vedette
