#include "sensor/live/confine.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <vector>

#include "exporter/metrics/families.h"
#include "sensor/setup/inputs.h"

namespace vedette {
namespace {

bool IsFolder(const std::filesystem::path& path) {
  std::error_code status;
  return std::filesystem::is_directory(path.empty() ? std::filesystem::path(".") : path, status);
}

}  // namespace

ConfinementPolicy PolicyOf(const Config& config) {
  ConfinementPolicy policy;
  policy.landlock = config.hardening.landlock;
  policy.seccomp = config.hardening.seccomp;
  policy.required = config.hardening.required;
  policy.Read(config.path);
  // Of a real card it is a link out of /sys/class/net; libpcap reads there what the card itself dropped.
  for (const std::string& interface : config.capture.AllInterfaces()) policy.Read("/sys/class/net/" + interface);
  for (const std::vector<std::string>& paths : {config.indicators, config.geo, config.public_key_files}) {
    for (const std::string& path : paths) policy.Read(path);
  }
  if (config.geo.empty()) {
    for (const std::filesystem::path& folder : DefaultGeoFolders()) {
      if (IsFolder(folder)) policy.Read(folder.string());
    }
  }
  if (config.state_given || IsFolder(config.state)) policy.write_folders.push_back(config.state);
  // One that is not there cannot be made in the confinement; loading the indicators says so.
  if (const std::string cache = CacheFolderOf(config); !cache.empty() && IsFolder(cache))
    policy.write_folders.push_back(cache);
  if (config.control_given || IsFolder(std::filesystem::path(config.control).parent_path()))
    policy.WriteBeside(config.control);
  policy.WriteBeside(config.output);
  if (!config.capture.keep.folder.empty()) policy.write_folders.push_back(config.capture.keep.folder);
  constexpr std::string_view kIpc = "ipc://";
  if (config.has_feed && policy.Listen(config.feed.endpoint)) {
    // The canary is received as a partner would. Where the kernel picks the port (`*` or 0), Landlock cannot be told it
    // beforehand, and a rule for port 0 would let nothing through: then any port may be connected to.
    const uint16_t port = policy.listen_ports.back();
    if (port == 0) policy.connect_anywhere = true;
    policy.connect_ports.push_back(port);
  } else if (config.has_feed && config.feed.endpoint.starts_with(kIpc)) {
    policy.WriteBeside(config.feed.endpoint.substr(kIpc.size()));
  }
  if (!config.metrics.listen.empty()) policy.Listen(config.metrics.listen);
  return policy;
}

bool ConfinementFigures::Confine(const Config& config, Log& log, std::string& error) {
  if (!vedette::Confine(PolicyOf(config), confinement_, error)) return false;
  for (const std::string& gap : confinement_.gaps) log.Warn("hardening: " + gap, gap);
  log.Info(fmt::format("hardening: Landlock {}, seccomp {}",
                       confinement_.landlock ? fmt::format("on (ABI {})", confinement_.landlock_abi) : "off",
                       confinement_.seccomp ? "on" : "off"));
  return true;
}

void ConfinementFigures::AppendFigures(Figures& out) const {
  out.Add(families::kConfined, "landlock", confinement_.landlock ? 1 : 0);
  out.Add(families::kConfined, "seccomp", confinement_.seccomp ? 1 : 0);
}

}  // namespace vedette
