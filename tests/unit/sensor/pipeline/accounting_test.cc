// Every packet that a worker is given ends in exactly one place, whatever it holds: generated garbage, and real traffic
// that was damaged, through any number of workers and through lanes with packets of their own.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "exporter/metrics/figures.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/pipeline/queue_figures.h"
#include "sensor/pipeline/totals_figures.h"
#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Extension;
using testing::FragmentHeader;
using testing::Icmp;
using testing::Ipv4;
using testing::Ipv6;
using testing::OwnedFrame;
using testing::Tcp;
using testing::Udp;
using testing::Vlan;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kBegin = 1'700'000'000'000 * kMillisecond;

using Random = std::mt19937_64;

size_t Below(Random& random, size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random); }
bool OneIn(Random& random, size_t count) { return Below(random, count) == 0; }

std::string Bytes(Random& random, size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(Below(random, 256));
  return bytes;
}

// A packet of one of a few hosts, so that flows, fragments and tunnels meet.
std::string Packet(Random& random, int depth = 0) {
  const auto host = [&] { return "192.0.2." + std::to_string(1 + Below(random, 5)); };
  Ipv4 ip;
  ip.source = host();
  ip.destination = host();
  ip.identification = static_cast<uint16_t>(Below(random, 8));
  std::string body;
  switch (Below(random, depth < 2 ? 7 : 5)) {
    case 0: {
      Tcp tcp;
      tcp.source_port = static_cast<uint16_t>(1 + Below(random, 4));
      tcp.sequence = static_cast<uint32_t>(1000 + 10 * Below(random, 10));
      tcp.flags = static_cast<uint8_t>(Below(random, 64));
      body = tcp(Bytes(random, Below(random, 40)));
      break;
    }
    case 1: {
      Udp udp;
      udp.source_port = static_cast<uint16_t>(1 + Below(random, 4));
      body = udp(Bytes(random, Below(random, 60)));
      ip.protocol = kIpProtoUdp;
      break;
    }
    case 2:
      body = Icmp(static_cast<uint8_t>(Below(random, 20)), 0, Bytes(random, Below(random, 40)));
      ip.protocol = kIpProtoIcmp;
      break;
    case 3:
      body = Bytes(random, Below(random, 60));
      ip.protocol = static_cast<uint8_t>(Below(random, 256));
      break;
    case 4: {
      Ipv6 ip6;
      ip6.source = "2001:db8::" + std::to_string(1 + Below(random, 3));
      ip6.next_header = OneIn(random, 2) ? 0 : 44;
      const std::string inner = Tcp()(Bytes(random, 16));
      return ip6(ip6.next_header == 0 ? Extension(kIpProtoTcp) + inner
                                      : FragmentHeader(kIpProtoTcp, static_cast<uint32_t>(8 * Below(random, 4)),
                                                       OneIn(random, 2), static_cast<uint32_t>(Below(random, 4))) +
                                            inner);
    }
    case 5:
      body = Packet(random, depth + 1);  // a tunnel
      ip.protocol = body[0] >> 4 == 4 ? 4 : 41;
      break;
    default:
      body = Bytes(random, 24);
      ip.more_fragments = OneIn(random, 2);
      ip.fragment_offset = static_cast<uint32_t>(24 * Below(random, 4));
      ip.protocol = OneIn(random, 3) ? 4 : kIpProtoUdp;
      break;
  }
  if (OneIn(random, 6)) {  // two fragments in one: the datagram is put together
    ip.more_fragments = OneIn(random, 2);
    ip.fragment_offset = ip.more_fragments ? 0 : 24;
    body.resize(24);
  }
  return ip(body);
}

std::string Damaged(Random& random, std::string bytes) {
  for (size_t i = Below(random, 4); i > 0 && !bytes.empty(); --i) {
    bytes[Below(random, bytes.size())] = static_cast<char>(Below(random, 256));
  }
  if (OneIn(random, 8)) bytes.resize(Below(random, bytes.size() + 1));
  return bytes;
}

struct Traffic {
  std::vector<std::unique_ptr<OwnedFrame>> owned;
  std::vector<Frame> frames;

  void Add(const std::string& bytes, uint16_t link_type, uint64_t time_ns, uint32_t wire_bytes) {
    owned.push_back(std::make_unique<OwnedFrame>(bytes, link_type, time_ns, wire_bytes));
    frames.push_back(**owned.back());
    frames.back().number = frames.size();
  }
};

