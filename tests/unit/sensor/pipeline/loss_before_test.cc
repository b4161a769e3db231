// How well the loss before the sensor is estimated: connections as hosts make them, of whose packets some never reach
// the capture. What the estimate must not take for a loss: reordering, repeats of segments that were lost behind the
// sensor, keep-alives, window probes, flows that were begun before the capture, snap lengths, and forged acknowledgments.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sensor/flow/loss_counters.h"
#include "sensor/pipeline/worker.h"
#include "tests/unit/sensor/decode/packets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;

using Random = std::mt19937_64;

size_t Below(Random& random, size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random); }

constexpr uint32_t kSegmentBytes = 1448;

struct Sent {
  std::string bytes;  // of the frame
  uint32_t payload = 0;
  uint32_t sequence = 0;
  bool from_client = true;
  size_t flow = 0;
};

struct Habits {
  size_t repeats_one_in = 0;   // a segment that was lost behind the sensor comes again later
  size_t reorders_one_in = 0;  // a packet changes places with the one after it
  bool keep_alives = false, window_probes = false;
  bool mid_stream = false;  // the capture begins in the middle of all flows
};

// The packets of one connection: a request and an answer, again and again.
class Connection {
 public:
  Connection(size_t flow, Random& random, const Habits& habits, std::vector<Sent>& out)
      : flow_(flow), random_(random), habits_(habits), out_(out) {}

  void Run(size_t exchanges, size_t answer_bytes) {
    Say(true, kTcpSyn, "");
    ++next_[0];
    Say(false, kTcpSyn | kTcpAck, "");
    ++next_[1];
    Say(true, kTcpAck, "");
    for (size_t i = 0; i < exchanges; ++i) {
      Send(true, 200 + Below(random_, 1500));
      Send(false, 100 + Below(random_, answer_bytes));
      if (habits_.keep_alives) {
        --next_[0];
        Say(true, kTcpAck, "");
        Say(true, kTcpAck, std::string(1, '\0'));  // with the byte that was sent before, as some do
        ++next_[0];
        Say(false, kTcpAck, "");
      }
      if (habits_.window_probes) {
        Say(true, kTcpAck, "p");  // beyond the window: not taken, and sent again with what follows
        Say(false, kTcpAck, "");
      }
    }
    Say(true, kTcpFin | kTcpAck, "");
    ++next_[0];
    Say(false, kTcpFin | kTcpAck, "");
    ++next_[1];
    Say(true, kTcpAck, "");
  }

 private:
  void Say(bool from_client, uint8_t flags, const std::string& payload) {
    const size_t side = from_client ? 0 : 1;
    SayAt(from_client, flags, next_[side], payload);
  }
  void SayAt(bool from_client, uint8_t flags, uint32_t sequence, const std::string& payload) {
    Tcp tcp;
    const auto port = static_cast<uint16_t>(10'000 + flow_ % 50'000);
    tcp.source_port = from_client ? port : 80;
    tcp.destination_port = from_client ? 80 : port;
    tcp.flags = flags;
    tcp.sequence = sequence;
    tcp.acknowledgment = next_[from_client ? 1 : 0];
    Ipv4 ip;
    ip.source = from_client ? "192.0.2.7" : "198.51.100.9";
    ip.destination = from_client ? "198.51.100.9" : "192.0.2.7";
    out_.push_back(
        {Ethernet(0x0800, ip(tcp(payload))), static_cast<uint32_t>(payload.size()), sequence, from_client, flow_});
  }
  void Send(bool from_client, size_t bytes) {
    const size_t side = from_client ? 0 : 1;
    std::vector<std::pair<uint32_t, std::string>> again;
    size_t unanswered = 0;
    while (bytes > 0) {
      const size_t size = std::min<size_t>(bytes, kSegmentBytes);
      std::string payload(size, '\0');
      for (char& byte : payload) byte = static_cast<char>(Below(random_, 256));
      Say(from_client, kTcpAck, payload);
      if (habits_.repeats_one_in != 0 && Below(random_, habits_.repeats_one_in) == 0)
        again.emplace_back(next_[side], payload);
      next_[side] += static_cast<uint32_t>(size);
      bytes -= size;
      // The receiver misses something: it does not acknowledge beyond it until it came again.
      if (again.empty() && ++unanswered % 2 == 0) Say(!from_client, kTcpAck, "");
      if (again.size() > 3) Repeat(from_client, again);
    }
    Repeat(from_client, again);
    Say(!from_client, kTcpAck, "");
  }
  void Repeat(bool from_client, std::vector<std::pair<uint32_t, std::string>>& again) {
    for (const auto& [sequence, payload] : again) SayAt(from_client, kTcpAck, sequence, payload);
    again.clear();
  }

