#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "sensor/capture/frame_sender.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/check/parts.h"
#include "sensor/hardening/privileges.h"
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

void CheckCanary(const Config& config, CheckReport& report) {
  const std::string& interface = config.capture.interface;
  if (config.canary.inject != CanaryConfig::Inject::kWire || interface.empty()) return;
  if (interface == "any") {
    return report.Error(
        "canary", "a frame cannot be sent on all interfaces: name the one to capture from, or set `inject: source`");
  }
  // Opened as the sensor does; nothing is sent. Without root's rights it cannot be known.
  std::string error;
  if (geteuid() == 0 && if_nametoindex(interface.c_str()) != 0 && FrameSender::Open(interface, error) == nullptr)
    report.Error("canary", error);
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
  CheckCanary(config, report);
  CheckFilter(config, report);
  const std::string& user = config.capture.user;
  if (geteuid() != 0) {
    report.Warn(
        "capture",
        "checked without root's rights: what the sensor's user may do is not known, nor whether it may capture");
    return;
  }
  DroppedPrivileges left;
  std::string error;
  if (!WhoIsLeft(user, left, error)) return report.Error("capture", "`user`: " + error);
  report.Ok("capture", fmt::format("the sensor will run as user {}", left.user));
}

}  // namespace vedette
