#include "sensor/live/live_sensor.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/keys.h"
#include "exporter/metrics/metrics_endpoint.h"
#include "exporter/output/file_sink.h"
#include "sensor/hardening/privileges.h"
#include "sensor/hardening/processes/command_runner.h"
#include "sensor/keep/packet_keep.h"
#include "sensor/live/confine.h"
#include "sensor/live/control.h"
#include "sensor/live/exporter_meter.h"
#include "sensor/live/housekeeping.h"
#include "sensor/live/interface_keeper.h"
#include "sensor/live/live_figures.h"
#include "sensor/live/live_indicators.h"
#include "sensor/live/live_lanes.h"
#include "sensor/live/output_control.h"
#include "sensor/live/reloader.h"
#include "sensor/live/self_watch.h"
#include "sensor/live/sensor_answers.h"
#include "sensor/live/service_report.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/exit_code.h"
#include "sensor/setup/feed_setup.h"
#include "sensor/setup/inputs.h"
#include "sensor/setup/progress.h"
#include "sensor/setup/signals.h"
#include "sensor/setup/summary.h"

namespace vedette {
namespace {

constexpr auto kGeoInterval = std::chrono::seconds(1);  // GeoLookup looks at the files more seldom by itself
constexpr auto kLogInterval = std::chrono::seconds(1);
constexpr auto kServiceInterval = std::chrono::milliseconds(200);
constexpr auto kReloadGrace = std::chrono::milliseconds(200);  // for a reload that ends by itself

}  // namespace

// In the order of their making; what uses others comes after them and goes first.
struct LiveSensor::Parts {
  Parts(Config given, Log& given_log, std::atomic<bool>& given_stop)
      : config(std::move(given)), as_started(config), log(given_log), stop(given_stop) {}

  Config config;
  Config as_started;  // as the file had it
  Log& log;
  std::atomic<bool>& stop;
  const ProcessFigures process;
  ServiceManager service;
  ConfinementFigures confinement;
  Doorbell doorbell;
  std::unique_ptr<LiveLanes> lanes;
  std::unique_ptr<InterfaceKeeper> keeper;
  std::unique_ptr<CommandRunner> command;
  KeyPair canary_keys;
  std::string user;
  std::atomic<bool> hangup{false};  // SIGHUP came, and no reload was asked for since
  std::unique_ptr<SignalWatch> signals;
  LoadedIndicators loaded;
  GeoLookup geo;
  Partners partners{&geo};
  CanaryWatch canaries;
  MuteFilter mutes;
  std::unique_ptr<AlertPolicy> policy;
  std::unique_ptr<MatchTally> tally;
  std::unique_ptr<FileSink> file;
  std::unique_ptr<PacketKeep> keep;
  FeedSetup feed;
  std::unique_ptr<ExporterMeter> meter;
  std::vector<AlertSink*> sinks;

  std::unique_ptr<PipelineFigures> traffic;
  std::unique_ptr<QueueFigures> queues;
  std::unique_ptr<ExportLoop> loop;
  std::unique_ptr<OutputControl> output;
  std::unique_ptr<SelfWatch> watch;

  FigureRegistry figures;
  std::unique_ptr<Reloader> reloader;
  std::unique_ptr<ServiceReport> service_report;
  std::unique_ptr<MetricsEndpoint> metrics;
  std::unique_ptr<SensorAnswers> answers;
  std::unique_ptr<ControlServer> control;
  Housekeeping housekeeping;

