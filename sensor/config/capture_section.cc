#include <algorithm>
#include <charconv>
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

// After `workers`.
void ReadPin(const Section& section, CaptureConfig& capture) {
  const YAML::Node pin = section.Find("pin");
  if (!pin || pin.IsNull()) return;
  if (pin.IsScalar()) {
    const std::string word = pin.Scalar();
    if (word != "auto" && word != "off")
      return section.Fail("pin", "`pin` has to be auto, off, or a list of CPUs, one for each worker: [2, 3]");
    capture.pin.automatic = word == "auto";
    return;
  }
  std::vector<uint32_t> cpus;
  section.ForEachText("pin", CaptureConfig::kMaxWorkers, [&](const std::string& text) -> std::string {
    uint32_t cpu = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), cpu);
    if (status != std::errc() || end != text.data() + text.size()) return "is no CPU's number";
    if (std::find(cpus.begin(), cpus.end(), cpu) != cpus.end()) return "is there twice";
    cpus.push_back(cpu);
    return {};
  });
  if (cpus.size() != capture.workers) {
    return section.Fail(
        "pin", "`pin` has to name as many CPUs as there are `workers` (" + std::to_string(capture.workers) + ")");
  }
  capture.pin = {.automatic = false, .cpus = std::move(cpus)};
}

// After `backend`, `workers` and `latency`: what libpcap cannot do.
void CheckBackend(const Section& section, const CaptureConfig& capture) {
  const std::vector<std::string> all = capture.AllInterfaces();
  const bool is_any = all.size() == 1 && all[0] == "any";
  if (capture.backend != CaptureConfig::Backend::kLibpcap && !is_any) return;
  const std::string who = is_any ? "interface `any` is captured through libpcap, which" : "`backend: libpcap`";
  if (capture.workers > 1) section.Fail("workers", who + " has one queue: omit `workers`");
  if (capture.latency == CaptureConfig::Latency::kLow)
    section.Fail("latency", who + " knows no `latency: low`: omit it");
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
          NumberKey("buffer_mebibytes", &C::buffer_mebibytes, 1, 2047,
                    "the kernel's buffer, for each worker and interface"),
          ChoiceKey("backend", &C::backend, {{"af_packet", C::Backend::kAfPacket}, {"libpcap", C::Backend::kLibpcap}},
                    "how packets come from the kernel; libpcap has one queue (interface `any` always uses it)"),
          NumberKey("workers", &C::workers, 1, C::kMaxWorkers,
                    "threads that packets are spread over by their addresses, each with a CPU and with `limits` of its "
                    "own; one keeps up with several Gbit/s"),
          ChoiceKey("latency", &C::latency, {{"normal", C::Latency::kNormal}, {"low", C::Latency::kLow}},
                    "normal: packets come in blocks, after 10 ms at the latest; low: one by one at once, for more CPU"),
          OwnKey<C>(
              {"pin", "auto, off, or a list of CPUs, one for each worker", "auto",
               "the CPUs of the workers; auto: of several workers each has one of its own, near the network card; "
               "off: left to the scheduler"},
              &C::pin,
              [](const Section& section, C& capture) {
                ReadPin(section, capture);
                CheckBackend(section, capture);
              }),
          ChoiceKey(
              "outgoing", &C::outgoing,
              {{"auto", C::Outgoing::kAuto}, {"capture", C::Outgoing::kCapture}, {"ignore", C::Outgoing::kIgnore}},
              "what this host sends over the interface; auto: captured where the host uses it (an address, a bridge or "
              "a "
              "VLAN), ignored on the port of a tap or a mirror"),
          TextKey("user", &C::user, "a user's name", "the user that the sensor runs as once the interfaces are open"),
          KeepSection(),
      },
      &Config::capture);
}

}  // namespace vedette
