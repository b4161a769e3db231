// Sets are exchanged under two busy workers: every alert resolves in the set that it was found with, nothing is lost,
// nothing is kept.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/metrics/figures.h"
#include "exporter/policy/alert_policy.h"
#include "sensor/live/live_figures.h"
#include "sensor/live/log.h"
#include "sensor/live/reloader.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "tests/unit/sensor/decode/packets.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using namespace std::chrono_literals;
using testing::Ethernet;
using testing::Ipv4;
using testing::Udp;

// Asks for `name`.
std::string Query(std::string_view name) {
  std::string out = testing::Be16(0x1234) + testing::Be16(0x0100) + testing::Be16(1) + testing::Zeros(6);
  for (size_t at = 0; at < name.size();) {
    const size_t dot = std::min(name.find('.', at), name.size());
    out += static_cast<char>(dot - at);
    out += name.substr(at, dot - at);
    at = dot + 1;
  }
  return out + testing::Zeros(1) + testing::Be16(1) + testing::Be16(1);
}

// Queries for the same names until `ended` is set, each in a flow of its own as far as the ports reach; counts what it
// handed out.
class EndlessQueries : public CaptureSource {
 public:
  EndlessQueries(uint16_t first_port, const std::atomic<bool>& ended) : ended_(ended) {
    for (size_t i = 0; i < kBurst; ++i) {
      const Udp udp{.source_port = static_cast<uint16_t>(first_port + i)};
      const Ipv4 ip{.protocol = kIpProtoUdp};
      bytes_[i] = Ethernet(0x0800, ip(udp(Query(i % 2 == 0 ? "even.example" : "odd.example"))));
    }
  }
  PollStatus Poll(std::span<const Frame>& frames) override {
    if (ended_.load()) return PollStatus::kEnd;
    for (size_t i = 0; i < kBurst; ++i) {
      Frame& frame = frames_[i];
      frame.data = reinterpret_cast<const uint8_t*>(bytes_[i].data());
      frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes_[i].size());
      frame.link_type = kLinkEthernet;
      // Ten minutes between bursts: each query is the first of a new flow.
      frame.time_ns = time_ns_;
      frame.number = ++counters_.frames;
    }
    time_ns_ += 600'000'000'000;
    frames = frames_;
    std::this_thread::sleep_for(100us);
    return PollStatus::kFrames;
  }
  std::string_view FileName(uint32_t) const override { return "test"; }
  CaptureCounters counters() const override { return counters_; }
  std::span<const CaptureDamage> damage() const override { return {}; }

 private:
  const std::atomic<bool>& ended_;
  std::array<std::string, kBurst> bytes_;
  std::array<Frame, kBurst> frames_;
  uint64_t time_ns_ = 0;
  CaptureCounters counters_;
};

// Keeps the sets that the exporter was told of, as the policy does, and resolves each alert.
class Resolver : public AlertSink {
 public:
  void Add(std::shared_ptr<const IndicatorSet> set, uint64_t generation) { sets_[generation] = std::move(set); }
  void ForgetBefore(uint64_t generation) { sets_.erase(sets_.begin(), sets_.lower_bound(generation)); }
  bool Accept(const Event& event) override {
    const Alert& alert = *event.alert;
    const auto at = sets_.find(alert.generation);
    if (at == sets_.end()) {
      ++unresolved;
      return true;
    }
    for (const uint32_t index : alert.indicators) {
      if (at->second->at(index).value != alert.value) ++wrong;
    }
    ++by_generation[alert.generation];
    return true;
  }
  const std::string& error() const override { return error_; }
  size_t known() const { return sets_.size(); }

  uint64_t unresolved = 0, wrong = 0;
  std::map<uint64_t, uint64_t> by_generation;

 private:
  std::map<uint64_t, std::shared_ptr<const IndicatorSet>> sets_;
  std::string error_;
};

IndicatorLoad LoadOf(const std::vector<Indicator>& rows) {
  IndicatorLoad load;
  load.set = TestSet(rows).set;
  load.indicators = load.set->size();
  load.wanted = ObservableMask::All();
  return load;
}

