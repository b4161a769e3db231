// Which process holds something that a sensor needs, by /proc, which shows other users' processes only to root.
#pragma once

#include <optional>
#include <string>

namespace vedette {

struct Config;

struct Holder {
  int pid = 0;
  std::string program;  // "vedette run --config /etc/vedette/sensor.yaml", cut to a line's length
};

// Whether some process listens on a TCP port of this network namespace, at any address.
bool SomebodyListens(const std::string& port);

// The process that listens on a TCP port. Empty: none, or it cannot be seen.
std::optional<Holder> HolderOfPort(const std::string& port);

// The process that listens on a Unix socket. Empty: none, or access is denied.
std::optional<Holder> HolderOfSocket(const std::string& path);

// Whether a process has locked (flock) the file, as a sensor does with its `output`; `holder` if it can be seen.
bool IsLocked(const std::string& path, std::optional<Holder>& holder);

// Whether a sensor of this name answers at the configuration's control socket.
bool OurSensorRuns(const Config& config);

// Whether it is a `vedette run` with this configuration.
bool RunsWith(const Holder& holder, const std::string& config_path);

// " (by nginx -g daemon off;, process 812)"; empty if it is not known.
std::string TextOf(const std::optional<Holder>& holder);

}  // namespace vedette
