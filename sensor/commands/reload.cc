// vedette reload: new indicators for a running sensor.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "sensor/commands/commands.h"
#include "sensor/commands/complain.h"
#include "sensor/commands/control_option.h"
#include "sensor/commands/progress.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr auto kAskAgain = std::chrono::milliseconds(100);
constexpr auto kLimit =
    std::chrono::minutes(30);  // ten million indicators with ten thousand new expressions take three

int Reload(const ControlOption& control) {
  std::string error;
  Json response;
  const auto fail = [&](const std::string& what) {
    Say("vedette: {}\n", what);
    return kExitFailed;
  };
  if (!control.Ask({{"command", "reload"}}, response, error)) return fail(error);
  const auto number = response.value("number", uint64_t{0});
  const auto end = std::chrono::steady_clock::now() + kLimit;
  for (;;) {
    if (!control.Ask({{"command", "reload-outcome"}}, response, error)) return fail(error);
    if (response.value("number", uint64_t{0}) >= number && !response.value("running", true)) break;
    if (std::chrono::steady_clock::now() > end)
      return fail("the reload is still under way; `vedette status` tells how it ends");
    std::this_thread::sleep_for(kAskAgain);
  }
  if (!response.value("succeeded", false)) return fail("reload: " + response.value("error", std::string()));
  fmt::print("generation {} in use after {}: {} indicators, {} rows unusable\n",
             response.value("generation", uint64_t{0}), Span(response.value("seconds", 0.0)),
             Thousands(response.value("indicators", uint64_t{0})), Thousands(response.value("unusable", uint64_t{0})));
  return kExitDone;
}

}  // namespace

Command AddReload(CLI::App& app) {
  const std::shared_ptr<ControlOption> control = ControlOption::AddTo(app);
  return [control] { return Reload(*control); };
}

}  // namespace vedette