class ReloadTest : public ::testing::Test {
 protected:
  void Start(IndicatorLoad first, std::function<IndicatorLoad()> load) {
    sink_.Add(first.set, 1);
    std::vector<LaneSetup> lanes(ended_.size());
    for (size_t i = 0; i < lanes.size(); ++i) {
      lanes[i].source = std::make_unique<EndlessQueries>(static_cast<uint16_t>(10'000 + 1'000 * i), ended_[i]);
      ASSERT_NE(MakeMatching(lanes[i], first.set, doorbell_, {.generation = 1, .wait_when_full = true}), nullptr);
    }
    pipeline_ = std::make_unique<Pipeline>(std::move(lanes), Sharing::kOwnPackets);
    policy_ = std::make_unique<AlertPolicy>(CatalogueOf(first.set, 1), AlertPolicy::Parts{});
    loop_ = std::make_unique<ExportLoop>(doorbell_, pipeline_->alert_queues(), *policy_,
                                         std::vector<AlertSink*>{&sink_}, false, stop_);
    reloader_ = std::make_unique<Reloader>(Reloader::Parts{.load = std::move(load),
                                                           .exporter = loop_.get(),
                                                           .workers = pipeline_->exchanges(),
                                                           .add =
                                                               [this](auto set, uint64_t generation) {
                                                                 policy_->AddGeneration(CatalogueOf(set, generation));
                                                                 sink_.Add(std::move(set), generation);
                                                               },
                                                           .forget =
                                                               [this](uint64_t generation) {
                                                                 policy_->ForgetBefore(generation);
                                                                 sink_.ForgetBefore(generation);
                                                               },
                                                           .log = &log_},
                                           first);
    exporter_ = std::thread([this] { loop_->Run(); });
    workers_ = std::thread([this] { totals_ = pipeline_->Run(stop_, {}); });
  }
  Reloader::Outcome Reload() {
    const uint64_t number = reloader_->Request();
    for (int i = 0; i < 10'000; ++i) {
      const Reloader::Outcome outcome = reloader_->last();
      if (outcome.number >= number && !outcome.running) return outcome;
      std::this_thread::sleep_for(1ms);
    }
    ADD_FAILURE() << "the reload does not end";
    return {};
  }
  void Stop() {
    reloader_.reset();
    stop_.store(true);
    workers_.join();
    exporter_.join();
  }

  Log log_;
  std::atomic<bool> stop_{false};
  Doorbell doorbell_;
  std::array<std::atomic<bool>, 2> ended_{};  // each ends the source of one lane
  Resolver sink_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<AlertPolicy> policy_;
  std::unique_ptr<ExportLoop> loop_;
  std::unique_ptr<Reloader> reloader_;
  std::thread exporter_, workers_;
  Totals totals_;
};

TEST_F(ReloadTest, EveryAlertResolvesInTheSetItWasFoundWith) {
  // The sets differ in size and order, so that an index of one means something else in another.
  int loads = 0;
  Start(LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")}), [&loads] {
    std::vector<Indicator> rows;
    for (int i = 0; i < 50 + loads; ++i)
      rows.push_back(MakeIndicator(IndicatorType::kDomain, "n" + std::to_string(i) + ".example"));
    rows.push_back(MakeIndicator(IndicatorType::kDomain, loads++ % 2 == 0 ? "odd.example" : "even.example"));
    return LoadOf(rows);
  });
  constexpr uint64_t kReloads = 12;
  for (uint64_t i = 0; i < kReloads; ++i) {
    const Reloader::Outcome outcome = Reload();
    EXPECT_TRUE(outcome.succeeded) << outcome.error;
    EXPECT_EQ(outcome.generation, i + 2);
    (void)pipeline_->Snapshot();  // as whoever asks for figures meanwhile
  }
  std::this_thread::sleep_for(20ms);
  Stop();
  EXPECT_EQ(sink_.unresolved, 0u);
  EXPECT_EQ(sink_.wrong, 0u);
  EXPECT_EQ(sink_.known(), 1u) << "old sets are let go";
  EXPECT_GT(sink_.by_generation[kReloads + 1], 0u);
  // Half of the queries are looked for at any time, and each is in a flow of its own.
  const DecodeCounters& decode = totals_.decode;
  EXPECT_EQ(decode.received, totals_.capture.frames);
  EXPECT_EQ(decode.decoded, decode.received);
  EXPECT_EQ(totals_.alerts.alerts, decode.received / 2);
  EXPECT_EQ(totals_.workers.flows, decode.received);
}

