// vedette reload: new indicators for a running sensor, and a new file for its alerts.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "sensor/commands/commands.h"
#include "sensor/commands/control_option.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr auto kAskAgain = std::chrono::milliseconds(100);
constexpr auto kLimit =
    std::chrono::minutes(30);  // ten million indicators with ten thousand new expressions take three

int Reload(const ControlOption& control, bool only_output) {
  std::string error;
  Json response;
  const auto fail = [&](const std::string& what) {
    Complain(what);
    return kExitFailed;
  };
  std::string output_problem;
  if (!control.Ask({{"command", "reopen"}}, response, output_problem) && only_output) return fail(output_problem);
  if (only_output) return kExitDone;
  if (!control.Ask({{"command", "reload"}}, response, error)) return fail(error);
  const auto number = response.value("number", uint64_t{0});
  const auto end = std::chrono::steady_clock::now() + kLimit;
  for (;;) {
    if (!control.Ask({{"command", "reload-outcome"}}, response, error)) return fail(error);
    if (response.value("number", uint64_t{0}) >= number && !response.value("running", true)) break;
    if (std::chrono::steady_clock::now() > end)
      return fail("the reload is still running; `vedette status` will show its result");
    std::this_thread::sleep_for(kAskAgain);
  }
  const auto texts = [&response](const char* member) { return response.value(member, std::vector<std::string>()); };
  if (!output_problem.empty()) Warn(output_problem);
  for (const std::string& note : texts("notes")) Say("{}\n", ForTerminal(note));
  for (const std::string& warning : texts("warnings")) Warn(warning);
  if (!response.value("succeeded", false)) return fail("reload: " + response.value("error", std::string()));
  fmt::print("generation {} in use after {}: {} indicators, {} rows unusable\n",
             response.value("generation", uint64_t{0}), Span(response.value("seconds", 0.0)),
             Thousands(response.value("indicators", uint64_t{0})), Thousands(response.value("unusable", uint64_t{0})));
  return texts("warnings").empty() && output_problem.empty() ? kExitDone : kExitDamagedInput;
}

}  // namespace

Command AddReload(CLI::App& app) {
  const std::shared_ptr<ControlOption> control = ControlOption::AddTo(app);
  auto only_output = std::make_shared<bool>(false);
  app.add_flag("--output", *only_output,
               "only open a new file of alerts where the old one was renamed or removed, and return once it is open");
  return [control, only_output] { return Reload(*control, *only_output); };
}

}  // namespace vedette