Traffic Garbage(uint64_t seed, size_t count) {
  constexpr uint16_t kLinks[] = {kLinkEthernet, kLinkRaw, kLinkCooked, kLinkNull, kLinkPpp, 147};
  Random random(seed);
  Traffic traffic;
  uint64_t time_ns = kBegin;
  for (size_t i = 0; i < count; ++i) {
    std::string bytes = Packet(random);
    uint16_t link = kLinkEthernet;
    const uint16_t type = bytes[0] >> 4 == 4 ? 0x0800 : 0x86dd;
    if (OneIn(random, 8)) {
      link = kLinks[Below(random, std::size(kLinks))];
    } else {
      bytes = OneIn(random, 4) ? Ethernet(0x8100, Vlan(7, type, bytes)) : Ethernet(type, bytes);
    }
    if (OneIn(random, 3)) bytes = Damaged(random, bytes);
    if (OneIn(random, 20)) bytes = Bytes(random, Below(random, 100));
    const auto wire = static_cast<uint32_t>(bytes.size() + (OneIn(random, 10) ? Below(random, 2000) : 0));
    time_ns += OneIn(random, 50) ? Below(random, 100'000) * kMillisecond : Below(random, 1000);
    if (OneIn(random, 100)) time_ns -= std::min<uint64_t>(time_ns, Below(random, 500'000) * kMillisecond);
    traffic.Add(bytes, link, time_ns, std::max<uint32_t>(wire, 1));
  }
  return traffic;
}

// All packets of the captures in pcaps/, some of them damaged.
Traffic DamagedCaptures(uint64_t seed) {
  Random random(seed);
  Traffic traffic;
  std::string error;
  const std::string folder[] = {VEDETTE_SOURCE_DIR "/pcaps"};
  const auto list = CaptureList::Resolve(folder, {}, error);
  EXPECT_NE(list, nullptr) << error;
  if (list == nullptr) return traffic;
  CaptureFiles source(list);
  std::span<const Frame> frames;
  for (PollStatus status; (status = source.Poll(frames)) != PollStatus::kEnd;) {
    if (status != PollStatus::kFrames) continue;
    for (const Frame& frame : frames) {
      std::string bytes(AsText(frame.bytes()));
      const auto cut = static_cast<uint32_t>(frame.wire_bytes - frame.captured_bytes);
      if (OneIn(random, 4)) bytes = Damaged(random, bytes);
      traffic.Add(bytes, frame.link_type, frame.time_ns, static_cast<uint32_t>(bytes.size()) + cut);
    }
  }
  return traffic;
}

// Gives frames in bursts of any length; what a live source would have dropped is said as well.
class Source final : public CaptureSource {
 public:
  Source(std::vector<Frame> frames, uint64_t seed, uint64_t dropped = 0)
      : frames_(std::move(frames)), random_(seed), dropped_(dropped) {}
  PollStatus Poll(std::span<const Frame>& frames) override {
    if (next_ == frames_.size()) return PollStatus::kEnd;
    const size_t count = std::min(frames_.size() - next_, 1 + Below(random_, kBurst));
    frames = std::span(frames_).subspan(next_, count);
    next_ += count;
    return PollStatus::kFrames;
  }
  std::string_view FileName(uint32_t) const override { return "test"; }
  CaptureCounters counters() const override { return {.frames = next_, .dropped_by_kernel = dropped_}; }
  std::span<const CaptureDamage> damage() const override { return {}; }

 private:
  const std::vector<Frame> frames_;
  Random random_;
  const uint64_t dropped_;
  size_t next_ = 0;
};

class Nothing : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch&, std::span<const EmissionContext>, std::span<const EndedFlow>) override {}
  void OnProgress(uint32_t, uint64_t) override {}
};

LaneSetup LaneOf(std::vector<Frame> frames, uint64_t seed, uint64_t dropped = 0) {
  LaneSetup setup;
  setup.source = std::make_unique<Source>(std::move(frames), seed, dropped);
  setup.consumer = std::make_unique<Nothing>();
  return setup;
}

void ExpectAllAccountedFor(const Totals& totals, uint64_t read, uint64_t dropped) {
  EXPECT_EQ(totals.workers.frames, read);
  EXPECT_EQ(PacketsReceived(totals), read + dropped);
  EXPECT_EQ(PacketsWaiting(totals), 0);
  Figures figures;
  AppendFigures(totals, figures);
  using namespace families;
  EXPECT_EQ(figures.Value(kPacketsReceived), figures.Value(kPacketsDecoded) + figures.Sum(kPacketsNotDecoded) +
                                                 figures.Sum(kPacketsExcluded) + figures.Sum(kPacketsDropped));
  EXPECT_EQ(figures.Value(kPacketsReceived), static_cast<double>(read + dropped));
}

struct Choice {
  const char* name;
  const char* filter;
  bool window, tunnels;
};
constexpr Choice kChoices[] = {{"all", "", false, false},
                               {"filter", "tcp or (ip and not port 53)", false, false},
                               {"window", "", true, false},
                               {"tunnels", "", false, true},
                               {"everything", "ip", true, true}};

// Of one capture that each of the workers walks.
void ReplayIsAccountedFor(const Traffic& traffic, uint64_t seed) {
  for (const Choice& choice : kChoices) {
    for (const size_t workers : {1, 2, 3}) {
      SCOPED_TRACE(::testing::Message() << choice.name << ", " << workers << " workers, seed " << seed);
      std::vector<LaneSetup> setups;
      for (size_t i = 0; i < workers; ++i) {
        LaneSetup& setup = setups.emplace_back(LaneOf(traffic.frames, seed + i));
        std::string error;
        if (*choice.filter != '\0') {
          setup.filter = PacketFilter::Compile(choice.filter, error);
          ASSERT_NE(setup.filter, nullptr) << error;
        }
        if (choice.window) {
          setup.options.since_ns = traffic.frames[traffic.frames.size() / 4].time_ns;
          setup.options.until_ns = setup.options.since_ns + 3'000'000 * kMillisecond;
        }
        if (choice.tunnels) setup.options.decoder.opened = TunnelSet::All();
        setup.options.decoder.fragment_datagrams = 4;
      }
      Pipeline pipeline(std::move(setups), Sharing::kSameCapture);
      const std::atomic<bool> stop{false};
      ExpectAllAccountedFor(pipeline.Run(stop, nullptr), traffic.frames.size(), 0);
    }
  }
}

TEST(Accounting, GarbageOfAReplay) {
  for (uint64_t seed = 1; seed <= 6; ++seed) ReplayIsAccountedFor(Garbage(seed, 3000), seed);
}

TEST(Accounting, RealTrafficWithDamagedPackets) {
  for (uint64_t seed = 1; seed <= 3; ++seed) ReplayIsAccountedFor(DamagedCaptures(seed), seed);
}

// A live sensor's lanes: each queue by itself, and the sum over them is all.
TEST(Accounting, EachQueueByItself) {
  constexpr size_t kLanes = 3;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const Traffic traffic = Garbage(seed, 6000);
    Random random(seed);
    std::vector<std::vector<Frame>> shares(kLanes);
    for (const Frame& frame : traffic.frames) shares[Below(random, kLanes)].push_back(frame);
    std::vector<LaneSetup> setups;
    for (size_t i = 0; i < kLanes; ++i) {
      setups.push_back(LaneOf(shares[i], seed, 10 * i));
      setups.back().options.believe_stamps = true;
    }
    Pipeline pipeline(std::move(setups), Sharing::kOwnPackets);
    const std::atomic<bool> stop{false};
    const Totals all = pipeline.Run(stop, nullptr);
    ExpectAllAccountedFor(all, traffic.frames.size(), 30);

    const std::vector<Totals> lanes = pipeline.Snapshots();
    ASSERT_EQ(lanes.size(), kLanes);
    for (size_t i = 0; i < kLanes; ++i) ExpectAllAccountedFor(lanes[i], shares[i].size(), 10 * i);

    Figures queues, sum;
    AppendQueueFigures(lanes, queues);
    AppendFigures(all, sum);
    using namespace families;
    for (size_t i = 0; i < kLanes; ++i) {
      const std::string queue = std::to_string(i);
      EXPECT_EQ(queues.Value(kQueueReceived, queue),
                queues.Value(kQueueDecoded, queue) + queues.Value(kQueueNotDecoded, queue) +
                    queues.Value(kQueueExcluded, queue) + queues.Value(kQueueDropped, queue));
    }
    EXPECT_EQ(queues.Sum(kQueueReceived), sum.Value(kPacketsReceived));
    EXPECT_EQ(queues.Sum(kQueueDecoded), sum.Value(kPacketsDecoded));
    EXPECT_EQ(queues.Sum(kQueueNotDecoded), sum.Sum(kPacketsNotDecoded));
    EXPECT_EQ(queues.Sum(kQueueDropped), sum.Sum(kPacketsDropped));
    EXPECT_EQ(queues.Sum(kQueueBytes), sum.Value(kBytesDecoded));
  }
}

}  // namespace
}  // namespace vedette