// A reload waits for the lanes that live. What the other one used is freed with it.
TEST_F(ReloadTest, DoesNotWaitForALaneThatHasEnded) {
  std::vector<std::weak_ptr<const IndicatorSet>> sets;
  IndicatorLoad first = LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")});
  sets.emplace_back(first.set);
  Start(std::move(first), [&sets] {
    IndicatorLoad load = LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
    sets.emplace_back(load.set);
    return load;
  });
  ended_[0].store(true);
  while (!pipeline_->lane(0).ended()) std::this_thread::sleep_for(1ms);
  const uint64_t before = pipeline_->lane(0).Snapshot().alerts.alerts;
  for (uint64_t generation = 2; generation <= 4; ++generation) {
    const Reloader::Outcome outcome = Reload();
    EXPECT_TRUE(outcome.succeeded) << outcome.error;
    EXPECT_EQ(outcome.generation, generation);
  }
  std::this_thread::sleep_for(250ms);  // a lane publishes five times a second
  EXPECT_EQ(pipeline_->lane(0).Snapshot().alerts.alerts, before) << "its last figures stay";
  EXPECT_GT(pipeline_->lane(1).Snapshot().alerts.alerts, 0u) << "the other one goes on";
  Stop();
  EXPECT_EQ(sink_.unresolved + sink_.wrong, 0u);
  EXPECT_EQ(sink_.known(), 1u);
  for (size_t i = 0; i + 1 < sets.size(); ++i) EXPECT_TRUE(sets[i].expired()) << "generation " << i + 1;
}

TEST_F(ReloadTest, AFailedOneKeepsTheSetAndSaysWhy) {
  bool broken = true;
  Start(LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")}), [&broken] {
    if (!broken) return LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
    IndicatorLoad load;
    load.error = "indicators.csv:1: no header";
    return load;
  });
  Reloader::Outcome outcome = Reload();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_EQ(outcome.error, "indicators.csv:1: no header; the 1 indicators of generation 1 stay in use");
  EXPECT_EQ(outcome.generation, 1u);
  const auto failing = [this] {
    Figures figures;
    reloader_->AppendFigures(figures);
    return figures.Value(families::kReloadFailing);
  };
  EXPECT_EQ(failing(), 1);
  broken = false;
  outcome = Reload();
  EXPECT_EQ(failing(), 0);
  EXPECT_TRUE(outcome.succeeded);
  EXPECT_EQ(outcome.generation, 2u);
  Figures figures;
  reloader_->AppendFigures(figures);
  EXPECT_EQ(figures.Value(families::kReloads, "failed"), 1);
  EXPECT_EQ(figures.Value(families::kReloads, "succeeded"), 1);
  EXPECT_EQ(figures.Value(families::kIndicatorGeneration), 2);
  Stop();
  EXPECT_EQ(sink_.unresolved + sink_.wrong, 0u);
}

TEST_F(ReloadTest, AFileThatGaveIndicatorsAndGivesNoneIsAFailure) {
  std::vector<IndicatorFile> files = {{"a.csv", ""}, {"b.csv", ""}, {"licence", "no lists"}};
  IndicatorLoad first = LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")});
  first.files = files;
  Start(std::move(first), [&files] {
    IndicatorLoad load = LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
    load.files = files;
    return load;
  });
  EXPECT_TRUE(Reload().succeeded) << "what never gave any is no failure";
  files[1].unused = "is empty";
  Reloader::Outcome outcome = Reload();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_EQ(outcome.generation, 2u);
  EXPECT_NE(outcome.error.find("b.csv: gave indicators before and gives none now: is empty"), std::string::npos)
      << outcome.error;
  outcome = Reload();
  EXPECT_FALSE(outcome.succeeded) << "asking twice does not help";
  files.erase(files.begin() + 1);
  EXPECT_TRUE(Reload().succeeded) << "a file that was removed is not missed";
  files.push_back({"b.csv", "is empty"});
  EXPECT_TRUE(Reload().succeeded) << "it gave none to the set before";
  Stop();
}

TEST_F(ReloadTest, AFolderThatGaveIndicatorsAndIsReadNoMoreIsAFailure) {
  std::vector<IndicatorFile> files = {{"a.csv", ""}, {"inner/b.csv", ""}};
  IndicatorLoad first = LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")});
  first.files = files;
  Start(std::move(first), [&files] {
    IndicatorLoad load = LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
    load.files = files;
    return load;
  });
  files = {{"a.csv", ""}, {"inn", "a link to a folder"}};
  Reloader::Outcome outcome = Reload();
  EXPECT_TRUE(outcome.succeeded) << "it never gave any: " << outcome.error;
  EXPECT_EQ(outcome.warnings, std::vector<std::string>{"inn is not used: a link to a folder"});
  files = {{"a.csv", ""}, {"inner/b.csv", ""}};
  EXPECT_TRUE(Reload().succeeded);
  files = {{"a.csv", ""}, {"inner", "cannot be listed"}};
  outcome = Reload();
  EXPECT_FALSE(outcome.succeeded);
  EXPECT_NE(outcome.error.find("inner: gave indicators before and gives none now: cannot be listed"), std::string::npos)
      << outcome.error;
  Stop();
}

