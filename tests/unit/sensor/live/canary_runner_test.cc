// Canaries through real parts: a worker, the exporter, the feed's socket with CURVE on loopback.
#include "sensor/live/canary_runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "exporter/alert/export_loop.h"
#include "exporter/feed/subscriber.h"
#include "exporter/metrics/families.h"
#include "sensor/live/canary_frame.h"
#include "sensor/live/self_watch.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "signatures/canary.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using namespace std::chrono_literals;

constexpr auto kLimit = 20s;  // no wait of a test is longer

// An interface on which nothing happens.
class SilentSource : public CaptureSource {
 public:
  PollStatus Poll(std::span<const Frame>& frames) override {
    frames = {};
    std::this_thread::sleep_for(1ms);
    return PollStatus::kIdle;
  }
  std::string_view FileName(uint32_t) const override { return "silent"; }
  CaptureCounters counters() const override { return {}; }
  std::span<const CaptureDamage> damage() const override { return {}; }
};

std::shared_ptr<const IndicatorSet> Indicators(bool canary) {
  IndicatorSetBuilder builder;
  Indicator listed;
  listed.type = IndicatorType::kDomain;
  listed.value = "vedette.invalid";  // of which every canary's name is part
  listed.id = "t-1";
  listed.originator = "cert-a";
  listed.tlp = Tlp::kClear;
  EXPECT_TRUE(builder.Add(listed));
  if (canary) builder.AddCanary();
  CompileReport report;
  return builder.Compile(report);
}

class CanaryRunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.canary.interval = 0s;
    config_.canary.time_out = 2s;
  }
  void TearDown() override {
    if (runner_ != nullptr) runner_->Stop();
    stop_ = true;
    if (worker_.joinable()) worker_.join();
    if (exporter_.joinable()) exporter_.join();
    runner_.reset();
  }

  void MakeFeed() {
    std::string error;
    const KeyPair server = NewKeyPair(), partner = NewKeyPair();
    ASSERT_TRUE(WriteKeyPair(partner, (folder_ / "partner").string(), error)) << error;
    config_.has_feed = true;
    config_.feed.endpoint = "tcp://127.0.0.1:*";
    config_.feed.keys = server;
    config_.feed.partners = {{.name = "alpha", .public_key = partner.public_key}};
    Clearance& everything = config_.feed.partners[0].clearance;
    everything.partner = "alpha";
    everything.originators = {"*"};
    everything.max_tlp = Tlp::kRed;
    AddCanaryView(config_, keys_);
    publisher_ = FeedPublisher::Open(config_.feed, error);
    ASSERT_NE(publisher_, nullptr) << error;
  }
  // What runs of: feed, exporter, worker.
  void Start(bool with_canary = true, bool worker = true, bool exporter = true) {
    const std::shared_ptr<const IndicatorSet> set = Indicators(with_canary);
    ASSERT_NE(set, nullptr);
    renderer_ = std::make_unique<AlertRenderer>(
        CatalogueOf(set, 1), nullptr, SensorIdentity{.name = "test", .version = "1", .replay = false, .resolvers = {}},
        [](uint32_t) { return std::string_view("silent"); });
    filters_.AddGeneration(CatalogueOf(set, 1));
    std::vector<AlertSink*> sinks;
    if (publisher_ != nullptr) {
      for (const PartnerConfig& partner : config_.feed.partners) partners_.Add(partner);
      sink_ = std::make_unique<FeedSink>(*publisher_, partners_, *renderer_);
      sinks.push_back(sink_.get());
    }
    auto source = std::make_unique<InjectingSource>(std::make_unique<SilentSource>());
    CanaryRunner::Parts parts{.watch = &filters_.canaries,
                              .sources = {source.get()},
                              .wires = {},
                              .feed = sink_.get(),
                              .endpoint = publisher_ == nullptr ? "" : publisher_->endpoint(),
                              .server_public_key = publisher_ == nullptr ? "" : publisher_->public_key(),
                              .keys = keys_,
                              .log = &log_};
    std::vector<LaneSetup> lanes(1);
    lanes[0].source = std::move(source);
    ASSERT_NE(MakeMatching(lanes[0], set, doorbell_, {.generation = 1}), nullptr);
    pipeline_ = std::make_unique<Pipeline>(std::move(lanes), Sharing::kOwnPackets);
    loop_ = std::make_unique<ExportLoop>(
        doorbell_, pipeline_->alert_queues(), sinks, false, stop_, [](std::string_view) {}, filters_.all());
    if (worker) worker_ = std::thread([this] { pipeline_->Run(stop_, {}); });
    if (exporter) {
      // Without a worker the loop would end at once: it is kept going for the feed's sake.
      exporter_ = std::thread([this, worker] {
        if (worker) {
          loop_->Run();
        } else {
          while (!stop_.load()) publisher_->Poll(), std::this_thread::sleep_for(1ms);
        }
      });
    }
    runner_ = std::make_unique<CanaryRunner>(std::move(parts), config_.canary);
  }
  CanaryRunner::Outcome Send() {
    const uint64_t number = runner_->Request();
    const auto end = std::chrono::steady_clock::now() + kLimit;
    while (runner_->last().number < number || runner_->last().running) {
      if (std::chrono::steady_clock::now() > end) {
        ADD_FAILURE() << "no outcome";
        break;
      }
      std::this_thread::sleep_for(2ms);
    }
    return runner_->last();
  }
  double Count(std::string_view result) {
    Figures figures;
    runner_->AppendFigures(figures);
    return figures.Value(families::kCanaries, result);
  }

  const TemporaryFolder folder_;
  Config config_;
  KeyPair keys_;
  Log log_;
  std::atomic<bool> stop_{false};
  LiveFilters filters_;
  std::unique_ptr<FeedPublisher> publisher_;
  std::unique_ptr<AlertRenderer> renderer_;
  Partners partners_{nullptr};
  std::unique_ptr<FeedSink> sink_;
  Doorbell doorbell_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<ExportLoop> loop_;
  std::unique_ptr<CanaryRunner> runner_;
  std::thread worker_, exporter_;
};

