// The running sensor that a command talks to.
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
  // Of a configuration with mistakes `control` is used if it can be read, with a warning on standard error.
  // `silent`, if given: a process listens on the socket but did not answer in time.
  bool Ask(const nlohmann::json& request, nlohmann::json& response, std::string& error, bool* silent = nullptr) const;

 private:
  bool FindPath(std::string& error) const;
  mutable std::string path_;  // once it is known
};

// The user who runs this command, for the log.
std::string Asker();

}  // namespace vedette
