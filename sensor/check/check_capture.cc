#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "sensor/capture/link_type.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/check/offloads.h"
#include "sensor/check/parts.h"
#include "sensor/hardening/privileges.h"
#include "sensor/live/canary_frame.h"
#include "sensor/live/worker_cpus.h"

namespace vedette {
namespace {

unsigned FlagsOf(const std::string& interface) {
  const int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::memcpy(request.ifr_name, interface.data(), interface.size());
  const bool known = ioctl(descriptor, SIOCGIFFLAGS, &request) == 0;
  close(descriptor);
  return known ? static_cast<uint16_t>(request.ifr_flags) : 0;
}

// The loopback interface says that it merges packets, and has none to merge.
void CheckOffloads(const std::string& interface, unsigned flags, CheckReport& report) {
  if ((flags & IFF_LOOPBACK) != 0) return;
  std::string names, off;
  for (const std::string& name : MergingOffloads(interface)) {
    names += (names.empty() ? "" : ", ") + name;
    off += " " + name + " off";
  }
  if (names.empty()) return;
  report.Warn("capture", fmt::format("{0}: offloads merge packets before they are captured ({1}), so the captured "
                                     "packets are not those that passed; switch them off: ethtool -K {0}{2}",
                                     interface, names, off));
}

void CheckInterface(const std::string& interface, CheckReport& report) {
  if (interface == "any") {
    report.Ok("capture", "all interfaces");
    struct if_nameindex* const all = if_nameindex();
    for (const struct if_nameindex* one = all; one != nullptr && one->if_index != 0; ++one) {
      if (const unsigned flags = FlagsOf(one->if_name); (flags & IFF_UP) != 0)
        CheckOffloads(one->if_name, flags, report);
    }
    if (all != nullptr) if_freenameindex(all);
    return;
  }
  if (interface.size() >= IFNAMSIZ || if_nametoindex(interface.c_str()) == 0)
    return report.Error("capture", interface + ": there is no such interface; `ip link` lists the existing ones");
  const unsigned flags = FlagsOf(interface);
  if ((flags & IFF_UP) == 0) {
    report.Error("capture", fmt::format("{0}: is down; bring it up: ip link set {0} up", interface));
  } else {
    report.Ok("capture", interface + " is there and up");
  }
  CheckOffloads(interface, flags, report);
}

void CheckCanary(const Config& config, const std::string& interface, CheckReport& report) {
  if (config.canary.inject != CanaryConfig::Inject::kWire) return;
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
  frame.link_type = kLinkEthernet;
  if (!filter->Matches(frame)) {
    report.Warn("canary",
                "the filter excludes the canary's packet (UDP port 53 from 192.0.2.1 to 192.0.2.53), so every canary "
                "will be missed; let it pass, or set `inject: source`");
  }
}

// Whether the workers that are asked for can have their CPUs.
void CheckWorkers(const Config& config, CheckReport& report) {
  std::string error;
  if (ChooseCpus(config.capture, error).empty()) report.Error("capture", error);
}

}  // namespace

void CheckCapture(const Config& config, CheckReport& report) {
  const std::vector<std::string> interfaces = config.capture.AllInterfaces();
  if (interfaces.empty()) report.Error("capture", "`capture` needs an `interface`; `ip link` lists them");
  for (const std::string& interface : interfaces) CheckInterface(interface, report);
  for (const std::string& interface : interfaces) CheckCanary(config, interface, report);
  CheckFilter(config, report);
  CheckWorkers(config, report);
  const std::string& user = config.capture.user;
  if (geteuid() != 0) {
    report.Warn(
        "capture",
        "checked without root privileges: what the sensor's user may do is not known, nor whether it may capture");
    return;
  }
  DroppedPrivileges left;
  std::string error;
  if (!WhoIsLeft(user, left, error)) return report.Error("capture", "`user`: " + error);
  report.Ok("capture", fmt::format("the sensor will run as user {}", left.user));
}

}  // namespace vedette
