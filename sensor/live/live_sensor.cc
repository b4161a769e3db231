#include "sensor/live/live_sensor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/keys.h"
#include "exporter/metrics/families.h"
#include "exporter/metrics/figures_json.h"
#include "exporter/metrics/metrics_endpoint.h"
#include "exporter/output/file_sink.h"
#include "sensor/capture/injecting_source.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/capture/live/live_interface.h"
#include "sensor/config/config_changes.h"
#include "sensor/hardening/command_runner.h"
#include "sensor/hardening/privileges.h"
#include "sensor/live/confine.h"
#include "sensor/live/control.h"
#include "sensor/live/exporter_meter.h"
#include "sensor/live/housekeeping.h"
#include "sensor/live/live_figures.h"
#include "sensor/live/newest_file.h"
#include "sensor/live/output_control.h"
#include "sensor/live/reloader.h"
#include "sensor/live/self_watch.h"
#include "sensor/live/service_report.h"
#include "sensor/pipeline/match_consumer.h"
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

using Json = nlohmann::json;

constexpr auto kGeoInterval = std::chrono::seconds(1);  // GeoLookup looks at the files more seldom by itself

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

WorkerOptions OptionsOf(const LimitsConfig& limits) {
  WorkerOptions options;
  options.max_flows = limits.flows;
  options.hash_seed = FlowHashSeed::Random();
  options.believe_stamps = true;
  options.decoder.fragment_bytes = size_t{limits.fragment_mebibytes} << 20;
  options.inspector.payload_depth = limits.payload_depth;
  options.inspector.parser_bytes = size_t{limits.parser_mebibytes} << 20;
  options.inspector.tcp.total_bytes = size_t{limits.reassembly_mebibytes} << 20;
  return options;
}

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
  std::unique_ptr<LiveInterface> interface;
  std::unique_ptr<FrameSender> wire;
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
  FeedSetup feed;
  std::unique_ptr<ExporterMeter> meter;
  std::vector<AlertSink*> sinks;

  Doorbell doorbell;
  AlertQueue queue{doorbell};
  QueueFigures queues{{&queue}};
  MatchConsumer consumer{queue, false};
  KitExchange exchange;
  InjectingSource* injecting = nullptr;  // the pipeline's
  std::unique_ptr<Pipeline> pipeline;
  std::unique_ptr<PipelineFigures> traffic;
  std::unique_ptr<ExportLoop> loop;
  std::unique_ptr<OutputControl> output;
  std::unique_ptr<SelfWatch> watch;

  FigureRegistry figures;
  std::unique_ptr<Reloader> reloader;
  std::unique_ptr<ServiceReport> service_report;
  std::unique_ptr<MetricsEndpoint> metrics;
  std::unique_ptr<ControlServer> control;
  Housekeeping housekeeping;

  bool OpenInterface(std::string& error);
  bool OpenSinks(std::string& error);
  bool SetUpPipeline(std::string& error);
  bool StartWatch(std::string& error);
  bool OpenFigures(std::string& error);
  bool OpenControl(std::string& error);
  void ServeControl();
  void SetUpHousekeeping();
  IndicatorLoad Reload() const;
  Json Status() const;
  Json ReloadOutcome() const;
};

