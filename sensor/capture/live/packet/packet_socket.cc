#include "sensor/capture/live/packet/packet_socket.h"

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

// False where the name is too long to be one.
bool SetName(ifreq& request, const std::string& interface) {
  if (interface.empty() || interface.size() >= sizeof request.ifr_name) return false;
  std::copy(interface.begin(), interface.end(), request.ifr_name);
  return true;
}

}  // namespace

FileDescriptor OpenPacketSocket(const std::string& interface, OpenFailure& failure) {
  FileDescriptor opened(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (opened.is_open()) return opened;
  if (errno == EPERM || errno == EACCES) {
    failure = NoPermissionToCapture(interface);
  } else {
    failure = {InterfaceProblem::kOther, fmt::format("{}: no packet socket: {}", interface, ErrnoText())};
  }
  return opened;
}

bool AskInterface(int socket, const std::string& interface, InterfaceFacts& facts, OpenFailure& failure) {
  ifreq request{};
  if (!SetName(request, interface) || ioctl(socket, SIOCGIFINDEX, &request) != 0) {
    failure = NoSuchInterface(interface);
    return false;
  }
  facts.index = request.ifr_ifindex;
  // Each answer takes the place of the one before, in a union behind the name.
  const bool known = ioctl(socket, SIOCGIFHWADDR, &request) == 0;
  facts.hardware = request.ifr_hwaddr.sa_family;
  const bool has_mtu = ioctl(socket, SIOCGIFMTU, &request) == 0;
  facts.mtu = static_cast<uint32_t>(std::max(request.ifr_mtu, 0));
  const bool has_flags = ioctl(socket, SIOCGIFFLAGS, &request) == 0;
  facts.up = (request.ifr_flags & IFF_UP) != 0;
  if (known && has_mtu && has_flags) return true;
  failure = NoSuchInterface(interface);  // it went away just now
  return false;
}

namespace {

// Such as upper_br0 and upper_eth1.100.
bool HasDeviceAbove(const std::string& interface) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/class/net/" + interface, ignored)) {
    if (entry.path().filename().string().starts_with("upper_")) return true;
  }
  return false;
}

bool HasAddress(const std::string& interface) {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return false;
  bool found = false;
  for (const ifaddrs* entry = all; entry != nullptr && !found; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || interface != entry->ifa_name) continue;
    found = entry->ifa_addr->sa_family == AF_INET;
    if (entry->ifa_addr->sa_family == AF_INET6) {
      const auto& address = reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
      found = !IN6_IS_ADDR_LINKLOCAL(&address);
    }
  }
  freeifaddrs(all);
  return found;
}

}  // namespace

bool IsInUse(const std::string& interface) { return HasAddress(interface) || HasDeviceAbove(interface); }

}  // namespace vedette