  bool OpenWithRights(std::string& error);
  bool OpenKeep(std::string& error);
  bool OpenSinks(std::string& error);
  bool SetUpPipeline(std::string& error);
  bool StartWatch(std::string& error);
  bool OpenFigures(std::string& error);
  void ServeControl();
  void SetUpHousekeeping();
  std::unique_ptr<Reloader> MakeReloader(const IndicatorLoad& first);
};

LiveSensor::LiveSensor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LiveSensor::~LiveSensor() = default;

std::unique_ptr<LiveSensor> LiveSensor::Open(Config config, Log& log, std::atomic<bool>& stop, std::string& error) {
  auto parts = std::make_unique<Parts>(std::move(config), log, stop);
  Parts& p = *parts;
  if (!p.OpenWithRights(error)) return nullptr;
  // From here on without rights. Threads start with the first of these.
  p.signals = std::make_unique<SignalWatch>(stop, [&p] { p.hangup.store(true); });
  // A large set takes minutes to compile, and whoever ends the sensor before it is up waits for none of them.
  p.signals->set_at_once(true);
  if (p.control != nullptr) p.control->StartEarly();
  p.loaded = LoadLiveIndicators(p.config);
  p.signals->set_at_once(false);
  const IndicatorLoad first = ReadyForUse(p.loaded, p.config.indicators);
  if (first.set == nullptr) {
    error = first.error;
    return nullptr;
  }
  if (!OpenGeo(p.config.geo, false, p.geo)) {
    error = "a geolocation database that `geo` names cannot be used";
    return nullptr;
  }
  p.geo.set_log([&log](std::string_view text, bool is_problem) {
    is_problem ? log.Warn(text, Log::WithoutNumbers(text)) : log.Info(text, Log::WithoutNumbers(text));
  });
  if (!p.OpenKeep(error) || !p.OpenSinks(error) || !p.SetUpPipeline(error) || !p.StartWatch(error)) return nullptr;
  p.loaded.set.reset();  // whoever uses it holds it; after a reload nobody does
  p.reloader = p.MakeReloader(first);
  if (!p.OpenFigures(error)) return nullptr;
  p.ServeControl();
  p.SetUpHousekeeping();
  return std::unique_ptr<LiveSensor>(new LiveSensor(std::move(parts)));
}

std::unique_ptr<Reloader> LiveSensor::Parts::MakeReloader(const IndicatorLoad& first) {
  Reloader::Parts parts;
  parts.load = [this] { return LoadAgain(as_started); };
  parts.exporter = loop.get();
  parts.workers = lanes->pipeline().exchanges();
  parts.add = [this](std::shared_ptr<const IndicatorSet> set, uint64_t generation) {
    policy->AddGeneration(CatalogueOf(set, generation));
    tally->AddGeneration(CatalogueOf(std::move(set), generation));
  };
  parts.forget = [this](uint64_t generation) {
    policy->ForgetBefore(generation);
    tally->ForgetBefore(generation);
  };
  parts.log = &log;
  return std::make_unique<Reloader>(std::move(parts), first);
}

bool LiveSensor::Parts::OpenWithRights(std::string& error) {
  // Root may start a sensor whose key belongs to the user that it becomes.
  if (config.has_feed && !ReadSecretKey(config.feed.secret_key_file, config.feed.keys, error, config.capture.user))
    return false;
  lanes = LiveLanes::Open(config.capture, config.canary.inject == CanaryConfig::Inject::kWire, error);
  if (lanes == nullptr || !OpenControlSocket(config, log, control, error)) return false;
  DroppedPrivileges dropped;
  if (!DropPrivileges(config.capture.user, dropped, error)) return false;
  if (!config.alarms.command.empty()) {
    CommandRunner::Options runner;
    runner.command = config.alarms.command;
    command = CommandRunner::Start(runner, error);
    if (command == nullptr) return false;
  }
  for (const std::string& warning : lanes->warnings()) log.Warn(warning);
  user = dropped.user;
  log.Info(fmt::format("capture: {}, as user {}", lanes->Description(), user));
  return confinement.Confine(config, log, error);
}

// First among the sinks: those after it name the file.
bool LiveSensor::Parts::OpenKeep(std::string& error) {
  const KeepConfig& given = config.capture.keep;
  if (given.folder.empty()) return true;
  KeptFiles::Options files;
  files.folder = given.folder;
  files.quota_bytes = given.quota_bytes;
  files.file_bytes = given.file_bytes;
  files.file_age = given.file_age;
  files.interfaces = config.capture.AllInterfaces();
  files.log = [this](std::string_view text, bool is_problem) {
    const std::string kind = Log::WithoutNumbers(text);
    is_problem ? log.Error(fmt::format("keep: {}", text), kind) : log.Info(fmt::format("keep: {}", text), kind);
  };
  const FlowKeeper::Options flows = {.ring_bytes = given.ring_bytes,
                                     .packet_bytes = given.packet_bytes,
                                     .flow_bytes = given.flow_bytes,
                                     .flow_packets = given.flow_packets};
  keep = PacketKeep::Open(std::move(files), flows, error);
  if (keep == nullptr) {
    error = "`capture: keep`: " + error;
    return false;
  }
  log.Info(
      fmt::format("keep: packets of flows with alerts go to {}, {} in all", given.folder, ByteSize(given.quota_bytes)));
  sinks.push_back(&keep->sink());
  return true;
}

bool LiveSensor::Parts::OpenSinks(std::string& error) {
  SensorIdentity identity;
  identity.name = config.sensor_name;
  identity.version = VEDETTE_VERSION;
  identity.replay = false;
  identity.resolvers = config.resolvers;
  if (config.has_feed) AddCanaryView(config, canary_keys);
  for (const PartnerConfig& partner : config.feed.partners) partners.Add(partner);
  for (const std::string& warning : partners.constituencies().Warnings()) log.Warn(warning, warning);
  policy = std::make_unique<AlertPolicy>(
      CatalogueOf(loaded.set, 1),
      AlertPolicy::Parts{.sensor = identity,
                         .file_name = [this](uint32_t interface) { return lanes->NameOf(interface); },
                         .geo = &geo,
                         .partners = &partners,
                         .canaries = &canaries,
                         .mutes = &mutes});
  if (keep != nullptr) policy->NameCaptures([this](uint64_t flow_id) { return keep->sink().FileOf(flow_id); });
  tally = std::make_unique<MatchTally>(CatalogueOf(loaded.set, 1));
  sinks.push_back(tally.get());
  if (!config.output.empty()) {
    uint64_t cut_bytes = 0;
    file = FileSink::Append(config.output, *policy, cut_bytes, error);
    if (file == nullptr) {
      // Rights are gone by now: root's permissions do not help.
      error += fmt::format(" (`output` is written as `capture: user`, here {})", user);
      return false;
    }
    if (cut_bytes != 0) {
      log.Warn(fmt::format("output: {}: its last line was incomplete, as after a kill; its {} bytes were cut off",
                           config.output, cut_bytes));
    }
    file->GoLive(config.output_file, [this](std::string_view text, bool is_problem) {
      const std::string kind = Log::WithoutNumbers(text);
      is_problem ? log.Error("output: " + std::string(text), kind) : log.Info("output: " + std::string(text), kind);
    });
    sinks.push_back(file.get());
  }
  if (config.has_feed) {
    // The feed limits its messages itself, by kind and partner.
    const auto say_at = [this](Log::Level level) {
      return [this, level](std::string_view text) { log.Write(level, "feed: " + std::string(text)); };
    };
    if (!feed.Open(config, partners, *policy, error, say_at(Log::Level::kInfo), say_at(Log::Level::kWarning)))
      return false;
    sinks.push_back(feed.sink());
  }
  meter = std::make_unique<ExporterMeter>(*tally, *policy, geo, file.get(), feed.publisher(), partners);
  sinks.push_back(meter.get());
  return true;
}

bool LiveSensor::Parts::SetUpPipeline(std::string& error) {
  // No lane ends before it is told to. If one did, its part of the traffic would pass unseen: that ends the sensor.
  const MatchingOptions matching = {.generation = 1, .tell_ends = AnyTakes(sinks, EventKind::kClosed)};
  if (!lanes->Make(
          config.limits, loaded.set, doorbell, matching, keep.get(), [this] { stop.store(true); }, error))
    return false;
  keeper = InterfaceKeeper::Start({.interfaces = lanes->interfaces(), .open = {}, .log = &log}, error);
  if (keeper == nullptr) return false;
  Pipeline& pipeline = lanes->pipeline();
  traffic = std::make_unique<PipelineFigures>(pipeline, config.capture.AllInterfaces());
  queues = std::make_unique<QueueFigures>(pipeline.alert_queues());
  if (config.has_feed) feed.TellLosses([&pipeline] { return pipeline.Snapshot(); }, keeper.get());
  loop = std::make_unique<ExportLoop>(doorbell, pipeline.alert_queues(), *policy, sinks, false, stop,
                                      [this](std::string_view problem) { log.Error(problem, problem); });
  OutputControl::Parts outputs{.exporter = loop.get(), .file = file.get(), .publisher = feed.publisher(), .log = &log};
  output = std::make_unique<OutputControl>(std::move(outputs));
  return true;
}

bool LiveSensor::Parts::StartWatch(std::string& error) {
  watch = SelfWatch::Start({.config = &config,
                            .canaries = &canaries,
                            .mutes = &mutes,
                            .policy = policy.get(),
                            .exporter = loop.get(),
                            .sources = lanes->injecting(),
                            .wires = lanes->wires(),
                            .command = command.get(),
                            .publisher = feed.publisher(),
                            .feed = feed.sink(),
                            .canary_keys = canary_keys,
                            .log = &log},
                           error);
  return watch != nullptr;
}

bool LiveSensor::Parts::OpenFigures(std::string& error) {
  for (const FigureSource* source :
       std::initializer_list<const FigureSource*>{traffic.get(), keeper.get(), reloader.get(), meter.get(),
                                                  queues.get(), &process, &confinement, watch.get()}) {
    figures.Add(*source);
  }
  if (keep != nullptr) figures.Add(*keep);
  const std::string& listen = config.metrics.listen;
  if (listen.empty()) return true;
  metrics = MetricsEndpoint::Open(listen, figures, error);
  if (metrics == nullptr) {
    if (config.metrics.listen_given) return false;
    log.Warn(error);
    error.clear();
    return true;
  }
  log.Info(fmt::format("metrics: http://{}:{}/metrics", listen.substr(0, listen.rfind(':')), metrics->port()));
  return true;
}

void LiveSensor::Parts::ServeControl() {
  if (control == nullptr) return;
  answers = std::make_unique<SensorAnswers>(SensorAnswers::Parts{.config = &config,
                                                                 .interfaces = lanes->Names(),
                                                                 .user = user,
                                                                 .keeper = keeper.get(),
                                                                 .process = &process,
                                                                 .figures = &figures,
                                                                 .output = output.get(),
                                                                 .reloader = reloader.get(),
                                                                 .watch = watch.get()});
  answers->AddTo(*control);
  output->AddTo(*control);
  watch->AddTo(*control);
  control->Ready();
}

void LiveSensor::Parts::SetUpHousekeeping() {
  service_report = std::make_unique<ServiceReport>(service, lanes->pipeline(), *loop, *reloader);
  housekeeping.Every(kServiceInterval, [this] { service_report->Tick(); });
  housekeeping.Every(kLogInterval, [this] { log.Tick(); });
  housekeeping.Every(kServiceInterval, [this] {
    if (!hangup.exchange(false)) return;
    log.Info("SIGHUP: reloading the indicators, and opening a new `output` where it was renamed");
    output->Reopen();
    reloader->Request();
  });
  watch->AddTo(housekeeping, [this] { return figures.Collect(); });
  housekeeping.Every(kGeoInterval, [this] { loop->Post([this] { geo.Refresh(std::chrono::system_clock::now()); }); });
  if (config.metrics.log_seconds != 0) {
    const std::chrono::seconds interval(config.metrics.log_seconds);
    housekeeping.Every(
        interval,
        [this, summary = std::make_shared<PeriodicSummary>()] {
          log.Write(Log::Level::kInfo, summary->Line(figures.Collect()));
        },
        Housekeeping::Clock::now() + interval);
  }
}

int LiveSensor::Run() {
  Parts& p = *parts_;
  ExportSummary exported;
  std::thread exporter([&] { exported = p.loop->Run(); });
  p.log.Info("running; Ctrl-C ends it with a summary");
  p.service.Ready(fmt::format("{} indicators, capturing from {}", p.loaded.report.loaded, p.lanes->Names()));
  const Totals totals = p.lanes->pipeline().Run(p.stop, [&](const ProgressReport&) { p.housekeeping.Tick(); });
  p.service.Stopping("");
  p.reloader->Stop(std::chrono::milliseconds(0));
  p.watch->StopCanaries();
  exporter.join();
  if (p.keep != nullptr) p.keep->Finish();
  p.control.reset();

  Totals shown = totals;
  shown.interrupted = false;  // the usual end of a live sensor
  Say("{}{}{}{}", SummaryOfCapture(shown), SummaryOfAlerts(p.loaded, *p.tally, totals),
      p.keep != nullptr ? p.keep->Summary() : std::string(), p.feed.Summary());
  for (const std::string& problem : exported.errors) p.log.Error(problem);
  if (!totals.damage.empty()) p.log.Error(totals.damage[0].file + ": " + totals.damage[0].reason);
  const int status = exported.errors.empty() && totals.damage.empty() ? kExitDone : kExitFailed;
  if (!p.reloader->Stop(kReloadGrace)) EndAroundReload(status);
  return status;
}

// A compile that runs cannot be broken off and may take minutes. All alerts are delivered and everything is said, so
// the process ends with it under way; nothing is destroyed before, for the reloader's thread still uses some of it.
void LiveSensor::EndAroundReload(int status) {
  Parts& p = *parts_;
  p.log.Info("the running reload is abandoned");
  p.metrics.reset();
  p.watch.reset();
  p.command.reset();
  std::fflush(nullptr);
  _exit(status);
}

}  // namespace vedette
