#include "sensor/capture/live/interface_problem.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace vedette {
namespace {

// Enough to see a typing error; a host of containers has hundreds.
constexpr size_t kMaxListedInterfaces = 32;

std::string ListInterfaces() {
  char reason[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* all = nullptr;
  if (pcap_findalldevs(&all, reason) != 0) return fmt::format("(they cannot be listed: {})", reason);
  std::vector<std::string> names;
  for (const pcap_if_t* entry = all; entry != nullptr; entry = entry->next) {
    // libpcap also lists sources of other kinds (nflog, usbmon, bluetooth).
    const std::string_view name = entry->name;
    if (if_nametoindex(entry->name) == 0 && name != "any") continue;
    names.push_back(fmt::format("{}{}", name, (entry->flags & PCAP_IF_UP) != 0 ? "" : " (down)"));
  }
  pcap_freealldevs(all);
  std::sort(names.begin(), names.end());
  const bool too_many = names.size() > kMaxListedInterfaces;
  if (too_many) names.resize(kMaxListedInterfaces);
  return names.empty() ? "none" : fmt::format("{}{}", fmt::join(names, ", "), too_many ? ", …" : "");
}

}  // namespace

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