LiveSensor::LiveSensor(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
LiveSensor::~LiveSensor() = default;

std::unique_ptr<LiveSensor> LiveSensor::Open(Config config, Log& log, std::atomic<bool>& stop, std::string& error) {
  auto parts = std::make_unique<Parts>(std::move(config), log, stop);
  Parts& p = *parts;
  if (!p.OpenInterface(error)) return nullptr;
  // From here on without rights. Threads start with the first of these.
  p.signals = std::make_unique<SignalWatch>(stop, [&p] { p.hangup.store(true); });
  // A large set takes minutes to compile, and whoever ends the sensor before it is up waits for none of them.
  p.signals->set_at_once(true);
  if (p.control != nullptr) p.control->StartEarly();
  p.loaded = LoadIndicators(p.config.indicators, {}, "", CacheFolderOf(p.config), {.canary = true});
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
  if (!p.OpenSinks(error) || !p.SetUpPipeline(error) || !p.StartWatch(error)) return nullptr;
  p.loaded.set.reset();  // whoever uses it holds it; after a reload nobody does
  p.reloader = std::make_unique<Reloader>(
      Reloader::Parts{.load = [&p] { return p.Reload(); },
                      .exporter = p.loop.get(),
                      .workers = {&p.exchange},
                      .add =
                          [&p](std::shared_ptr<const IndicatorSet> set, uint64_t generation) {
                            p.policy->AddGeneration(CatalogueOf(set, generation));
                            p.tally->AddGeneration(CatalogueOf(std::move(set), generation));
                          },
                      .forget =
                          [&p](uint64_t generation) {
                            p.policy->ForgetBefore(generation);
                            p.tally->ForgetBefore(generation);
                          },
                      .log = &log},
      first);
  if (!p.OpenFigures(error)) return nullptr;
  p.ServeControl();
  p.SetUpHousekeeping();
  return std::unique_ptr<LiveSensor>(new LiveSensor(std::move(parts)));
}

bool LiveSensor::Parts::OpenInterface(std::string& error) {
  // Root may start a sensor whose key belongs to the user that it becomes.
  if (config.has_feed && !ReadSecretKey(config.feed.secret_key_file, config.feed.keys, error, config.capture.user))
    return false;
  LiveInterface::Options options;
  options.interface = config.capture.interface;
  options.filter = config.capture.filter;
  options.promiscuous = config.capture.promiscuous;
  options.snap_length = config.capture.snap_bytes;
  options.buffer_bytes = config.capture.buffer_mebibytes << 20;
  interface = LiveInterface::Open(options, error);
  if (interface == nullptr) return false;
  if (config.canary.inject == CanaryConfig::Inject::kWire) {
    wire = FrameSender::Open(config.capture.interface, error);
    if (wire == nullptr) return false;
  }
  if (!OpenControl(error)) return false;
  DroppedPrivileges dropped;
  if (!DropPrivileges(config.capture.user, dropped, error)) return false;
  if (!config.alarms.command.empty()) {
    CommandRunner::Options runner;
    runner.command = config.alarms.command;
    command = CommandRunner::Start(runner, error);
    if (command == nullptr) return false;
  }
  if (!interface->warning().empty()) log.Warn(interface->warning());
  user = dropped.user;
  log.Info(fmt::format("capture: {}, as user {}", options.interface, user));
  return confinement.Confine(config, log, error);
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
                         .file_name = [this](uint32_t) { return std::string_view(config.capture.interface); },
                         .geo = &geo,
                         .partners = &partners,
                         .canaries = &canaries,
                         .mutes = &mutes});
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
      log.Warn(fmt::format("output: {}: its last line was not finished, as after a kill; its {} bytes are cut off",
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
  // One worker: libpcap gives one queue.
  std::vector<WorkerSetup> setups(1);
  WorkerSetup& setup = setups[0];
  auto source = std::make_unique<InjectingSource>(std::move(interface));
  injecting = source.get();
  setup.source = std::move(source);
  if (AnyTakes(sinks, EventKind::kClosed)) consumer.TellEnds();
  setup.consumer = &consumer;
  setup.exchange = &exchange;
  setup.kit = MatchKit::Make(loaded.set, 1, EmittedFor(loaded.set->wanted()));
  if (setup.kit == nullptr) {
    error = "no memory for the matcher";
    return false;
  }
  setup.on_end = [this] { queue.Close(); };
  setup.options = OptionsOf(config.limits);
  pipeline = std::make_unique<Pipeline>(std::move(setups), Sharing::kOwnPackets);
  traffic = std::make_unique<PipelineFigures>(*pipeline);
  if (config.has_feed) feed.TellLosses(*pipeline);
  loop = std::make_unique<ExportLoop>(doorbell, std::vector<AlertQueue*>{&queue}, *policy, sinks, false, stop,
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
                            .sources = {injecting},
                            .wire = wire.get(),
                            .command = command.get(),
                            .publisher = feed.publisher(),
                            .feed = feed.sink(),
                            .canary_keys = canary_keys,
                            .log = &log},
                           error);
  return watch != nullptr;
}

