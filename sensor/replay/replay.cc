#include "sensor/replay/replay.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/feed_sink.h"
#include "exporter/output/file_sink.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/policy/partners.h"
#include "sensor/capture/paced_source.h"
#include "sensor/config/config.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/replay/carve_folder.h"
#include "sensor/replay/each_file.h"
#include "sensor/replay/resume.h"
#include "sensor/replay/summary_json.h"
#include "sensor/setup/command_files.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/exit_code.h"
#include "sensor/setup/feed_setup.h"
#include "sensor/setup/progress.h"
#include "sensor/setup/signals.h"
#include "sensor/setup/summary.h"

namespace vedette {
namespace {

// A replay is faster than any partner: it waits for one that reads, and gives up one that stands still for so long.
constexpr std::chrono::seconds kPartnerStandstill{30};

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
  files.AddCarveFolder(options.carve.folder(), kCarveIndex);
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

// What --pace and --each cannot go together with; empty: they can.
std::string WhyNotPaced(const ReplayOptions& options) {
  if (options.pace.empty()) return {};
  if (options.capture.follow) return "--pace cannot be combined with --follow: what is followed comes as it is written";
  if (options.each)
    return "--pace cannot be combined with --each: several files at once have no common time; replay them one by one";
  return {};
}
std::string WhyNotEach(const ReplayOptions& options) {
  if (!options.each) return {};
  if (options.capture.follow)
    return "--each cannot be combined with --follow: a followed capture has no end after which the next is judged";
  if (options.carve.wanted())
    return "--each cannot be combined with --carve: flows of several captures may have the same id; carve them one by "
           "one";
  return {};
}

// "at 2026-11-23 10:03:04 UTC of the recording, 10 times as fast".
std::string PaceText(const PaceClock& clock) {
  const auto seconds = static_cast<std::time_t>(clock.recorded_ns() / 1'000'000'000);
  if (seconds == 0) return "paced";
  std::string text = fmt::format("at {:%Y-%m-%d %H:%M:%S} UTC of the recording", fmt::gmtime(seconds));
  if (clock.options().factor != 1) text += fmt::format(", {:g} times as fast", clock.options().factor);
  return text;
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
  if (options.each) identity.parts.emplace_back("--each", "yes");
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

// The steps of a replay, in the order of their declaration; what they make is in the order of its making.
class ReplayRun {
 public:
  explicit ReplayRun(ReplayOptions& options) : options_(options), resume_(options.resume) {}

  // The exit code.
  int Run();

 private:
  // A step returns the exit code where the run ends with it.
  using Ended = std::optional<int>;
  Ended CheckOptions();
  Ended FindCaptures();
  Ended ReadIndicators();
  Ended OpenPolicy();
  Ended OpenState();
  Ended OpenOutput();
  Ended OpenFeed();
  Ended MakeLanes();
  void RunLanes();
  bool Carve();
  void Report();
  Ended WriteSummary(int status);
  int SaveState(int status);
  static int Usage(const std::string& what);

  ReplayOptions& options_;
  const uint64_t started_ns_ = WallClockNs();
  std::string error_;
  Config config_;
  std::atomic<bool> stop_{false};
  std::optional<SignalWatch> signals_;
  std::shared_ptr<const CaptureList> files_;
  LoadedIndicators loaded_;
  GeoLookup geo_;
  Partners partners_{&geo_};
  std::unique_ptr<AlertPolicy> policy_;
  std::unique_ptr<MatchTally> tally_;
  ResumeState resume_;
  std::unique_ptr<FileSink> file_;
  std::unique_ptr<CheckpointSink> checkpoints_;
  std::vector<AlertSink*> sinks_;
  Doorbell doorbell_;
  std::vector<LaneSetup> setups_;
  std::vector<MatchConsumer*> consumers_;  // the lanes'
  std::shared_ptr<PaceClock> pace_;        // with --pace
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<EachFile> each_;  // with --each, instead of it
  FeedSetup feed_;                  // tells of the pipeline's losses to its end
  Totals totals_;
  ExportSummary exported_;
};

int ReplayRun::Usage(const std::string& what) {
  Complain(what);
  return kExitUsage;
}

// The number of --pace; 0: it is none that can be used. The flag alone is `true`.
double FactorOf(const std::string& pace) {
  if (pace == "true") return 1;
  char* end = nullptr;
  const double factor = std::strtod(pace.c_str(), &end);
  return end != pace.c_str() && *end == '\0' && factor >= 0.001 && factor <= 1e6 ? factor : 0;
}

ReplayRun::Ended ReplayRun::CheckOptions() {
  if (!options_.pace.empty() && FactorOf(options_.pace) == 0)
    return Usage("--pace=" + options_.pace +
                 ": has to be a number from 0.001 to 1000000: --pace=10 is ten times as fast");
  if (options_.indicators.empty() && options_.values.empty()) {
    return Usage("nothing to look for: name indicator files with --indicators, or a value with --match");
  }
  if (!options_.capture.Check(error_)) return Usage(error_);
  for (const std::string& why : {WhyNotResumed(options_), WhyNotPaced(options_), WhyNotEach(options_)}) {
    if (!why.empty()) return Usage(why);
  }
  if (options_.publish.empty()) return std::nullopt;
  if (!LoadConfig(options_.publish, config_, error_)) {
    ComplainInLines(error_);
    return kExitUsage;
  }
  if (!config_.has_feed) return Usage(options_.publish + ": has no `feed` part to publish with; see vedette.yaml(5)");
  return std::nullopt;
}

ReplayRun::Ended ReplayRun::FindCaptures() {
  signals_.emplace(stop_);
  files_ = ResolveCaptures(options_.capture, stop_, error_);
  if (files_ == nullptr || !FilesOf(options_, config_, *files_).Check(error_)) return Usage(error_);
  const std::string& filter = options_.capture.filter;
  if (options_.each) {
    if (!filter.empty() && PacketFilter::Compile(filter, error_) == nullptr) return Usage(error_);
    return std::nullopt;
  }
  if (!SetUpLanes(options_.capture, files_, setups_, error_)) return Usage(error_);
  if (options_.pace.empty()) return std::nullopt;
  pace_ = std::make_shared<PaceClock>(
      PaceClock::Options{.factor = FactorOf(options_.pace),
                         .longest_pause = std::chrono::milliseconds(std::llround(options_.pace_pause * 1000)),
                         .since_ns = options_.capture.since_ns,
                         .until_ns = options_.capture.until_ns});
  for (LaneSetup& setup : setups_) setup.source = std::make_unique<PacedSource>(std::move(setup.source), pace_);
  return std::nullopt;
}

ReplayRun::Ended ReplayRun::ReadIndicators() {
  // Nothing is written yet that has to be ended in order, and a compile of patterns, which may take minutes, cannot be
  // broken off.
  signals_->set_at_once(true);
  loaded_ = LoadIndicators(options_.indicators, options_.values, options_.problems,
                           options_.no_cache        ? ""
                           : options_.cache.empty() ? UserCacheFolder()
                                                    : options_.cache,
                           {.quiet = options_.quiet});
  signals_->set_at_once(false);
  if (stop_.load()) return kExitFailed;  // it came while that ended
  if (loaded_.set == nullptr) return kExitUsage;
  if (loaded_.set->size() == 0) return Usage("none of the indicators can be used; see the reasons above");
  if (!options_.quiet) {
    for (const std::string& guess : loaded_.guesses) Say("indicators  {}\n", ForTerminal(guess));
  }
  return std::nullopt;
}

ReplayRun::Ended ReplayRun::OpenPolicy() {
  if (!OpenGeo(options_.geo, options_.no_geo, geo_)) return kExitUsage;
  SensorIdentity identity;
  identity.name = config_.sensor_name;
  identity.version = VEDETTE_VERSION;
  identity.replay = true;
  identity.resolvers = config_.resolvers;
  for (const PartnerConfig& partner : config_.feed.partners) partners_.Add(partner);
  for (const std::string& warning : partners_.constituencies().Warnings()) Warn(warning);
  const AlertPolicy::Parts parts = {
      .sensor = identity,
      .file_name = [this](uint32_t file) { return std::string_view(files_->file(file).name); },
      .geo = &geo_,
      .partners = &partners_};
  policy_ = std::make_unique<AlertPolicy>(CatalogueOf(loaded_.set), parts);
  tally_ = std::make_unique<MatchTally>(CatalogueOf(loaded_.set));
  sinks_.push_back(tally_.get());
  return std::nullopt;
}

// Of --resume: before anything is written.
ReplayRun::Ended ReplayRun::OpenState() {
  if (options_.resume.empty()) return std::nullopt;
  RunIdentity run = IdentityOf(options_, *loaded_.set, geo_);
  if (!IdentifyCaptures(*files_, run, error_) || !resume_.Load(run, error_)) return Usage(error_);
  if (resume_.complete() && !options_.summary.empty()) {
    return Usage(options_.resume +
                 ": the run is complete, and its figures were not kept; for a --summary, omit --resume or remove the "
                 "state, and run again");
  }
  // The state first: an output of no certain bytes belongs to it from now on.
  if (!resume_.complete() && !resume_.Save(resume_.mark(), error_)) return Usage(error_);
  return std::nullopt;
}

ReplayRun::Ended ReplayRun::OpenOutput() {
  if (!options_.carve.Open(*files_, error_)) return Usage(error_);
  const std::optional<OutputFormat> format = OutputFormatOf(options_.format);
  file_ = options_.resume.empty() ? FileSink::Open(options_.output, *format, *policy_, error_)
                                  : FileSink::Continue(options_.output, *format, *policy_, resume_.mark(), error_);
  if (file_ == nullptr) return Usage(error_);
  if (resume_.complete()) {
    Say("{}: the run is complete, and {} holds its {} bytes; remove the state to run again\n",
        ForTerminal(options_.resume), ForTerminal(options_.output), Thousands(resume_.mark().bytes));
    return options_.fail_on_match && resume_.matched() ? kExitMatched : resume_.exit_status();
  }
  if (resume_.mark().bytes != 0)
    Say("{}: continuing after {} bytes of {}\n", ForTerminal(options_.resume), Thousands(resume_.mark().bytes),
        ForTerminal(options_.output));
  options_.carve.NameIn(*policy_);
  if (options_.carve.sink() != nullptr) sinks_.push_back(options_.carve.sink());
  file_->MayEndEarly(stop_);
  if (options_.capture.follow || pace_ != nullptr) file_->ShowEachAtOnce();
  sinks_.push_back(file_.get());
  if (!options_.resume.empty()) {
    checkpoints_ = std::make_unique<CheckpointSink>(
        *file_, resume_, std::chrono::milliseconds(std::llround(options_.resume_every * 1000)), stop_);
    sinks_.push_back(checkpoints_.get());
  }
  return std::nullopt;
}

ReplayRun::Ended ReplayRun::OpenFeed() {
  if (options_.publish.empty()) return std::nullopt;
  config_.feed.lossless_wait = kPartnerStandstill;
  config_.feed.stop = &stop_;
  if (!feed_.Open(config_, partners_, *policy_, error_)) return Usage(error_);
  feed_.WaitForPartners(std::chrono::seconds(options_.partner_wait), stop_);
  sinks_.push_back(feed_.sink());
  return std::nullopt;
}

ReplayRun::Ended ReplayRun::MakeLanes() {
  const MatchingOptions matching = {.wait_when_full = true,
                                    .keep_flows = options_.carve.keep_flows(),
                                    .tell_ends = AnyTakes(sinks_, EventKind::kClosed)};
  if (options_.each) {
    EachFile::Options each;
    each.captures = files_;
    each.set = loaded_.set;
    each.filter = options_.capture.filter;
    each.worker.since_ns = options_.capture.since_ns;
    each.worker.until_ns = options_.capture.until_ns;
    each.worker.inspector.payload_depth = options_.payload_depth;
    each.matching = matching;
    each.threads = options_.capture.workers;
    each_ = std::make_unique<EachFile>(std::move(each), doorbell_);
    if (feed_.sink() != nullptr) feed_.TellLosses([this] { return each_->Snapshot(); });
    return std::nullopt;
  }
  for (LaneSetup& setup : setups_) {
    consumers_.push_back(MakeMatching(setup, loaded_.set, doorbell_, matching));
    if (consumers_.back() == nullptr) return Usage("no memory for the matcher; use fewer workers");
    setup.options.inspector.payload_depth = options_.payload_depth;
  }
  pipeline_ = std::make_unique<Pipeline>(std::move(setups_), Sharing::kSameCapture);
  if (feed_.sink() != nullptr) feed_.TellLosses(*pipeline_);
  return std::nullopt;
}

void ReplayRun::RunLanes() {
  ExportLoop loop(doorbell_, each_ != nullptr ? each_->alert_queues() : pipeline_->alert_queues(), *policy_, sinks_,
                  true, stop_);
  std::thread exporter([&] { exported_ = loop.Run(); });
  ProgressBar progress;
  const auto show = [&](const ProgressReport& report) {
    progress.Show(report, pace_ != nullptr ? PaceText(*pace_) : std::string());
  };
  totals_ = each_ != nullptr ? each_->Run(stop_, show) : pipeline_->Run(stop_, show);
  exporter.join();
  progress.Clear();
  if (options_.capture.follow) totals_.interrupted = false;  // there is no other end
}

bool ReplayRun::Carve() {
  std::vector<std::span<const EndedFlow>> matched_flows;
  for (const MatchConsumer* consumer : consumers_) matched_flows.emplace_back(consumer->matched_flows());
  return options_.carve.Run(matched_flows, options_.capture, files_, totals_, stop_);
}

void ReplayRun::Report() {
  if (!options_.quiet) {
    Say("{}{}{}{}", SummaryOfCapture(totals_), SummaryOfAlerts(loaded_, *tally_, totals_), options_.carve.Summary(),
        feed_.Summary());
  }
  ReportFragments(totals_);
  ReportDamage(totals_);
  for (const std::string& problem : exported_.errors) Complain(problem);
  if (totals_.interrupted && exported_.errors.empty()) ReportInterrupted(totals_);
}

ReplayRun::Ended ReplayRun::WriteSummary(int status) {
  if (options_.summary.empty()) return std::nullopt;
  const SummaryInput summary{.options = options_.capture,
                             .payload_depth_bytes = options_.payload_depth,
                             .captures = *files_,
                             .loaded = loaded_,
                             .tally = *tally_,
                             .totals = totals_,
                             .carve = options_.carve,
                             .started_ns = started_ns_,
                             .exit_status = status};
  if (WriteWholeFile(options_.summary, SummaryJson(summary), error_)) return std::nullopt;
  Complain("--summary " + error_);
  return kExitFailed;
}

// Of --resume: what the state says from now on.
int ReplayRun::SaveState(int status) {
  if (totals_.interrupted) {
    Say("{}: interrupted; run the same command again to continue after {} bytes of {}\n", ForTerminal(options_.resume),
        Thousands(resume_.mark().bytes), ForTerminal(options_.output));
    return status;
  }
  // Without --fail-on-match: whoever asks again may ask otherwise.
  if (resume_.SaveComplete(file_->mark(), tally_->alerts() != 0, ExitStatus(false, false, totals_), error_))
    return status;
  Complain(error_);
  return kExitFailed;
}

int ReplayRun::Run() {
  using Step = Ended (ReplayRun::*)();
  for (const Step step :
       {&ReplayRun::CheckOptions, &ReplayRun::FindCaptures, &ReplayRun::ReadIndicators, &ReplayRun::OpenPolicy,
        &ReplayRun::OpenState, &ReplayRun::OpenOutput, &ReplayRun::OpenFeed, &ReplayRun::MakeLanes}) {
    if (const Ended ended = (this->*step)()) return *ended;
  }
  RunLanes();
  const bool carved = Carve();
  Report();
  const bool failed = !exported_.errors.empty() || !carved || !loaded_.problems_written;
  const bool matched = options_.fail_on_match && tally_->alerts() != 0;
  const int status = ExitStatus(failed || totals_.interrupted, matched, totals_);
  if (const Ended ended = WriteSummary(status)) return *ended;
  return options_.resume.empty() || failed ? status : SaveState(status);
}

}  // namespace

int Replay(ReplayOptions& options) { return ReplayRun(options).Run(); }

}  // namespace vedette
