// vedette run: the live sensor.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "sensor/commands/commands.h"
#include "sensor/config/config.h"
#include "sensor/live/live_sensor.h"
#include "sensor/live/log.h"
#include "sensor/setup/complain.h"

namespace vedette {
namespace {

int Run(const std::string& path) {
  std::string error;
  Config config;
  const auto fail = [&](int code, const std::string& what) {
    ComplainInLines(what);
    return code;
  };
  if (!LoadConfig(path, config, error)) return fail(kExitUsage, error);
  if (config.capture.AllInterfaces().empty())
    return fail(kExitUsage, path + ": `capture` needs an `interface`; `ip link` lists them");
  if (config.indicators.empty())
    return fail(kExitUsage, path + ": `indicators` names no files; there is nothing to look for");
  if (!config.has_feed && config.output.empty())
    return fail(kExitUsage, path + ": neither `feed` nor `output` is set; alerts would go nowhere");
  Log log;
  std::atomic<bool> stop{false};
  // What else stands in the way may be gone at the next start: indicators that are being brought, a port that is taken.
  const std::unique_ptr<LiveSensor> sensor = LiveSensor::Open(std::move(config), log, stop, error);
  if (sensor == nullptr) return fail(kExitFailed, error);
  return sensor->Run();
}

}  // namespace

Command AddRun(CLI::App& app) {
  auto path = std::make_shared<std::string>(kDefaultConfig);
  app.add_option(
         "--config", *path,
         std::string("the sensor's configuration, which vedette.yaml(5) describes (default: ") + kDefaultConfig + ")")
      ->type_name("FILE");
  return [path] { return Run(*path); };
}

}  // namespace vedette
