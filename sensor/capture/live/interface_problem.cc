#include "sensor/capture/live/interface_problem.h"

#include <fmt/format.h>

#include "sensor/capture/live/link_watch.h"

namespace vedette {
OpenFailure NoSuchInterface(const std::string& interface) {
  return {InterfaceProblem::kAbsent,
          fmt::format("{}: there is no such interface; there are: {}", interface, ListInterfaces())};
}

OpenFailure InterfaceIsDown(const std::string& interface) {
  return {InterfaceProblem::kDown,
          fmt::format("{}: the interface is down; bring it up first: ip link set {} up", interface, interface)};
}

OpenFailure NoPermissionToCapture(const std::string& interface) {
  return {InterfaceProblem::kNoPermission,
          fmt::format("{}: no permission to capture (CAP_NET_RAW is missing); start as root (the rights are dropped "
                      "once the interface is open) or give the program the capability: setcap cap_net_raw+ep PROGRAM",
                      interface)};
}

}  // namespace vedette
