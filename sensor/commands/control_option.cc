#include "sensor/commands/control_option.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "sensor/config/config.h"
#include "sensor/live/control.h"
#include "sensor/setup/complain.h"

namespace vedette {

std::shared_ptr<ControlOption> ControlOption::AddTo(CLI::App& app) {
  auto option = std::make_shared<ControlOption>();
  CLI::Option* const config = app.add_option("--config", option->config,
                                             "the running sensor's configuration, which names its `control` socket");
  config->type_name("FILE");
  app.add_option("--control", option->socket, "the running sensor's control socket (default: " + Config().control + ")")
      ->type_name("SOCKET")
      ->excludes(config);
  return option;
}

bool ControlOption::FindPath(std::string& error) const {
  Config loaded;
  if (config.empty()) {
    path_ = socket.empty() ? loaded.control : socket;
    return true;
  }
  std::string mistakes;
  const bool whole = LoadConfig(config, loaded, mistakes);
  if (loaded.path.empty() || (!whole && loaded.control.empty())) {
    error = mistakes;
    return false;
  }
  if (loaded.control.empty()) {
    error = config + ": `control` is off; the sensor cannot be reached";
    return false;
  }
  if (!whole) {
    Say("warning: {}\nwarning: {}: asking the running sensor at {} all the same\n", mistakes, config, loaded.control);
  }
  path_ = loaded.control;
  return true;
}

bool ControlOption::Ask(const nlohmann::json& request, nlohmann::json& response, std::string& error,
                        bool* silent) const {
  if (silent != nullptr) *silent = false;
  if (path_.empty() && !FindPath(error)) return false;
  const AskOutcome outcome = AskSensor(path_, request, response, error);
  if (silent != nullptr) *silent = outcome == AskOutcome::kSilent;
  if (outcome != AskOutcome::kAnswered) return false;
  if (response.value("ok", false)) return true;
  error = response.value("error", "the sensor refused without a reason");
  return false;
}

std::string Asker() {
  const char* const by_sudo = std::getenv("SUDO_USER");
  if (by_sudo != nullptr && geteuid() == 0) return by_sudo;
  const passwd* const entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

}  // namespace vedette