  const size_t flow_;
  Random& random_;
  const Habits& habits_;
  std::vector<Sent>& out_;
  uint32_t next_[2] = {static_cast<uint32_t>(random_()), static_cast<uint32_t>(random_())};
};

// Flows one beside the other, about as many packets as `packets`.
std::vector<Sent> Traffic(uint64_t seed, const Habits& habits, size_t flows, size_t exchanges, size_t answer_bytes) {
  Random random(seed);
  std::vector<std::vector<Sent>> each(flows);
  for (size_t i = 0; i < flows; ++i) {
    Connection(i, random, habits, each[i]).Run(1 + Below(random, exchanges), answer_bytes);
    std::vector<Sent>& sent = each[i];
    for (size_t k = 4; habits.reorders_one_in != 0 && k + 5 < sent.size(); ++k) {
      if (Below(random, habits.reorders_one_in) == 0 && sent[k].from_client == sent[k + 1].from_client)
        std::swap(sent[k], sent[k + 1]);
    }
    if (habits.mid_stream) sent.erase(sent.begin(), sent.begin() + static_cast<ptrdiff_t>(sent.size() / 3));
  }
  std::vector<Sent> all;
  std::vector<size_t> at(flows, 0);
  for (size_t left = flows; left > 0;) {
    const size_t flow = Below(random, flows);
    if (at[flow] == each[flow].size()) continue;
    for (size_t k = 1 + Below(random, 8); k > 0 && at[flow] < each[flow].size(); --k)
      all.push_back(each[flow][at[flow]++]);
    if (at[flow] == each[flow].size()) --left;
  }
  return all;
}

LossCounters Judge(const std::vector<Sent>& sent, uint32_t snap_bytes = 0) {
  class Nothing : public BurstConsumer {
   public:
    void OnBurst(const ObservableBatch&, std::span<const EmissionContext>, std::span<const EndedFlow>) override {}
    void OnProgress(uint32_t, uint64_t) override {}
  } consumer;
  Worker worker({}, consumer);
  uint64_t number = 0;
  for (const Sent& one : sent) {
    std::string bytes = one.bytes;
    const auto wire = static_cast<uint32_t>(bytes.size());
    if (snap_bytes != 0 && bytes.size() > snap_bytes) bytes.resize(snap_bytes);
    const OwnedFrame owned(bytes, kLinkEthernet, 1'700'000'000'000'000'000 + number * 1000, wire);
    Frame frame = *owned;
    frame.number = ++number;
    worker.Process({&frame, 1});
  }
  worker.Finish();
  return worker.loss_counters();
}

// Bytes of streams: how many there are, and how many of them are not among what is left.
double LostPercent(const std::vector<Sent>& sent, const std::vector<Sent>& left) {
  const auto bytes = [](const std::vector<Sent>& packets) {
    std::set<std::tuple<size_t, bool, uint32_t>> segments;
    double sum = 0;
    for (const Sent& one : packets) {
      if (one.payload != 0 && segments.emplace(one.flow, one.from_client, one.sequence).second) sum += one.payload;
    }
    return sum;
  };
  const double all = bytes(sent);
  return 100 * (all - bytes(left)) / all;
}

std::vector<Sent> Dropping(const std::vector<Sent>& sent, double share, uint64_t seed) {
  Random random(seed);
  std::vector<Sent> left;
  for (const Sent& one : sent) {
    if (std::uniform_real_distribution<>(0, 1)(random) >= share) left.push_back(one);
  }
  return left;
}

