// Which running sensor a command talks to.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace CLI {
class App;
}

namespace vedette {

// --config FILE (its `control`), or --control SOCKET; by default the socket of an installed sensor.
struct ControlOption {
  std::string config, socket;

  static std::shared_ptr<ControlOption> AddTo(CLI::App& app);
  // False with an error for the user: the configuration cannot be read, no sensor answers, or it answers with an error.
  bool Ask(const nlohmann::json& request, nlohmann::json& response, std::string& error) const;
};

}  // namespace vedette
