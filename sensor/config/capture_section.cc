#include <algorithm>

#include "sensor/config/sections.h"

namespace vedette {
namespace {

// What is wrong with `interfaces`; empty: nothing.
std::string WrongWith(const CaptureConfig& capture) {
  const std::vector<std::string>& all = capture.interfaces;
  if (all.empty()) return {};
  if (!capture.interface.empty())
    return "`interface` names one already: name all of them in `interfaces`, and omit `interface`";
  if (all.size() > CaptureConfig::kMaxInterfaces)
    return "`interfaces` has " + std::to_string(all.size()) + " entries; at most " +
           std::to_string(CaptureConfig::kMaxInterfaces) + " are taken";
  for (const std::string& name : all) {
    if (std::count(all.begin(), all.end(), name) > 1) return "`" + name + "` stands twice in `interfaces`";
    if (name == "any" && all.size() > 1) return "`any` in `interfaces` is all of them: name it alone";
  }
  return {};
}

// After `interface`.
void ReadInterfaces(const Section& section, CaptureConfig& capture) {
  capture.interfaces = section.ReadList("interfaces");
  if (const std::string problem = WrongWith(capture); !problem.empty()) section.Fail("interfaces", problem);
}

}  // namespace

Key<Config> CaptureSection() {
  using C = CaptureConfig;
  return SectionKey<Config, C>(
      "capture", "",
      {
          TextKey("interface", &C::interface, "an interface's name", "the interface to capture from")
              .Example("eth0")
              .InUse(),
          OwnKey<C>({"interfaces", "a list of interfaces' names", "[]",
                     "instead of it, several whose packets are one traffic: [eth0, eth1], the two directions of a tap"},
                    &C::interfaces, ReadInterfaces),
          TextKey("filter", &C::filter, "a BPF filter", "as tcpdump takes it: \"not port 22\""),
          FlagKey("promiscuous", &C::promiscuous,
                  "capture packets that are addressed to others, too (promiscuous mode)"),
          NumberKey("snap_bytes", &C::snap_bytes, 64, 262'144, "bytes of a packet to keep; the default cuts nothing"),
          NumberKey("buffer_mebibytes", &C::buffer_mebibytes, 1, 2047, "the kernel's buffer, for each interface"),
          TextKey("user", &C::user, "a user's name", "the user that the sensor runs as once the interfaces are open"),
      },
      &Config::capture);
}

}  // namespace vedette