TEST(LossBefore, NothingWhereNothingIsLost) {
  const Habits kAll[] = {{},
                         {.repeats_one_in = 20},
                         {.reorders_one_in = 10},
                         {.keep_alives = true},
                         {.window_probes = true},
                         {.mid_stream = true},
                         {.repeats_one_in = 15, .reorders_one_in = 7, .keep_alives = true, .mid_stream = true}};
  for (const Habits& habits : kAll) {
    SCOPED_TRACE(::testing::Message() << "repeats " << habits.repeats_one_in << ", reorders " << habits.reorders_one_in
                                      << ", keep-alives " << habits.keep_alives << ", probes " << habits.window_probes
                                      << ", mid-stream " << habits.mid_stream);
    const std::vector<Sent> sent = Traffic(1, habits, 60, 8, 60'000);
    const LossShare loss = LossOf(Judge(sent));
    EXPECT_EQ(loss.unseen, 0u);
    EXPECT_GT(loss.seen, 1'000'000u);
  }
}

// The error that docs/operating.md states.
TEST(LossBefore, WhatWasLostWithinAFifth) {
  for (const double share : {0.01, 0.1, 0.3, 0.5}) {
    for (const size_t answer_bytes : {3'000, 60'000, 300'000}) {
      for (const bool hostile : {false, true}) {
        const Habits habits = hostile ? Habits{.repeats_one_in = 50, .reorders_one_in = 20} : Habits{};
        const size_t flows = answer_bytes > 100'000 ? 40 : 600'000 / answer_bytes * 4;
        const std::vector<Sent> sent = Traffic(3, habits, flows, 4, answer_bytes);
        const std::vector<Sent> left = Dropping(sent, share, 4);
        const double lost = LostPercent(sent, left), estimated = LossOf(Judge(left)).percent();
        EXPECT_NEAR(estimated, lost, 0.2 * lost + 0.1) << share << ", answers of " << answer_bytes << ", " << hostile;
        RecordProperty(std::to_string(share) + "/" + std::to_string(answer_bytes), std::to_string(estimated));
        std::printf("  dropped %4.0f %%, answers up to %6zu B%s: lost %.2f %%, estimated %.2f %%\n", 100 * share,
                    answer_bytes, hostile ? ", reordered, repeated" : "", lost, estimated);
      }
    }
  }
}

TEST(LossBefore, TrafficFromTheMiddleAndCutBySnapLength) {
  const std::vector<Sent> sent = Traffic(5, {.mid_stream = true}, 80, 20, 60'000);
  const std::vector<Sent> left = Dropping(sent, 0.1, 6);
  // Little of each flow is judged: what was in flight is passed over, and nobody knows the protocol.
  EXPECT_NEAR(LossOf(Judge(left)).percent(), LostPercent(sent, left), 5);
  const std::vector<Sent> whole = Traffic(7, {}, 100, 4, 60'000);
  const LossShare cut = LossOf(Judge(whole, 96));
  EXPECT_EQ(cut.unseen, 0u);
  EXPECT_GT(cut.seen, 5'000'000u) << "what a snap length cut was there";
}

TEST(LossBefore, OneDirectionAlone) {
  const std::vector<Sent> sent = Traffic(8, {}, 60, 4, 60'000);
  uint64_t bytes = 0;
  std::vector<Sent> left;
  for (const Sent& one : sent) {
    if (one.from_client) left.push_back(one);
    bytes += one.from_client ? 0 : one.payload;
  }
  const LossCounters counters = Judge(left);
  EXPECT_EQ(LossOf(counters).unseen, 0u) << "what one sender alone says proves no loss";
  EXPECT_NEAR(static_cast<double>(counters.one_way), static_cast<double>(bytes), 0.01 * static_cast<double>(bytes));
}

// Somebody who sends past the sensor, and sees nothing.
TEST(LossBefore, ForgedAcknowledgmentsCountLittle) {
  std::vector<Sent> sent = Traffic(9, {}, 30, 4, 60'000);
  const uint64_t before = LossOf(Judge(sent)).unseen;
  EXPECT_EQ(before, 0u);
  // Into every flow, in the middle: "I have a gigabyte more".
  std::vector<Sent> forged;
  for (size_t i = 0; i < sent.size(); ++i) {
    forged.push_back(sent[i]);
    if (i % 20 != 0) continue;
    Sent lie = sent[i];
    lie.bytes[14 + 20 + 8] = static_cast<char>(lie.bytes[14 + 20 + 8] + 0x10);  // of the acknowledgment
    lie.payload = 0;
    lie.bytes.resize(14 + 20 + 20);
    lie.bytes[16] = 0;
    lie.bytes[17] = 40;  // total length
    forged.push_back(lie);
  }
  EXPECT_EQ(LossOf(Judge(forged)).unseen, 0u);
}

}  // namespace
}  // namespace vedette
