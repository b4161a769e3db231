// vedette run: the live sensor.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <thread>

#include "exporter/export_loop.h"
#include "exporter/feed/keys.h"
#include "exporter/file_sink.h"
#include "sensor/capture/live_interface.h"
#include "sensor/capture/privileges.h"
#include "sensor/commands/commands.h"
#include "sensor/commands/feed_setup.h"
#include "sensor/commands/inputs.h"
#include "sensor/commands/signals.h"
#include "sensor/commands/summary.h"
#include "sensor/config/config.h"

namespace vedette {
namespace {

// Opens what needs rights, then gives them up; `user` is who the process is then. nullptr with an error.
std::unique_ptr<LiveInterface> OpenInterface(Config& config, std::string& user, std::string& error) {
  if (config.has_feed && !ReadSecretKey(config.feed.secret_key_file, config.feed.keys, error)) return nullptr;
  LiveInterface::Options options;
  options.interface = config.capture.interface;
  options.filter = config.capture.filter;
  options.promiscuous = config.capture.promiscuous;
  options.snap_length = config.capture.snap_bytes;
  options.buffer_bytes = config.capture.buffer_mebibytes << 20;
  std::unique_ptr<LiveInterface> interface = LiveInterface::Open(options, error);
  if (interface == nullptr) return nullptr;
  DroppedPrivileges dropped;
  if (!DropPrivileges(config.capture.user, dropped, error)) return nullptr;
  if (!interface->warning().empty()) fmt::print(stderr, "warning: {}\n", interface->warning());
  fmt::print(stderr, "capture     {}, as user {}\n", options.interface, dropped.user);
  user = dropped.user;
  return interface;
}

int Run(const std::string& path) {
  std::string error, user;
  Config config;
  const auto fail = [&](int code, const std::string& what) {
    fmt::print(stderr, "vedette: {}\n", what);
    return code;
  };
  if (!LoadConfig(path, config, error)) return fail(kExitUsage, error);
  if (config.capture.interface.empty())
    return fail(kExitUsage, path + ": `capture` needs an `interface`; `ip link` lists those there are");
  if (config.indicators.empty())
    return fail(kExitUsage, path + ": `indicators` names no files; there is nothing to look for");
  if (!config.has_feed && config.output.empty())
    return fail(kExitUsage, path + ": neither `feed` nor `output` is set; alerts would go nowhere");
  std::unique_ptr<LiveInterface> interface = OpenInterface(config, user, error);
  if (interface == nullptr) return fail(kExitFailed, error);

  std::atomic<bool> stop{false};
  const SignalWatch signals(stop);
  const LoadedIndicators loaded = LoadIndicators(config.indicators, {}, "");
  if (loaded.set == nullptr) return kExitUsage;
  GeoLookup geo;
  if (!OpenGeo(config.geo, false, geo)) return kExitUsage;
  SensorIdentity identity;
  identity.name = config.sensor_name;
  identity.version = VEDETTE_VERSION;
  identity.replay = false;
  identity.resolvers = config.resolvers;
  AlertRenderer renderer(loaded.set, &geo, identity,
                         [&](uint32_t) { return std::string_view(config.capture.interface); });

  MatchTally tally(CatalogueOf(loaded.set));
  std::vector<AlertSink*> sinks = {&tally};
  std::unique_ptr<FileSink> file;
  if (!config.output.empty()) {
    file = FileSink::Open(config.output, OutputFormat::kJsonl, renderer, error);
    if (file == nullptr) {
      // Rights are gone by now: root's permissions do not help.
      return fail(kExitFailed, fmt::format("{} (`output` is written as `capture: user`, here {})", error, user));
    }
    sinks.push_back(file.get());
  }
  FeedSetup feed;
  if (config.has_feed) {
    if (!feed.Open(config, renderer, error)) return fail(kExitFailed, error);
    sinks.push_back(feed.sink());
  }

  Doorbell doorbell;
  AlertQueue queue(doorbell);
  MatchConsumer consumer(queue, false);
  // One worker: libpcap gives one queue.
  std::vector<WorkerSetup> setups(1);
  setups[0].source = std::move(interface);
  setups[0].consumer = &consumer;
  setups[0].kit = MatchKit::Make(loaded.set, 0, WantedFor(*loaded.set));
  if (setups[0].kit == nullptr) return fail(kExitFailed, "no memory for the matcher");
  setups[0].on_end = [&queue] { queue.Close(); };
  WorkerOptions& worker = setups[0].options;
  worker.max_flows = config.limits.flows;
  worker.hash_seed = FlowHashSeed::Random();
  worker.decoder.fragment_bytes = size_t{config.limits.fragment_mebibytes} << 20;
  worker.inspector.payload_depth = config.limits.payload_depth;
  worker.inspector.parser_bytes = size_t{config.limits.parser_mebibytes} << 20;
  worker.inspector.tcp.total_bytes = size_t{config.limits.reassembly_mebibytes} << 20;

  ExportSummary exported;
  ExportLoop loop(doorbell, {&queue}, sinks, false, stop,
                  [](std::string_view problem) { fmt::print(stderr, "error: {}\n", problem); });
  std::thread exporter([&] { exported = loop.Run(); });
  fmt::print(stderr, "running; Ctrl-C ends it with a summary\n");
  Pipeline pipeline(std::move(setups), Sharing::kOwnPackets);
  const Totals totals = pipeline.Run(stop, {});
  exporter.join();

  Totals shown = totals;
  shown.interrupted = false;  // the usual end of a live sensor
  fmt::print(stderr, "{}{}{}", SummaryOfCapture(shown), SummaryOfAlerts(loaded, tally, totals), feed.Summary());
  for (const std::string& problem : exported.errors) fmt::print(stderr, "vedette: {}\n", problem);
  if (!totals.damage.empty()) return fail(kExitFailed, totals.damage[0].file + ": " + totals.damage[0].reason);
  return exported.errors.empty() ? kExitDone : kExitFailed;
}

}  // namespace

Command AddRun(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  app.add_option("--config", *path, "the sensor's configuration (deploy/vedette.example.yaml shows one)")
      ->required()
      ->type_name("FILE");
  return [path] { return Run(*path); };
}

}  // namespace vedette
