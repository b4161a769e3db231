#include <algorithm>
#include <utility>

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

void ReadKeepFolder(const Section& section, KeepConfig& keep) {
  section.Read("folder", keep.folder, "a folder's path");
  if (!keep.folder.empty()) keep.folder = section.file().Resolve(keep.folder);
}

// What is wrong with `keep` as a whole; empty: nothing.
std::string WrongWith(const KeepConfig& keep) {
  if (keep.folder.empty()) return "`keep` needs a `folder` for the packets";
  if (keep.file_bytes > keep.quota_bytes / 2)
    return "`file_mebibytes` in `keep` has to be at most half of `quota_mebibytes`: a file goes while another is "
           "written";
  return {};
}

Key<CaptureConfig> KeepSection() {
  using K = KeepConfig;
  constexpr uint64_t kMebibyte = uint64_t{1} << 20;
  Keys<K> keys = {
      NumberKey("quota_mebibytes", &K::quota_bytes, 2, 1'000'000'000, "of all files; the oldest are removed",
                kMebibyte),
      NumberKey("file_mebibytes", &K::file_bytes, 1, 1'000'000, "from that size on, the next file begins", kMebibyte),
      DurationKey("file_age", &K::file_age, std::chrono::seconds(1), std::chrono::hours(24 * 366), false,
                  "from that age on, too"),
      NumberKey("ring_mebibytes", &K::ring_bytes, 1, 1'000'000,
                "packets that a worker holds for alerts to come; a third more is taken", kMebibyte),
      NumberKey("packet_bytes", &K::packet_bytes, 64, 262'144, "of a packet; the rest of it is cut off"),
      NumberKey("flow_kibibytes", &K::flow_bytes, 64, 1'000'000'000,
                "of a flow, and at most half of it from before its alert", uint64_t{1} << 10),
      NumberKey("flow_packets", &K::flow_packets, 2, 1'000'000'000, "of a flow, in the same way"),
  };
  KeyText folder = {"folder", "a folder's path", "",
                    "a folder of its own that `user` can write; without it no packet is kept, and there is no default"};
  keys.insert(keys.begin(), OwnKey<K>(std::move(folder), &K::folder, ReadKeepFolder).Example("/var/lib/vedette/kept"));
  Key<CaptureConfig> section = SectionKey<CaptureConfig, K>(
      "keep", "the packets of flows with alerts, as captures that rotate (docs/operating.md)", keys,
      &CaptureConfig::keep);
  section.read = [read = section.read](const Section& outer, CaptureConfig& capture) {
    read(outer, capture);
    const YAML::Node node = outer.Find("keep");
    if (!node || !node.IsMap() || node.size() == 0) return;
    if (const std::string problem = WrongWith(capture.keep); !problem.empty()) outer.Fail("keep", problem);
  };
  return section;
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
          KeepSection(),
      },
      &Config::capture);
}

}  // namespace vedette
