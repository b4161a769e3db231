// A worker with a keeper: of each flow that alerts exactly its frames are kept, whatever lies between them.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "exporter/alert/alert_queue.h"
#include "sensor/keep/flow_keeper.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/worker.h"
#include "tests/unit/sensor/decode/packets.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;
using testing::Udp;

constexpr uint64_t kMillisecond = 1'000'000;
constexpr char kMarker[] = "KEEP-THIS-MARKER";

class KeptFlows : public ::testing::Test {
 protected:
  void Add(const std::string& owner, const std::string& bytes) {
    frames_.push_back(std::make_unique<OwnedFrame>(bytes, kLinkEthernet, frames_.size() * kMillisecond));
    of_[owner].push_back(bytes);
  }
  void Segment(const std::string& owner, uint16_t port, bool from_client, uint32_t sequence, const std::string& text) {
    Tcp tcp;
    tcp.source_port = from_client ? port : 80;
    tcp.destination_port = from_client ? 80 : port;
    tcp.sequence = sequence;
    Ipv4 ip;
    if (!from_client) std::swap(ip.source, ip.destination);
    Add(owner, Ethernet(0x0800, ip(tcp(text))));
  }
  // In `parts` fragments, the last of them missing where it is `cut`.
  void Datagram(const std::string& owner, uint16_t port, uint16_t identification, size_t parts, bool cut) {
    Udp udp;
    udp.source_port = port;
    udp.destination_port = 9999;
    const std::string whole = udp((owner.starts_with("listed") ? kMarker : "nothing") + std::string(parts * 64, '.'));
    Ipv4 ip;
    ip.protocol = kIpProtoUdp;
    ip.identification = identification;
    for (size_t i = 0; i < parts - (cut ? 1 : 0); ++i) {
      ip.fragment_offset = static_cast<uint32_t>(64 * i);
      ip.more_fragments = i + 1 != parts;
      Add(owner, Ethernet(0x0800, ip(i + 1 == parts ? whole.substr(64 * i) : whole.substr(64 * i, 64))));
      Add("nobody",
          Ethernet(0x0806, std::string(28, static_cast<char>('a' + i))));  // ARP, in the same places of a burst
    }
  }
  // What came out, by flow id; `ask_late`: the exporter's requests come after all packets only.
  std::map<uint64_t, std::vector<std::string>> Run(size_t burst, bool ask_late) {
    const auto set = TestSet({MakeIndicator(IndicatorType::kContent, kMarker)}).set;
    std::string error;
    const std::unique_ptr<FlowKeeper> keeper = FlowKeeper::Make(5, {}, error);
    Doorbell doorbell;
    AlertQueue queue(doorbell);
    MatchConsumer consumer(queue, true);
    consumer.KeepWith(keeper.get());
    WorkerOptions options;
    options.keeper = keeper.get();
    options.believe_stamps = true;
    std::map<uint64_t, std::vector<std::string>> out;
    const auto serve = [&] {
      while (queue.Front() != nullptr) {
        const Alert alert = std::move(queue.Pop()->alert);
        EXPECT_EQ(alert.lane, 5u);
        EXPECT_TRUE(keeper->Request(alert.keep_key, alert.flow.id, 1));
      }
      do {
        keeper->Serve();
        KeptPacket packet;
        Bytes bytes;
        while (keeper->queue().Front(packet, bytes)) {
          EXPECT_EQ(packet.missing, 0u);
          out[packet.flow_id].emplace_back(AsText(bytes));
          keeper->queue().Pop();
        }
      } while (!keeper->Served());
    };
    Worker worker(options, consumer, MatchKit::Make(set, 1, ObservableMask::All()));
    uint64_t number = 0;
    std::vector<Frame> frames;
    for (const std::unique_ptr<OwnedFrame>& frame : frames_) {
      frames.push_back(**frame);
      frames.back().number = ++number;
    }
    for (std::span<const Frame> rest = frames; !rest.empty();) {
      const size_t count = std::min(burst, rest.size());
      worker.Process(rest.first(count));
      rest = rest.subspan(count);
      if (!ask_late) serve();
    }
    worker.Finish();
    serve();
    return out;
  }

  std::vector<std::unique_ptr<OwnedFrame>> frames_;
  std::map<std::string, std::vector<std::string>> of_;  // frames by owner
};

TEST_F(KeptFlows, ExactlyTheFramesOfFlowsThatAlert) {
  std::mt19937 random(7);
  for (int i = 0; i < 40; ++i) {
    const auto port = static_cast<uint16_t>(1000 + i);
    const std::string owner = (i % 4 == 0 ? "listed tcp " : "tcp ") + std::to_string(i);
    const std::string other = (i % 5 == 0 ? "listed udp " : "udp ") + std::to_string(i);
    Segment(owner, port, true, 100, "begins ");
    Segment("tcp of all", 999, i % 2 == 0, 500 + static_cast<uint32_t>(i), "x");
    Datagram(other, port, static_cast<uint16_t>(i + 1), 2 + random() % 4, false);
    Segment(owner, port, false, 900, "answer");
    Segment(owner, port, true, 107, i % 4 == 0 ? std::string("a ") + kMarker : "a harmless text...");
    Segment("tcp of all", 999, true, 700, "y");
    Segment(owner, port, true, 125, "goes on");
  }
  // Never completed: given up at the end.
  Datagram("listed cut", 3000, 7001, 3, true);
  Datagram("cut", 3001, 7002, 3, true);
  std::multiset<std::vector<std::string>> expected;
  for (const auto& [owner, frames] : of_) {
    if (owner.starts_with("listed")) expected.insert(frames);
  }
  ASSERT_EQ(expected.size(), 10u + 8 + 1);
  for (const size_t burst : {1, 5, 32}) {
    for (const bool ask_late : {false, true}) {
      std::multiset<std::vector<std::string>> kept;
      for (const auto& [id, frames] : Run(burst, ask_late)) kept.insert(frames);
      EXPECT_EQ(kept, expected) << "bursts of " << burst << (ask_late ? ", asked at the end" : "");
    }
  }
}

}  // namespace
}  // namespace vedette
