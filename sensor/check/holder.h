// Who holds what a sensor needs, as /proc shows it: another user's processes only to root.
#pragma once

#include <optional>
#include <string>

namespace vedette {

struct Config;

struct Holder {
  int pid = 0;
  std::string program;  // "vedette run --config /etc/vedette/sensor.yaml", cut to a line's length
};

// Whether somebody listens at a TCP port of this network namespace, at any address.
bool SomebodyListens(const std::string& port);

// Who listens at a TCP port. Empty: nobody, or it cannot be seen.
std::optional<Holder> HolderOfPort(const std::string& port);

// Who listens at a Unix socket. Empty: nobody, or it may not be asked.
std::optional<Holder> HolderOfSocket(const std::string& path);

// Whether somebody has locked (flock) the file, as a sensor does with its `output`; `holder` where it can be seen.
bool IsLocked(const std::string& path, std::optional<Holder>& holder);

// Whether a sensor of this name answers at the configuration's control socket.
bool OurSensorRuns(const Config& config);

// Whether it is a `vedette run` with this configuration.
bool RunsWith(const Holder& holder, const std::string& config_path);

// " (by nginx -g daemon off;, process 812)"; empty where it is not known.
std::string TextOf(const std::optional<Holder>& holder);

}  // namespace vedette
