#include "sensor/replay/carver.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <optional>
#include <span>

#include "exporter/render/shown.h"
#include "parsers/base/community_id.h"
#include "parsers/base/json_writer.h"
#include "parsers/base/time_text.h"
#include "sensor/decode/decoder.h"
#include "sensor/replay/carve_files.h"
#include "sensor/replay/carve_folder.h"
#include "sensor/replay/flow_finder.h"
#include "sensor/replay/fragment_plan.h"

namespace vedette {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(250);
constexpr uint64_t kBurstsBetweenLooks = 4096;  // at the clock
// A flow that goes through more files than that is told by the first of them.
constexpr size_t kMaxSources = 64;

struct SourceShare {
  uint32_t file;
  uint64_t first_packet, last_packet;  // numbers in that file
  uint64_t packets;
};

// What was written of a flow.
struct Written {
  uint64_t packets = 0, bytes = 0, captured_bytes = 0, fragments = 0;
  uint64_t first_ns = UINT64_MAX, last_ns = 0;
  std::vector<SourceShare> sources;
  uint64_t sources_left_out = 0;

  void Add(const Frame& frame, bool is_fragment) {
    ++packets;
    bytes += frame.wire_bytes;
    captured_bytes += frame.captured_bytes;
    fragments += is_fragment;
    first_ns = std::min(first_ns, frame.time_ns);
    last_ns = std::max(last_ns, frame.time_ns);
    if (sources.empty() || sources.back().file != frame.file) {
      if (sources.size() == kMaxSources) {
        ++sources_left_out;
        return;
      }
      sources.push_back({frame.file, frame.number, frame.number, 0});
    }
    sources.back().last_packet = frame.number;
    ++sources.back().packets;
  }
};

class Carver {
 public:
  Carver(const std::vector<CarvedFlow>& flows, const std::string& folder, const CarveInput& input,
         const std::atomic<bool>& stop)
      : flows_(flows),
        input_(input),
        stop_(stop),
        finder_(flows),
        files_(folder, flows.size(), CarveFiles::Limits{}),
        written_(flows.size()) {}

  CarveReport Run() {
    if (flows_.empty() || (PlanFragments() && WriteFlows())) WriteIndex();
    report_.files = files_.num_finished();
    report_.times_beyond_pcap = files_.times_beyond_pcap();
    report_.packets_cut = files_.packets_cut();
    if (report_.error.empty()) report_.error = files_.error();
    return report_;
  }

 private:
  // Visits every frame that the first walk took, as the decoder sees it, until visit says false. False: it was stopped,
  // or the capture is another one now.
  template <class Visit, class AtBurst>
  bool Walk(uint32_t first_file, const Visit& visit, const AtBurst& at_burst) {
    const std::unique_ptr<CaptureSource> source = input_.open(first_file);
    Decoder decoder{Decoder::Options{}};
    Packet packet;
    std::span<const Frame> frames;
    auto shown = std::chrono::steady_clock::now();
    uint64_t bursts = 0;
    bool more = true;
    while (more) {
      const PollStatus status = source->Poll(frames);
      if (status != PollStatus::kFrames && status != PollStatus::kWorking) break;
      if (stop_.load(std::memory_order_relaxed)) {
        report_.error = "interrupted: not all flows are carved, and there is no index";
        return false;
      }
      if (status == PollStatus::kFrames && !at_burst(PacketPosition(frames.front().file, frames.front().number))) break;
      decoder.BeginBurst();
      for (const Frame& frame : frames) {
        if (frame.time_ns < input_.since_ns || (frame.time_ns >= input_.until_ns && input_.until_ns != UINT64_MAX))
          continue;
        if (input_.filter != nullptr && !input_.filter->Matches(frame)) continue;
        packet.is_fragment = false;
        const DecodeResult result = decoder.Decode(frame, packet);
        more = visit(frame, packet, result);
        if (!more) break;
      }
      if ((++bursts % kBurstsBetweenLooks == 0 || status == PollStatus::kWorking) && input_.on_progress) {
        const auto now = std::chrono::steady_clock::now();
        if (now - shown >= kProgressInterval) {
          shown = now;
          input_.on_progress(source->counters(), report_.packets);
        }
      }
    }
    for (const CaptureDamage& damage : source->damage()) {
      const bool known = std::any_of(input_.damage.begin(), input_.damage.end(), [&](const CaptureDamage& before) {
        return before.file == damage.file && before.offset == damage.offset && before.reason == damage.reason;
      });
      if (known) continue;
      report_.error = fmt::format(
          "{}: has changed since it was matched ({}); the carved flows are incomplete. Run again when nothing writes "
          "to it",
          damage.file, damage.reason);
      return false;
    }
    return true;
  }

  bool PlanFragments() {
    if (!input_.fragments) return true;
    FragmentPlan plan(finder_, Decoder::Options{}.fragment_timeout_ns);
    const bool ok = Walk(
        0,
        [&](const Frame& frame, const Packet& packet, DecodeResult result) {
          if (packet.is_fragment) plan.Add(packet, result, PacketPosition(frame.file, frame.number), frame.time_ns);
          return true;
        },
        [](uint64_t) { return true; });
    report_.fragments_left_out = plan.left_out();
    plan_ = plan.Take();
    return ok;
  }

