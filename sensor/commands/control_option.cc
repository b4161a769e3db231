#include "sensor/commands/control_option.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "sensor/config/config.h"
#include "sensor/live/control.h"

namespace vedette {

std::shared_ptr<ControlOption> ControlOption::AddTo(CLI::App& app) {
  auto option = std::make_shared<ControlOption>();
  CLI::Option* const config =
      app.add_option("--config", option->config, "the running sensor's configuration, for its `control` socket");
  config->type_name("FILE");
  app.add_option("--control", option->socket, "the running sensor's control socket (default: " + Config().control + ")")
      ->type_name("SOCKET")
      ->excludes(config);
  return option;
}

bool ControlOption::Ask(const nlohmann::json& request, nlohmann::json& response, std::string& error) const {
  Config loaded;
  std::string path = socket.empty() ? loaded.control : socket;
  if (!config.empty()) {
    if (!LoadConfig(config, loaded, error)) return false;
    if (loaded.control.empty()) {
      error = config + ": `control` is off; the sensor cannot be reached";
      return false;
    }
    path = loaded.control;
  }
  if (!AskSensor(path, request, response, error)) return false;
  if (response.value("ok", false)) return true;
  error = response.value("error", "the sensor refused without a reason");
  return false;
}

}  // namespace vedette
