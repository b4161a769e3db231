#include <fmt/format.h>
#include <net/if.h>
#include <pwd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "sensor/capture/packet_filter.h"
#include "sensor/check/parts.h"
#include "sensor/live/canary_frame.h"

namespace vedette {
namespace {

constexpr uint16_t kEthernet = 1;  // LINKTYPE_ETHERNET

bool IsUp(const std::string& interface) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, interface.data(), interface.size());
  const bool up = ioctl(descriptor, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
  close(descriptor);
  return up;
}

void CheckInterface(const std::string& interface, CheckReport& report) {
  if (interface.empty())
    return report.Error("capture", "`capture` needs an `interface`; `ip link` lists those there are");
  if (interface == "any") return report.Ok("capture", "all interfaces");
  if (interface.size() >= IFNAMSIZ || if_nametoindex(interface.c_str()) == 0)
    return report.Error("capture", interface + ": there is no such interface; `ip link` lists those there are");
  if (!IsUp(interface))
    return report.Error("capture", fmt::format("{0}: is down; bring it up: ip link set {0} up", interface));
  report.Ok("capture", interface + " is there and up");
}

void CheckFilter(const Config& config, CheckReport& report) {
  if (config.capture.filter.empty()) return;
  std::string error;
  const std::unique_ptr<PacketFilter> filter = PacketFilter::Compile(config.capture.filter, error);
  if (filter == nullptr) return report.Error("capture", error);
  report.Ok("capture", "the filter compiles");
  if (config.canary.inject != CanaryConfig::Inject::kWire) return;
  const std::vector<uint8_t> bytes = FrameOf(NewCanary());
  Frame frame;
  frame.data = bytes.data();
  frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
  frame.link_type = kEthernet;
  if (!filter->Matches(frame)) {
    report.Warn("canary",
                "the filter keeps the canary's packet out (UDP port 53 from 192.0.2.1 to 192.0.2.53), so that each one "
                "will be missed; let it pass, or inject at the source");
  }
}

}  // namespace

void CheckCapture(const Config& config, CheckReport& report) {
  CheckInterface(config.capture.interface, report);
  CheckFilter(config, report);
  const std::string& user = config.capture.user;
  if (geteuid() != 0) {
    report.Warn(
        "capture",
        "checked without root's rights: what the sensor's user may do is not known, nor whether it may capture");
  } else if (!user.empty() && user.find_first_not_of("0123456789") != std::string::npos &&
             getpwnam(user.c_str()) == nullptr) {
    report.Error("capture", fmt::format("there is no user `{}`; make one, or name another with `user`", user));
  } else if (!user.empty()) {
    report.Ok("capture", fmt::format("the sensor will run as user {}", user));
  }
}

}  // namespace vedette