  bool WriteFlows() {
    // Flows by the place behind which nothing of theirs comes: they get their names there, and leave the memory.
    std::vector<uint64_t> last(flows_.size());
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < flows_.size(); ++i) {
      last[i] = flows_[i].last_packet;
      first = std::min(first, flows_[i].first_packet);
    }
    for (const FragmentPlan::Entry& entry : plan_) {
      last[entry.flow] = std::max(last[entry.flow], entry.position);
      first = std::min(first, entry.position);
    }
    std::vector<uint32_t> order(flows_.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return last[a] < last[b]; });
    size_t next_to_finish = 0, next_in_plan = 0;

    // Without fragments nothing before the first flow matters; the decoder's memory of fragments needs all of them.
    const bool ok = Walk(
        plan_.empty() && !input_.fragments ? FileOfPosition(first) : 0,
        [&](const Frame& frame, const Packet& packet, DecodeResult result) {
          const uint64_t position = PacketPosition(frame.file, frame.number);
          std::optional<uint32_t> found;
          if (result == DecodeResult::kPacket || result == DecodeResult::kAddressesOnly) {
            found = finder_.Find(packet, position);
            if (found && !Write(*found, frame, packet.is_fragment)) return false;
          }
          while (next_in_plan < plan_.size() && plan_[next_in_plan].position < position) ++next_in_plan;
          for (; next_in_plan < plan_.size() && plan_[next_in_plan].position == position; ++next_in_plan) {
            const uint32_t flow = plan_[next_in_plan].flow;
            if (flow != found && !Write(flow, frame, true)) return false;
          }
          return true;
        },
        [&](uint64_t position) {
          for (; next_to_finish < order.size() && last[order[next_to_finish]] < position; ++next_to_finish) {
            if (!files_.Finish(order[next_to_finish])) return false;
          }
          return next_to_finish < order.size();
        });
    if (!ok || !files_.error().empty()) return false;
    for (; next_to_finish < order.size(); ++next_to_finish) {
      if (!files_.Finish(order[next_to_finish])) return false;
    }
    return true;
  }

  bool Write(uint32_t flow, const Frame& frame, bool is_fragment) {
    if (!files_.Add(flow, flows_[flow].flow.id, frame)) return false;
    written_[flow].Add(frame, is_fragment);
    ++report_.packets;
    report_.bytes += frame.wire_bytes;
    return true;
  }

  void WriteIndex() {
    std::string text;
    for (uint32_t i = 0; i < flows_.size(); ++i) {
      AppendIndexLine(i, text);
      ++report_.flows;
    }
    if (!files_.WriteText(kCarveIndex, text)) report_.flows = 0;
  }

  void AppendIndexLine(uint32_t index, std::string& out) {
    const CarvedFlow& carved = flows_[index];
    const FlowSnapshot& flow = carved.flow;
    const Written& written = written_[index];
    EveTime time;
    JsonWriter json(out);
    json.BeginObject();
    json.Number("flow_id", flow.id);
    json.BeginArray("captures");
    for (const std::string& name : files_.NamesOf(index)) json.Plain(name);
    json.EndArray();
    json.Number("alerts", carved.alerts);
    json.Number("packets", written.packets);
    json.Number("bytes", written.bytes);
    json.Number("captured_bytes", written.captured_bytes);
    if (written.fragments != 0) json.Number("fragments", written.fragments);
    json.Plain("src_ip", flow.client.ToString());
    if (HasPorts(flow.protocol)) json.Number("src_port", flow.client_port);
    json.Plain("dest_ip", flow.server.ToString());
    if (HasPorts(flow.protocol)) json.Number("dest_port", flow.server_port);
    json.Plain("proto", ProtocolName(flow.protocol));
    json.Plain("community_id",
               CommunityId(flow.client, flow.client_port, flow.server, flow.server_port, flow.protocol));
    if (written.packets != 0) {
      json.Plain("first_time", time.Format(written.first_ns));
      json.Plain("last_time", time.Format(written.last_ns));
    }
    json.BeginArray("sources");
    for (const SourceShare& source : written.sources) {
      json.BeginObject();
      json.Text("pcap_filename", input_.file_name(source.file));
      json.Number("first_packet", source.first_packet);
      json.Number("last_packet", source.last_packet);
      json.Number("packets", source.packets);
      json.EndObject();
    }
    json.EndArray();
    if (written.sources_left_out != 0) json.Number("packets_of_more_sources", written.sources_left_out);
    json.EndObject();
    out += '\n';
  }

  const std::vector<CarvedFlow>& flows_;
  const CarveInput& input_;
  const std::atomic<bool>& stop_;
  const FlowFinder finder_;
  CarveFiles files_;
  std::vector<Written> written_;
  std::vector<FragmentPlan::Entry> plan_;
  CarveReport report_;
};

}  // namespace

CarveReport Carve(const std::vector<CarvedFlow>& flows, const std::string& folder, const CarveInput& input,
                  const std::atomic<bool>& stop) {
  return Carver(flows, folder, input, stop).Run();
}

}  // namespace vedette