TEST_F(CanaryRunnerTest, ArrivesAtTheFeedsOtherEndAndAtNoPartner) {
  MakeFeed();
  Start();
  SubscribeConfig as_partner;
  as_partner.endpoint = publisher_->endpoint();
  as_partner.server_public_key = publisher_->public_key();
  as_partner.secret_key_file = (folder_ / "partner.key").string();
  as_partner.view = "alpha";
  std::atomic<bool> joined{false}, stop{false};
  as_partner.on_heartbeat = [&] { joined = true; };
  std::atomic<int> received{0};
  std::thread partner([&] {
    Subscribe(
        as_partner, [&](std::string_view) { return ++received > 0; }, [](std::string_view) {}, stop);
  });
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (!joined && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(joined);
  for (int i = 0; i < 3; ++i) {
    const CanaryRunner::Outcome outcome = Send();
    EXPECT_TRUE(outcome.arrived) << outcome.missing;
    EXPECT_GT(outcome.seconds, 0);
    EXPECT_GT(outcome.exporter_seconds, 0);
    EXPECT_LE(outcome.exporter_seconds, outcome.seconds);
    EXPECT_TRUE(outcome.name.ends_with(kCanaryDomain));
  }
  EXPECT_EQ(Count("sent"), 3);
  EXPECT_EQ(Count("arrived"), 3);
  EXPECT_EQ(Count("missed"), 0);
  Figures figures;
  runner_->AppendFigures(figures);
  EXPECT_EQ(figures.Value(families::kCanaryFailing), 0);
  EXPECT_EQ(sink_->canaries(), 3u);
  std::this_thread::sleep_for(100ms);  // a batch leaves after a millisecond
  EXPECT_EQ(received, 0);              // although it may see everything, and the name is listed
  stop = true;
  partner.join();
}

TEST_F(CanaryRunnerTest, CannotBeMuted) {
  MakeFeed();
  Start();
  std::string error;
  std::vector<MuteList::Entry> entries;
  const int64_t end = int64_t{4'000'000'000} * 1'000'000'000;
  for (const char* indicator : {"vedette-canary", "t-1"}) {
    entries.push_back({*MakeMute({.indicator = indicator, .reason = "test", .until_ns = end}, end - 1, error),
                       std::make_shared<MuteCounts>()});
  }
  loop_->Post([this, list = std::make_shared<const MuteList>(entries)] { filters_.mutes.Use(list); });
  EXPECT_TRUE(Send().arrived);
}

TEST_F(CanaryRunnerTest, WithoutAFeedItArrivesAtTheExporter) {
  Start();
  const CanaryRunner::Outcome outcome = Send();
  EXPECT_TRUE(outcome.arrived) << outcome.missing;
}

TEST_F(CanaryRunnerTest, SaysThatNoWorkerTookIt) {
  MakeFeed();
  Start(true, false);
  const CanaryRunner::Outcome outcome = Send();
  EXPECT_FALSE(outcome.arrived);
  EXPECT_NE(outcome.missing.find("no worker took it"), std::string::npos) << outcome.missing;
  EXPECT_EQ(Count("missed"), 1);
  Figures figures;
  runner_->AppendFigures(figures);
  EXPECT_EQ(figures.Value(families::kCanaryFailing), 1);
}

TEST_F(CanaryRunnerTest, SaysThatNoAlertCameOfIt) {
  MakeFeed();
  Start(false);
  const CanaryRunner::Outcome outcome = Send();
  EXPECT_FALSE(outcome.arrived);
  EXPECT_NE(outcome.missing.find("it raised no alert"), std::string::npos) << outcome.missing;
}

TEST_F(CanaryRunnerTest, SaysThatTheExporterDoesNotPublishIt) {
  MakeFeed();
  config_.feed.partners.back().clearance.originators = {"nobody"};
  Start();
  const CanaryRunner::Outcome outcome = Send();
  EXPECT_FALSE(outcome.arrived);
  EXPECT_NE(outcome.missing.find("did not publish it"), std::string::npos) << outcome.missing;
}

TEST_F(CanaryRunnerTest, SaysThatNobodyCanSubscribe) {
  MakeFeed();
  keys_ = NewKeyPair();  // which the feed does not know
  Start();
  const CanaryRunner::Outcome outcome = Send();
  EXPECT_FALSE(outcome.arrived);
  EXPECT_NE(outcome.missing.find("nobody can subscribe"), std::string::npos) << outcome.missing;
  EXPECT_NE(outcome.missing.find("does not know our public key"), std::string::npos) << outcome.missing;
  EXPECT_EQ(Count("sent"), 0);
}

TEST_F(CanaryRunnerTest, GoesOnItsOwnEveryNowAndThen) {
  MakeFeed();
  config_.canary.interval = 1s;
  Start();
  const auto end = std::chrono::steady_clock::now() + kLimit;
  while (Count("arrived") < 2 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(10ms);
  EXPECT_GE(Count("arrived"), 2);
}

TEST(CanaryFrame, IsAnotherOneEachTime) {
  const Canary first = NewCanary(), second = NewCanary();
  EXPECT_NE(first.name, second.name);
  EXPECT_EQ(first.name.size(), 16 + 1 + kCanaryDomain.size());
  EXPECT_TRUE(first.client.IsSpecial());
  EXPECT_TRUE(first.server.IsSpecial());
  EXPECT_GE(first.client_port, 1024);
}

TEST(LoopbackOf, LeadsToTheSameMachine) {
  EXPECT_EQ(LoopbackOf("tcp://0.0.0.0:5577"), "tcp://127.0.0.1:5577");
  EXPECT_EQ(LoopbackOf("tcp://*:5577"), "tcp://127.0.0.1:5577");
  EXPECT_EQ(LoopbackOf("tcp://[::]:5577"), "tcp://[::1]:5577");
  EXPECT_EQ(LoopbackOf("tcp://192.0.2.7:5577"), "tcp://192.0.2.7:5577");
}

}  // namespace
}  // namespace vedette