bool LiveSensor::Parts::OpenFigures(std::string& error) {
  for (const FigureSource* source : std::initializer_list<const FigureSource*>{
           traffic.get(), reloader.get(), meter.get(), &queues, &process, &confinement, watch.get()}) {
    figures.Add(*source);
  }
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

IndicatorLoad LiveSensor::Parts::Reload() const {
  // The configuration may name other indicators by now; what else changed in it waits for a restart.
  Config now;
  std::string error;
  if (!LoadConfig(config.path, now, error)) {
    IndicatorLoad failed;
    failed.error = error;
    return failed;
  }
  IndicatorLoad load =
      ReadyForUse(LoadIndicators(now.indicators, {}, "", CacheFolderOf(now), {.canary = true}), now.indicators);
  load.changed_settings = ChangedSettings(as_started, now);
  return load;
}

Json LiveSensor::Parts::ReloadOutcome() const {
  const Reloader::Outcome outcome = reloader->last();
  return {{"number", outcome.number},
          {"running", outcome.running},
          {"succeeded", outcome.succeeded},
          {"error", outcome.error},
          {"generation", outcome.generation},
          {"indicators", outcome.indicators},
          {"unusable", outcome.unusable},
          {"digest", outcome.digest},
          {"seconds", outcome.seconds},
          {"warnings", outcome.warnings},
          {"notes", outcome.notes}};
}

Json LiveSensor::Parts::Status() const {
  const Figures now = figures.Collect();
  Json out = {{"sensor", config.sensor_name},
              {"version", VEDETTE_VERSION},
              {"interface", config.capture.interface},
              {"user", user},
              {"state", "ok"},
              {"problems", Json::array()}};
  out["uptime_seconds"] = process.uptime_seconds();
  out["reload"] = ReloadOutcome();
  for (const Json& warning : out["reload"]["warnings"]) {
    out["state"] = "warning";
    out["problems"].push_back(
        {{"level", "warning"},
         {"what", (reloader->last().number == 0 ? "indicators: " : "reload: ") + warning.get<std::string>()}});
  }
  watch->AddTo(out);
  out["figures"] = Json::parse(JsonOf(now));
  return out;
}

// Made while there are rights to give it to a group; what is asked there is answered once the sensor is confined.
bool LiveSensor::Parts::OpenControl(std::string& error) {
  if (config.control.empty()) return true;
  DroppedPrivileges left;
  if (!WhoIsLeft(config.capture.user, left, error)) return false;
  ControlOwner owner{.uid = left.uid, .gid = left.gid, .made_by_root = left.changed_user, .group = {}};
  if (!config.control_group.empty()) {
    owner.group = GroupOf(config.control_group, error);
    if (!owner.group) return false;
  }
  control = ControlServer::Open(config.control, owner, error);
  if (control != nullptr) return true;
  if (config.control_given || owner.group) return false;
  log.Warn(error + "; without it `vedette status` and `vedette reload` cannot reach this sensor");
  error.clear();
  return true;
}

void LiveSensor::Parts::ServeControl() {
  if (control == nullptr) return;
  constexpr auto kGroup = ControlServer::For::kGroup;
  control->Handle(
      "status", [this](const Json&) { return Status(); }, kGroup);
  control->Handle("reload", [this](const Json&) -> Json {
    output->Reopen();
    return {{"number", reloader->Request()}};
  });
  control->Handle(
      "reload-outcome", [this](const Json&) { return ReloadOutcome(); }, kGroup);
  output->AddTo(*control);
  watch->AddTo(*control);
  control->Ready();
}

void LiveSensor::Parts::SetUpHousekeeping() {
  service_report = std::make_unique<ServiceReport>(service, *pipeline, *loop, *reloader);
  housekeeping.Every(kServiceInterval, [this] { service_report->Tick(); });
  housekeeping.Every(kLogInterval, [this] { log.Tick(); });
  housekeeping.Every(kServiceInterval, [this] {
    if (!hangup.exchange(false)) return;
    log.Info("SIGHUP: the indicators are read again, and `output` is opened anew where it was renamed");
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
  p.service.Ready(fmt::format("{} indicators, capturing from {}", p.loaded.report.loaded, p.config.capture.interface));
  const Totals totals = p.pipeline->Run(p.stop, [&](const ProgressReport&) { p.housekeeping.Tick(); });
  p.service.Stopping("");
  p.reloader->Stop(std::chrono::milliseconds(0));
  p.watch->StopCanaries();
  exporter.join();
  p.control.reset();

  Totals shown = totals;
  shown.interrupted = false;  // the usual end of a live sensor
  Say("{}{}{}", SummaryOfCapture(shown), SummaryOfAlerts(p.loaded, *p.tally, totals), p.feed.Summary());
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
  p.log.Info("the reload that was under way is given up");
  p.metrics.reset();
  p.watch.reset();
  p.command.reset();
  std::fflush(nullptr);
  _exit(status);
}

}  // namespace vedette
