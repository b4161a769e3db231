// The end of a flow with alerts, from the flow table to a reader's view: in a worker, and in a replay with any number
// of them.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/policy/alert_policy.h"
#include "sensor/capture/files/capture_files.h"
#include "sensor/pipeline/match_consumer.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "tests/unit/sensor/decode/packets.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using testing::Ethernet;
using testing::Ipv4;
using testing::OwnedFrame;
using testing::Tcp;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1'700'000'000 * kSecond;

// What a reader that takes the ends of flows is shown.
class EndsReader : public AlertSink {
 public:
  struct Shown {
    EventKind kind;
    FlowSnapshot flow;
    uint64_t packet, alerts, hits;
    std::string first_alert_id;
  };

  EndsReader(AlertPolicy& policy, Reader reader) : policy_(policy), reader_(std::move(reader)) {
    reader_.takes.Add(EventKind::kClosed);
  }
  bool Accept(const Event& event) override {
    View view;
    if (policy_.Show(event, reader_, view) == ViewOutcome::kShown) {
      shown.push_back(
          {view.kind, view.seen->flow, view.seen->packet, view.alerts, view.hits.size(), view.first_alert_id});
    }
    return true;
  }
  EventKinds takes() const override { return reader_.takes; }
  const std::string& error() const override { return error_; }
  const Reader& reader() const { return reader_; }

  std::vector<Shown> shown;

 private:
  AlertPolicy& policy_;
  Reader reader_;
  std::string error_;
};

// "alert 3", "closed 3+2 with 1", in order; sums of packets up to then.
std::vector<std::string> Lines(const std::vector<EndsReader::Shown>& shown) {
  std::vector<std::string> lines;
  for (const EndsReader::Shown& one : shown) {
    std::string line = one.kind == EventKind::kClosed ? "closed " : "alert ";
    line += std::to_string(one.flow.packets[0]) + '+' + std::to_string(one.flow.packets[1]) + " of " +
            std::to_string(one.flow.client_port);
    if (one.kind == EventKind::kClosed) line += " after " + std::to_string(one.alerts);
    lines.push_back(std::move(line));
  }
  return lines;
}

class FlowTotals : public ::testing::Test {
 protected:
  // A request for `host`, its answer, `more` packets after that, and nothing else of that port.
  void Flow(uint16_t port, const std::string& host, int more) {
    Tcp to{.source_port = port, .destination_port = 80, .sequence = 100};
    Tcp from{.source_port = 80, .destination_port = port, .sequence = 500};
    const std::string request = "GET /a HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
    Add("192.0.2.10", "20.1.2.3", to(request));
    Add("20.1.2.3", "192.0.2.10", from("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n"));
    from.sequence += 42;
    for (int i = 0; i < more; ++i, from.sequence += 10) Add("20.1.2.3", "192.0.2.10", from("0123456789"));
  }
  void Pause(uint64_t seconds) { time_ns_ += seconds * kSecond; }
  void Add(const char* source, const char* destination, const std::string& segment) {
    owned_.push_back(std::make_unique<OwnedFrame>(
        Ethernet(0x0800, Ipv4{.source = source, .destination = destination}(segment)), kLinkEthernet, time_ns_, 0));
    frames_.push_back(**owned_.back());
    frames_.back().number = frames_.size();
    time_ns_ += 1'000'000;
  }

  // Through a worker, in bursts of this size, to a reader.
  std::vector<EndsReader::Shown> Run(const TestSet& set, Reader reader, size_t burst, bool tell_ends = true,
                                     AlertCounters* counters = nullptr, size_t room = 64) {
    Doorbell doorbell;
    AlertQueue queue(doorbell, room);
    MatchConsumer consumer(queue, false);
    if (tell_ends) consumer.TellEnds();
    Worker worker({}, consumer, MatchKit::Make(set.set, 0, ObservableMask::All()));
    for (std::span<const Frame> rest = frames_; !rest.empty();) {
      const size_t n = std::min(burst, rest.size());
      worker.Process(rest.first(n));
      rest = rest.subspan(n);
    }
    worker.Finish();
    queue.Close();
    if (counters != nullptr) *counters = consumer.alert_counters();
    AlertPolicy policy(CatalogueOf(set.set), {});
    EndsReader sink(policy, std::move(reader));
    std::atomic<bool> stop{false};
    const ExportSummary summary = ExportLoop(doorbell, {&queue}, policy, {&sink}, true, stop).Run();
    EXPECT_EQ(summary.alerts, consumer.alert_counters().alerts) << "the end of a flow is no alert";
    EXPECT_EQ(sink.reader().flows.empty(), tell_ends) << "all that were shown have ended";
    return sink.shown;
  }

