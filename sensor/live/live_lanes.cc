#include "sensor/live/live_lanes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "sensor/capture/live/live_interface.h"
#include "sensor/capture/live/live_sources.h"
#include "sensor/pipeline/matching_lane.h"

namespace vedette {
namespace {

LiveInterface::Options OptionsOf(const CaptureConfig& capture, const std::string& interface, uint32_t file) {
  LiveInterface::Options options;
  options.interface = interface;
  options.file = file;
  options.filter = capture.filter;
  options.promiscuous = capture.promiscuous;
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
  lanes->queues_.resize(1);
  for (uint32_t file = 0; file < lanes->names_.size(); ++file) {
    const std::string& name = lanes->names_[file];
    std::unique_ptr<LiveInterface> interface = LiveInterface::Open(OptionsOf(capture, name, file), error);
    if (interface == nullptr) return nullptr;
    if (!interface->warning().empty()) lanes->warnings_.push_back(interface->warning());
    lanes->queues_[0].push_back(std::move(interface));
    if (!wire) continue;
    lanes->wires_.push_back(FrameSender::Open(name, error));
    if (lanes->wires_.back() == nullptr) return nullptr;
  }
  return lanes;
}

bool LiveLanes::Make(const LimitsConfig& limits, const std::shared_ptr<const IndicatorSet>& set, Doorbell& doorbell,
                     const MatchingOptions& matching, const std::function<void()>& on_end, std::string& error) {
  std::vector<LaneSetup> setups;
  for (size_t file = 0; file < names_.size(); ++file)
    interfaces_.push_back({.name = names_[file], .wire = wires_.empty() ? nullptr : wires_[file].get()});
  for (std::vector<std::unique_ptr<LiveSource>>& sources : queues_) {
    LaneSetup& setup = setups.emplace_back();
    auto source = std::make_unique<InjectingSource>(std::make_unique<LiveSources>(PartsOf(std::move(sources))));
    injecting_.push_back(source.get());
    setup.source = std::move(source);
    setup.options = OptionsOf(limits);
    setup.on_end = on_end;
    if (MakeMatching(setup, set, doorbell, matching) == nullptr) {
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

std::vector<FrameSender*> LiveLanes::wires() const {
  std::vector<FrameSender*> out;
  for (const std::unique_ptr<FrameSender>& wire : wires_) out.push_back(wire.get());
  return out;
}

}  // namespace vedette
