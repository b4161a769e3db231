#include <algorithm>
#include <charconv>

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
              "what this host sends over the interface; auto: captured where the interface has an address, "
              "ignored on the port of a tap or a mirror, which has none"),
          TextKey("user", &C::user, "a user's name", "the user that the sensor runs as once the interfaces are open"),
      },
      &Config::capture);
}

}  // namespace vedette
