#include "sensor/live/live_lanes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "sensor/capture/cpu.h"
#include "sensor/capture/live/live_interface.h"
#include "sensor/capture/live/live_sources.h"
#include "sensor/capture/live/packet/packet_queue.h"
#include "sensor/capture/live/packet/packet_socket.h"
#include "sensor/live/worker_cpus.h"
#include "sensor/pipeline/matching_lane.h"

namespace vedette {
namespace {

constexpr const char* kAnyInterface = "any";  // libpcap's name for all of them

// The port of a tap or a mirror has no address; what the host sends there is no traffic of anybody's. A canary on the
// wire has to be seen.
bool IgnoresOutgoing(const CaptureConfig& capture, const std::string& interface, bool wire) {
  if (capture.outgoing != CaptureConfig::Outgoing::kAuto) return capture.outgoing == CaptureConfig::Outgoing::kIgnore;
  return interface != kAnyInterface && !wire && !IsInUse(interface);
}

std::unique_ptr<LiveSource> OpenLibpcap(const CaptureConfig& capture, const std::string& interface, uint32_t file,
                                        bool wire, std::vector<std::string>& warnings, std::string& error) {
  LiveInterface::Options options;
  options.interface = interface;
  options.file = file;
  options.filter = capture.filter;
  options.promiscuous = capture.promiscuous;
  options.ignore_outgoing = IgnoresOutgoing(capture, interface, wire);
  options.snap_length = capture.snap_bytes;
  options.buffer_bytes = capture.buffer_mebibytes << 20;
  std::unique_ptr<LiveInterface> opened = LiveInterface::Open(options, error);
  if (opened != nullptr && !opened->warning().empty()) warnings.push_back(opened->warning());
  return opened;
}

PacketQueueOptions OptionsOf(const CaptureConfig& capture, const std::string& interface, uint32_t file, bool wire) {
  PacketQueueOptions options;
  options.interface = interface;
  options.file = file;
  options.filter = capture.filter;
  options.promiscuous = capture.promiscuous;
  options.ignore_outgoing = IgnoresOutgoing(capture, interface, wire);
  options.low_latency = capture.latency == CaptureConfig::Latency::kLow;
  options.snap_length = capture.snap_bytes;
  options.buffer_bytes = capture.buffer_mebibytes << 20;
  return options;
}

WorkerOptions OptionsOf(const LimitsConfig& limits) {
  WorkerOptions options;
  options.max_flows = limits.flows;
  options.hash_seed = FlowHashSeed::Random();
  options.believe_stamps = true;
  options.decoder.fragment_bytes = size_t{limits.fragment_mebibytes} << 20;
  options.inspector.payload_depth = limits.payload_depth;
  options.inspector.parser_bytes = size_t{limits.parser_mebibytes} << 20;
  options.inspector.tcp.total_bytes = size_t{limits.reassembly_mebibytes} << 20;
  return options;
}

}  // namespace

std::unique_ptr<LiveLanes> LiveLanes::Open(const CaptureConfig& capture, bool wire, std::string& error) {
  std::unique_ptr<LiveLanes> lanes(new LiveLanes());
  lanes->names_ = capture.AllInterfaces();
  lanes->cpus_ = ChooseCpus(capture, error);
  if (lanes->cpus_.empty()) return nullptr;
  lanes->queues_.resize(lanes->cpus_.size());
  const auto seed = static_cast<uint32_t>(FlowHashSeed::Random().both);
  for (uint32_t file = 0; file < lanes->names_.size(); ++file) {
    if (!lanes->OpenInterface(capture, file, wire, seed, error)) return nullptr;
    if (!wire) continue;
    lanes->wires_.push_back(FrameSender::Open(lanes->names_[file], error));
    if (lanes->wires_.back() == nullptr) return nullptr;
  }
  return lanes;
}

bool LiveLanes::OpenInterface(const CaptureConfig& capture, uint32_t file, bool wire, uint32_t seed,
                              std::string& error) {
  const std::string& name = names_[file];
  const char* const incoming = IgnoresOutgoing(capture, name, wire) ? ", incoming only" : "";
  if (capture.backend == CaptureConfig::Backend::kLibpcap || name == kAnyInterface) {
    described_.push_back(fmt::format("{} (libpcap{})", name, incoming));
    queues_[0].push_back(OpenLibpcap(capture, name, file, wire, warnings_, error));
    return queues_[0].back() != nullptr;
  }
  PacketQueueOptions options = OptionsOf(capture, name, file, wire);
  options.fanout_seed = seed;
  options.cpus = cpus_;
  OpenFailure failure;
  std::vector<std::unique_ptr<PacketQueue>> opened = PacketQueue::Open(options, queues_.size(), failure);
  if (opened.empty()) {
    error = failure.text;
    return false;
  }
  described_.push_back(fmt::format("{} (af_packet{}{})", name, options.low_latency ? ", low latency" : "", incoming));
  for (size_t lane = 0; lane < opened.size(); ++lane) queues_[lane].push_back(std::move(opened[lane]));
  return true;
}

bool LiveLanes::Make(const LimitsConfig& limits, const std::shared_ptr<const IndicatorSet>& set, Doorbell& doorbell,
                     const MatchingOptions& matching, PacketKeep* keep, const std::function<void()>& on_end,
                     std::string& error) {
  std::vector<LaneSetup> setups;
  for (size_t file = 0; file < names_.size(); ++file)
    interfaces_.push_back({.name = names_[file], .wire = wires_.empty() ? nullptr : wires_[file].get()});
  for (size_t lane = 0; lane < queues_.size(); ++lane) {
    const RunOnCpu near(cpus_[lane]);  // what the lane starts with is allocated there
    LaneSetup& setup = setups.emplace_back();
    setup.cpu = cpus_[lane];
    auto source = std::make_unique<InjectingSource>(std::make_unique<LiveSources>(PartsOf(std::move(queues_[lane]))));
    injecting_.push_back(source.get());
    setup.source = std::move(source);
    setup.options = OptionsOf(limits);
    setup.on_end = on_end;
    MatchingOptions own = matching;
    if (keep != nullptr && (own.keeper = keep->AddLane(error)) == nullptr) return false;
    if (MakeMatching(setup, set, doorbell, own) == nullptr) {
      error = "no memory for the matcher";
      return false;
    }
  }
  queues_.clear();
  pipeline_ = std::make_unique<Pipeline>(std::move(setups), Sharing::kOwnPackets);
  return true;
}

// Queue k of each interface, each in a slot where its interface's keeper replaces it.
std::vector<LiveSources::Part> LiveLanes::PartsOf(std::vector<std::unique_ptr<LiveSource>> sources) {
  std::vector<LiveSources::Part> parts;
  sources.resize(names_.size());
  for (uint32_t file = 0; file < names_.size(); ++file) {
    InterfaceKeeper::Interface& interface = interfaces_[file];
    interface.slots.push_back(std::make_shared<SourceSlot>());
    if (sources[file] != nullptr) interface.sources.push_back(sources[file].get());
    parts.push_back(
        {.name = names_[file], .file = file, .slot = interface.slots.back(), .source = std::move(sources[file])});
  }
  return parts;
}

std::string LiveLanes::Names() const { return fmt::format("{}", fmt::join(names_, ", ")); }

std::string LiveLanes::Description() const {
  std::string text = fmt::format("{}", fmt::join(described_, ", "));
  if (cpus_.size() > 1) text += fmt::format("; {} workers", cpus_.size());
  if (cpus_[0] >= 0) text += fmt::format(", on CPU{} {}", cpus_.size() > 1 ? "s" : "", fmt::join(cpus_, ", "));
  return text;
}

std::vector<FrameSender*> LiveLanes::wires() const {
  std::vector<FrameSender*> out;
  for (const std::unique_ptr<FrameSender>& wire : wires_) out.push_back(wire.get());
  return out;
}

}  // namespace vedette