// Whoever asks is told what the log tells.
TEST_F(ReloadTest, WarnsOfFilesThatAreNotUsedOrShrankAndOfSettingsThatWait) {
  std::vector<IndicatorFile> files = {{"a.csv", "", 10}, {"b.csv", "", 3}, {"c.csv", "cannot be opened"}};
  std::vector<std::string> settings;
  IndicatorLoad first = LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")});
  first.files = files;
  Start(std::move(first), [&] {
    IndicatorLoad load = LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
    load.files = files;
    load.changed_settings = settings;
    return load;
  });
  using Texts = std::vector<std::string>;
  EXPECT_EQ(reloader_->last().warnings, Texts{"c.csv is not used: cannot be opened"}) << "at the start as well";
  files[2].unused.clear();
  files[0].rows = 5;  // half is left
  EXPECT_EQ(Reload().warnings, Texts());
  files[0].rows = 2;
  settings = {"`capture: filter`", "`output`"};
  Reloader::Outcome outcome = Reload();
  EXPECT_TRUE(outcome.succeeded);
  EXPECT_EQ(outcome.warnings,
            (Texts{"a.csv gives 2 rows, but gave 5 before; was it truncated in transfer?",
                   "the configuration was changed at `capture: filter`, `output`; this takes effect at "
                   "the next start"}));
  Figures figures;
  reloader_->AppendFigures(figures);
  EXPECT_EQ(figures.Value(families::kReloadWarnings), 2);
  settings.clear();
  files.erase(files.begin() + 1);
  outcome = Reload();
  EXPECT_EQ(outcome.warnings, Texts());
  EXPECT_EQ(outcome.notes, Texts{"b.csv no longer exists; it gave 3 rows"});
  for (int i = 0; i < 30; ++i) files.push_back({"f" + std::to_string(i), "is empty", 0});
  outcome = Reload();
  ASSERT_EQ(outcome.warnings.size(), Reloader::kFilesTold + 1);
  EXPECT_EQ(outcome.warnings.back(), "10 more files are not used");
  Stop();
}

TEST_F(ReloadTest, TheSensorEndsInTheMiddleOfOne) {
  std::atomic<bool> loading{false};
  Start(LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")}), [&loading] {
    loading.store(true);
    std::this_thread::sleep_for(20ms);
    return LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
  });
  reloader_->Request();
  while (!loading.load()) std::this_thread::sleep_for(1ms);
  Stop();
  EXPECT_EQ(sink_.unresolved + sink_.wrong, 0u);
}

// A compile cannot be broken off; whoever ends the sensor is told so and does not wait for it.
TEST_F(ReloadTest, StopDoesNotWaitForACompile) {
  std::atomic<bool> loading{false}, compiled{false};
  Start(LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")}), [&] {
    loading.store(true);
    while (!compiled.load()) std::this_thread::sleep_for(1ms);
    return LoadOf({MakeIndicator(IndicatorType::kDomain, "odd.example")});
  });
  reloader_->Request();
  while (!loading.load()) std::this_thread::sleep_for(1ms);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(reloader_->Stop(10ms));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  compiled.store(true);
  EXPECT_TRUE(reloader_->Stop(10s));
  EXPECT_FALSE(reloader_->last().succeeded) << "what was compiled meanwhile is not used any more";
  EXPECT_EQ(reloader_->last().generation, 1u);
  Stop();
  EXPECT_EQ(sink_.unresolved + sink_.wrong, 0u);
}

TEST_F(ReloadTest, StopWithoutAReloadIsDoneAtOnce) {
  Start(LoadOf({MakeIndicator(IndicatorType::kDomain, "even.example")}), [] { return IndicatorLoad(); });
  EXPECT_TRUE(reloader_->Stop(10s));
  reloader_->Request();
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(reloader_->last().number, 0u) << "none begins any more";
  Stop();
}

}  // namespace
}  // namespace vedette