  const TestSet set_{{MakeIndicator(IndicatorType::kDomain, "one.example", "one"),
                      MakeIndicator(IndicatorType::kDomain, "two.example", "two")}};

 private:
  std::vector<std::unique_ptr<OwnedFrame>> owned_;
  std::vector<Frame> frames_;
  uint64_t time_ns_ = kNow;
};

using Strings = std::vector<std::string>;

TEST_F(FlowTotals, AFlowThatAlertedTellsItsEnd) {
  Flow(1000, "one.example", 5);
  Flow(1001, "harmless.example", 5);
  Flow(1002, "two.example", 0);
  const Strings expected = {"alert 1+0 of 1000", "alert 1+0 of 1002", "closed 1+6 of 1000 after 1",
                            "closed 1+1 of 1002 after 1"};
  for (const size_t burst : {1, 3, 1000}) {
    const std::vector<EndsReader::Shown> shown = Run(set_, Reader::Operator(), burst);
    EXPECT_EQ(Lines(shown), expected) << burst;
    ASSERT_EQ(shown.size(), 4u);
    EXPECT_EQ(shown[2].flow.bytes[1], 6 * (14 + 20 + 20) + 42u + 5 * 10);
    EXPECT_EQ(shown[2].flow.last_ns - shown[2].flow.first_ns, 6'000'000u);
    EXPECT_EQ(shown[2].hits, 0u);
    EXPECT_EQ(shown[2].first_alert_id.size(), 36u);
    EXPECT_NE(shown[2].first_alert_id, shown[3].first_alert_id);
  }
}

// The ports are used again: the end of the first flow stands before the alert of the second, however bursts are cut.
TEST_F(FlowTotals, AnEndStandsWhereItIsFound) {
  Flow(1000, "one.example", 5);
  Pause(3600);
  Flow(1000, "two.example", 1);
  Flow(1002, "two.example", 0);
  const Strings expected = {"alert 1+0 of 1000", "closed 1+6 of 1000 after 1", "alert 1+0 of 1000",
                            "alert 1+0 of 1002", "closed 1+2 of 1000 after 1", "closed 1+1 of 1002 after 1"};
  for (const size_t burst : {1, 2, 3, 5, 1000}) EXPECT_EQ(Lines(Run(set_, Reader::Operator(), burst)), expected);
}

TEST_F(FlowTotals, NobodyIsToldWhoDoesNotAsk) {
  Flow(1000, "one.example", 5);
  EXPECT_EQ(Lines(Run(set_, Reader::Operator(), 1000, false)), Strings{"alert 1+0 of 1000"})
      << "the worker makes no such event";
}

// Of a flow that alerted for another, a partner is not told that it ended.
TEST_F(FlowTotals, AReaderIsShownTheEndOfWhatItWasShown) {
  Indicator own = MakeIndicator(IndicatorType::kDomain, "one.example"),
            secret = MakeIndicator(IndicatorType::kDomain, "two.example");
  own.originator = "cert-a";
  own.tlp = Tlp::kGreen;
  secret.originator = "cert-b";
  secret.tlp = Tlp::kRed;
  Clearance clearance;
  clearance.partner = "a";
  clearance.originators = {"cert-a"};
  const TestSet set({own, secret});
  Flow(1000, "one.example", 5);
  Flow(1002, "two.example", 0);
  EXPECT_EQ(Lines(Run(set, Reader::Of(0, clearance), 1000)),
            (Strings{"alert 1+0 of 1000", "closed 1+6 of 1000 after 1"}));
  EXPECT_EQ(Run(set, Reader::Operator(), 1000).size(), 4u);
}

