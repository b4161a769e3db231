// vedette canary: a known packet through a running sensor, to the feed's other end.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "sensor/commands/commands.h"
#include "sensor/commands/control_option.h"
#include "sensor/setup/complain.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr auto kAskAgain = std::chrono::milliseconds(50);
// One under way, and ours behind it; `canary: time_out` is five minutes at most, for the listener and for the alert.
constexpr auto kLimit = std::chrono::minutes(21);

int SendCanary(const ControlOption& control) {
  std::string error;
  Json response;
  const auto fail = [&](const std::string& what) {
    ComplainInLines(what);
    return kExitFailed;
  };
  if (!control.Ask({{"command", "canary"}}, response, error)) return fail(error);
  const auto number = response.value("number", uint64_t{0});
  const auto end = std::chrono::steady_clock::now() + kLimit;
  do {
    if (std::chrono::steady_clock::now() > end) return fail("canary: the sensor does not say how it ended");
    std::this_thread::sleep_for(kAskAgain);
    if (!control.Ask({{"command", "canary-outcome"}}, response, error)) return fail(error);
  } while (response.value("number", uint64_t{0}) < number || response.value("running", true));
  if (!response.value("arrived", false)) return fail("canary missed: " + response.value("missing", std::string()));
  fmt::print("canary {}: arrived at the feed's other end after {:.1f} ms, {:.1f} ms of them up to the exporter\n",
             response.value("name", ""), response.value("seconds", 0.0) * 1000,
             response.value("exporter_seconds", 0.0) * 1000);
  return kExitDone;
}

}  // namespace

Command AddCanary(CLI::App& app) {
  const std::shared_ptr<ControlOption> control = ControlOption::AddTo(app);
  return [control] { return SendCanary(*control); };
}

}  // namespace vedette