TEST_F(FlowTotals, AnEndWithoutRoomIsCounted) {
  Flow(1000, "one.example", 5);
  AlertCounters counters;
  Doorbell doorbell;
  AlertQueue queue(doorbell, 1);
  MatchConsumer consumer(queue, false);
  consumer.TellEnds();
  const std::unique_ptr<MatchKit> kit = MatchKit::Make(set_.set, 0, ObservableMask::All());
  consumer.Use(*kit);
  ObservableBatch batch;
  std::vector<EmissionContext> contexts(1);
  contexts[0].flow.id = 7;
  batch.set_context(0);
  batch.AddText(ObservableKind::kHttpHost, Direction::kToServer, "one.example");
  const EndedFlow ended{.id = 7, .first_packet = 1, .last_packet = 2, .end = contexts.data(), .context = 1};
  consumer.OnBurst(batch, contexts, std::span(&ended, 1));
  EXPECT_EQ(consumer.alert_counters().alerts, 1u);
  EXPECT_EQ(consumer.alert_counters().ends_queue_full, 1u);
  EXPECT_EQ(queue.depth(), 1u);
}

// The same alerts and ends, in the same order, for any number of workers; each end once, after its flow's alerts.
TEST(FlowTotalsOfReplay, AreTheSameForAnyNumberOfWorkers) {
  const std::vector<std::string> folder = {VEDETTE_SOURCE_DIR "/pcaps"};
  std::string error;
  const auto list = CaptureList::Resolve(folder, {}, error);
  ASSERT_NE(list, nullptr) << error;
  const TestSet set(
      {MakeIndicator(IndicatorType::kDomain, "example", "1"), MakeIndicator(IndicatorType::kDomain, "test", "2"),
       MakeIndicator(IndicatorType::kDomain, "invalid", "3"), MakeIndicator(IndicatorType::kCidr, "202.0.0.0/8", "4")});
  std::vector<std::string> first;
  for (const size_t workers : {1, 2, 5}) {
    Doorbell doorbell;
    std::vector<LaneSetup> lanes(workers);
    for (LaneSetup& lane : lanes) {
      lane.source = std::make_unique<CaptureFiles>(list);
      ASSERT_NE(MakeMatching(lane, set.set, doorbell, {.wait_when_full = true, .tell_ends = true}), nullptr);
    }
    AlertPolicy policy(CatalogueOf(set.set), {});
    EndsReader sink(policy, Reader::Operator());
    std::atomic<bool> stop{false};
    Pipeline pipeline(std::move(lanes), Sharing::kSameCapture);
    ExportLoop loop(doorbell, pipeline.alert_queues(), policy, {&sink}, true, stop);
    std::thread exporter([&] { loop.Run(); });
    const Totals totals = pipeline.Run(stop, {});
    exporter.join();

    std::map<uint64_t, uint64_t> alerts;  // by flow
    std::set<uint64_t> ended;
    std::vector<std::string> lines;
    for (const EndsReader::Shown& one : sink.shown) {
      lines.push_back(std::to_string(one.flow.id) + ' ' + std::to_string(one.packet) + ' ' + Lines({one}).front() +
                      ' ' + std::to_string(one.flow.bytes[0] + one.flow.bytes[1]));
      if (one.kind == EventKind::kClosed) {
        EXPECT_EQ(one.alerts, alerts[one.flow.id]);
        EXPECT_TRUE(ended.insert(one.flow.id).second) << "ended twice";
      } else {
        EXPECT_EQ(ended.count(one.flow.id), 0u) << "alerts after its end";
        ++alerts[one.flow.id];
      }
    }
    EXPECT_EQ(ended.size(), alerts.size());
    EXPECT_EQ(ended.size(), totals.alerts.flows);
    EXPECT_GE(ended.size(), 6u);
    if (first.empty()) first = lines;
    EXPECT_EQ(lines, first) << workers << " workers";
  }
}

}  // namespace
}  // namespace vedette
