// The feed as partners that keep to its rules see it.
#include <fstream>
#include <iterator>

#include "tests/end_to_end/child_process.h"
#include "tests/end_to_end/feed_fixture.h"

namespace vedette {
namespace {

using Feed = FeedFixture;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(Feed, EachPartnerReceivesItsOwnViewInOrder) {
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  config.stop_at_end = true;
  Subscriber a(config);
  config = As("cert-ab");
  config.stop_at_end = true;
  Subscriber ab(config);
  ASSERT_TRUE(publisher_->WaitForPartners(kLimit)) << log_;
  std::vector<std::string> sent_a, sent_ab;
  for (uint64_t n = 1; n <= 1000; ++n) {
    publisher_->Publish(0, sent_a.emplace_back(Line("cert-a", n)));
    if (n % 3 == 0) publisher_->Publish(1, sent_ab.emplace_back(Line("cert-ab", n)));
  }
  EXPECT_TRUE(publisher_->Close(kLimit));
  ASSERT_TRUE(PollUntil([&] { return a.done() && ab.done(); })) << a.events() << ab.events();
  EXPECT_EQ(a.lines(), sent_a);
  EXPECT_EQ(ab.lines(), sent_ab);
  for (Subscriber* one : {&a, &ab}) {
    const SubscribeSummary& summary = one->Stop();
    EXPECT_TRUE(summary.authenticated && summary.ended);
    EXPECT_EQ(summary.error, "");
    EXPECT_EQ(summary.missing + summary.gaps + summary.malformed + summary.before + summary.duplicates, 0u);
    EXPECT_EQ(summary.epochs, 1u);
  }
  const FeedCounters counters = publisher_->counters();
  EXPECT_EQ(counters.alerts, 1333u);
  EXPECT_EQ(counters.connections, 2u);
  EXPECT_EQ(counters.batches, (1000 + 63) / 64 + (333 + 63) / 64u);
  EXPECT_EQ(counters.dropped_alerts + counters.unheard_alerts, 0u);
  ExpectAccounted(sent_a.size() + sent_ab.size());
}

TEST_F(Feed, ABatchLeavesWhenItIsDue) {
  config_.batch_delay = 5ms;
  OpenFeed();
  Subscriber a(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  publisher_->Publish(0, Line("cert-a", 1));
  ASSERT_TRUE(PollUntil([&] { return a.num_lines() == 1; }));
  EXPECT_EQ(publisher_->counters().batches, 1u);
}

TEST_F(Feed, ThePyzmqExampleReceivesIt) {
  OpenFeed();
  const std::string script = std::string(VEDETTE_SOURCE_DIR) + "/docs/subscribe.py";
  const auto command = [&](const std::string& who) {
    return std::vector<std::string>{"/usr/bin/python3", script, publisher_->endpoint(), Path("server.pub"),
                                    Path(who + ".key"), who};
  };
  ChildProcess a(command("cert-a"));
  ChildProcess ab(command("cert-ab"));
  ASSERT_TRUE(publisher_->WaitForPartners(kLimit)) << log_;
  std::string sent_a, sent_ab;
  for (uint64_t n = 1; n <= 200; ++n) {
    const std::string line = Line("cert-a", n);
    sent_a += line;
    publisher_->Publish(0, line);
  }
  sent_ab = Line("cert-ab", 1);
  publisher_->Publish(1, std::string(2UL * 1024 * 1024, 'x'));  // too large to be sent: number 1 is lost
  publisher_->Publish(1, sent_ab);
  EXPECT_TRUE(publisher_->Close(kLimit));
  EXPECT_EQ(a.Wait(kLimit), 0) << a.err();
  EXPECT_EQ(ab.Wait(kLimit), 0) << ab.err();
  EXPECT_EQ(a.out(), sent_a);
  EXPECT_EQ(a.err(), "the feed has ended, after alert 200\n");
  EXPECT_EQ(ab.out(), sent_ab);
  EXPECT_EQ(ab.err(), "gap: alerts 1 to 1 are missing\nthe feed has ended, after alert 2\n");
}

// feed.md tells partners to pass over events of a later version; so does its example.
TEST_F(Feed, ThePyzmqExamplePassesOverOtherEvents) {
  RawClient server(ZMQ_XPUB);
  server.SetInt(ZMQ_CURVE_SERVER, 1);
  server.SetText(ZMQ_CURVE_SECRETKEY, keys_["server"].secret_key);
  ASSERT_EQ(zmq_bind(server.socket(), "tcp://127.0.0.1:*"), 0);
  char endpoint[100];
  size_t size = sizeof(endpoint);
  ASSERT_EQ(zmq_getsockopt(server.socket(), ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
  ChildProcess a({"/usr/bin/python3", VEDETTE_SOURCE_DIR "/docs/subscribe.py", endpoint, Path("server.pub"),
                  Path("cert-a.key"), "cert-a"});
  const auto until = std::chrono::steady_clock::now() + kLimit;
  while (server.Receive().empty()) ASSERT_LT(std::chrono::steady_clock::now(), until);
  const auto send = [&](const std::string& header, const std::string& body) {
    const std::string frames[] = {"cert-a/", header, body};
    for (int i = 0; i < 3; ++i) zmq_send(server.socket(), frames[i].data(), frames[i].size(), i < 2 ? ZMQ_SNDMORE : 0);
  };
  send(R"({"event_type":"retraction","feed":1,"id":"x"})", "");
  send(R"({"event_type":"alerts","feed":1,"schema":"s","epoch":1,"first":1,"count":1})", "{}\n");
  send(R"({"event_type":"notice"})", "text");
  send(R"({"event_type":"end","feed":1,"schema":"s","epoch":1,"last":1})", "");
  EXPECT_EQ(a.Wait(kLimit), 0) << a.err();
  EXPECT_EQ(a.out(), "{}\n");
  EXPECT_EQ(a.err(), "the feed has ended, after alert 1\n");
}

TEST_F(Feed, TheDocumentedExampleIsTheFile) {
  const std::string page = ReadFile(VEDETTE_SOURCE_DIR "/docs/feed.md");
  const std::string script = ReadFile(VEDETTE_SOURCE_DIR "/docs/subscribe.py");
  ASSERT_FALSE(script.empty());
  EXPECT_NE(page.find(std::string("```python\n").append(script).append("```\n")), std::string::npos);
}

TEST_F(Feed, HeartbeatsCarryNumberAndLoss) {
  config_.heartbeat = 50ms;
  OpenFeed();
  EXPECT_TRUE(publisher_->SetLossCounters(R"({"capture_dropped":7})"));
  EXPECT_FALSE(publisher_->SetLossCounters("no JSON"));
  const std::unique_ptr<RawClient> raw = Raw("cert-a");
  raw->Subscribe("");
  SubscribeConfig config = As("cert-ab");
  config.stop_at_end = true;
  Subscriber ab(config);
  ASSERT_TRUE(publisher_->WaitForPartners(kLimit));
  publisher_->Publish(0, Line("cert-a", 1));
  const std::string heard = HearUntil(*raw, R"("last":1,)");
  EXPECT_NE(heard.find(R"("last":0,)"), std::string::npos) << heard;
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().heartbeats >= 10; }));
  EXPECT_TRUE(publisher_->Close(kLimit));
  ASSERT_TRUE(PollUntil([&] { return ab.done(); }));
  EXPECT_NE(heard.find(R"("interval_ms":50,"dropped_alerts":0,"loss":{"capture_dropped":7}})"), std::string::npos)
      << heard;
  const SubscribeSummary& summary = ab.Stop();
  EXPECT_GE(summary.heartbeats, 3u);
  EXPECT_EQ(summary.alerts, 0u);
  EXPECT_EQ(summary.loss, R"({"capture_dropped":7})");
}

TEST_F(Feed, ALostAlertIsAGap) {
  OpenFeed();
  Subscriber a(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  publisher_->Publish(0, Line("cert-a", 1));
  publisher_->Publish(0, Line("cert-a", 2, 2UL * 1024 * 1024));  // too large
  publisher_->Publish(0, "two\nlines\n");
  publisher_->Publish(0, "none");
  publisher_->Publish(0, Line("cert-a", 5));
  ASSERT_TRUE(PollUntil([&] { return a.num_lines() == 2; }));
  EXPECT_TRUE(a.Said("gap: alerts 2 to 4 of epoch")) << a.events();
  EXPECT_EQ(a.Stop().missing, 3u);
  EXPECT_EQ(a.Stop().gaps, 1u);
  EXPECT_EQ(publisher_->counters().oversized_alerts, 1u);
  EXPECT_EQ(publisher_->counters().malformed_alerts, 2u);
  ExpectAccounted(2);
}

TEST_F(Feed, JoiningLateIsNoGap) {
  OpenFeed();
  for (uint64_t n = 1; n <= 100; ++n) publisher_->Publish(0, Line("cert-a", n));
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().unheard_alerts == 100; }));
  Subscriber a(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  publisher_->Publish(0, Line("cert-a", 101));
  ASSERT_TRUE(PollUntil([&] { return a.num_lines() == 1; }));
  const SubscribeSummary& summary = a.Stop();
  EXPECT_EQ(summary.before, 100u);
  EXPECT_EQ(summary.missing, 0u);
  ExpectAccounted(1);
}

TEST_F(Feed, ARestartIsANewEpoch) {
  OpenFeed();
  Subscriber a(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  const uint64_t first_epoch = publisher_->epoch();
  publisher_->Publish(0, Line("cert-a", 1));
  config_.endpoint = publisher_->endpoint();
  EXPECT_TRUE(publisher_->Close(kLimit));
  publisher_.reset();
  OpenFeed();
  EXPECT_GT(publisher_->epoch(), first_epoch);
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; })) << a.events();
  publisher_->Publish(0, Line("cert-a", 1));
  ASSERT_TRUE(PollUntil([&] { return a.num_lines() == 2; })) << a.events();
  EXPECT_TRUE(a.Said("the sensor has restarted"));
  const SubscribeSummary& summary = a.Stop();
  EXPECT_EQ(summary.epochs, 2u);
  EXPECT_EQ(summary.missing + summary.before + summary.duplicates, 0u);
  EXPECT_EQ(summary.unknown_tails, 0u) << "the end came";
  EXPECT_EQ(summary.connections, 2u);
}

TEST_F(Feed, APartnerMayConnectTwice) {
  OpenFeed();
  Subscriber one(As("cert-a"));
  Subscriber two(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 2; }));
  for (uint64_t n = 1; n <= 500; ++n) publisher_->Publish(0, Line("cert-a", n));
  ASSERT_TRUE(PollUntil([&] { return one.num_lines() == 500 && two.num_lines() == 500; }));
  EXPECT_EQ(one.lines(), two.lines());
  EXPECT_EQ(one.Stop().missing + two.Stop().missing, 0u);
}

TEST_F(Feed, ASlowPartnerLosesAndOnlyIt) {
  config_.high_water_mark = 4;
  OpenFeed();
  const std::unique_ptr<RawClient> slow = Raw("cert-a", ZMQ_SUB, 4);
  slow->SetText(ZMQ_SUBSCRIBE, "cert-a/");
  Subscriber quick(As("cert-ab"));
  ASSERT_TRUE(publisher_->WaitForPartners(kLimit));
  const uint64_t kAlerts = 20'000;
  uint64_t confirmed = 0;
  // The kernel may give its socket more room at any time, so it is seen to stall while alerts come, not at their end.
  bool slow_stalled = false;
  bool quick_stalled = false;
  auto longest = 0ns;
  for (uint64_t n = 1; n <= kAlerts; ++n) {
    const auto begin = std::chrono::steady_clock::now();
    publisher_->Publish(0, Line("cert-a", n, 2000));
    publisher_->Publish(1, Line("cert-ab", n));
    longest = std::max(longest, std::chrono::steady_clock::now() - begin);
    // The quick one reads as fast as alerts come; its queue of four batches is no part of this test.
    if (n % 128 == 0) {
      ASSERT_TRUE(PollUntil([&] { return quick.num_lines() >= n - 64; }));
      confirmed = n;
      const std::vector<PartnerStatus> now = publisher_->partners();
      slow_stalled |= now[0].stalled;
      quick_stalled |= now[1].stalled;
    }
  }
  ASSERT_TRUE(PollUntil([&] { return quick.num_lines() == kAlerts; }))
      << confirmed << " " << quick.num_lines() << " dropped " << publisher_->partners()[1].counters.dropped_alerts
      << "\n"
      << quick.events() << log_;
  EXPECT_EQ(quick.Stop().missing, 0u);
  EXPECT_LT(longest, 1s) << "Publish waited";
  const FeedCounters counters = publisher_->counters();
  EXPECT_GT(counters.dropped_alerts, 0u);
  EXPECT_GT(counters.dropped_batches, 0u);
  const std::vector<PartnerStatus> partners = publisher_->partners();
  EXPECT_TRUE(slow_stalled);
  EXPECT_EQ(partners[0].counters.dropped_alerts, counters.dropped_alerts);
  EXPECT_FALSE(quick_stalled);
  EXPECT_EQ(partners[1].counters.dropped_alerts, 0u);
  EXPECT_TRUE(Logged("partner cert-a reads too slowly")) << log_;
  // What its queues and sockets still hold arrives, and that is all that was not dropped.
  uint64_t arrived = 0;
  ASSERT_TRUE(PollUntil([&] {
    const std::string more = slow->ReceiveAll();
    for (size_t at = more.find(R"({"view":)"); at != more.npos; at = more.find(R"({"view":)", at + 1)) ++arrived;
    return arrived + publisher_->counters().dropped_alerts == kAlerts;
  })) << arrived;
  ExpectAccounted(arrived + kAlerts);
}

TEST_F(Feed, APartnerThatReadsAgainSeesWhatItLost) {
  config_.high_water_mark = 4;
  config_.heartbeat = 100ms;
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  config.stop_at_end = true;
  Subscriber a(config, 1ms);
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  uint64_t n = 0;
  while (publisher_->counters().dropped_alerts < 1000 && n < 1'000'000)
    publisher_->Publish(0, Line("cert-a", ++n, 20'000));
  const uint64_t dropped = publisher_->counters().dropped_alerts;
  ASSERT_GE(dropped, 1000u);
  // Heartbeats get through once there is room, and tell.
  ASSERT_TRUE(PollUntil([&] { return a.num_lines() == n - dropped; }))
      << a.num_lines() << " of " << n << "-" << dropped;
  publisher_->Publish(0, Line("cert-a", ++n));
  ASSERT_TRUE(PollUntil([&] { return a.num_lines() == n - dropped; }));
  EXPECT_TRUE(publisher_->Close(kLimit));
  ASSERT_TRUE(PollUntil([&] { return a.done(); }));
  const SubscribeSummary& summary = a.Stop();
  EXPECT_EQ(summary.missing, dropped);
  EXPECT_EQ(summary.dropped_by_sensor, dropped);
  ExpectAccounted(summary.alerts);
  EXPECT_TRUE(Logged("partner cert-a reads again")) << log_;
}

TEST_F(Feed, AReplayWaitsForItsPartners) {
  config_.high_water_mark = 4;
  config_.lossless_wait = kLimit;
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  config.stop_at_end = true;
  Subscriber a(config, 50us);
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  const uint64_t kAlerts = 20'000;  // 40 MB: more than sockets and queues hold
  for (uint64_t n = 1; n <= kAlerts; ++n) publisher_->Publish(0, Line("cert-a", n, 2000));
  EXPECT_TRUE(publisher_->Close(kLimit));
  ASSERT_TRUE(PollUntil([&] { return a.done(); }));
  const SubscribeSummary& summary = a.Stop();
  EXPECT_EQ(summary.alerts, kAlerts);
  EXPECT_EQ(summary.missing, 0u);
  ExpectAccounted(kAlerts);
  EXPECT_EQ(publisher_->counters().dropped_alerts, 0u);
}

TEST_F(Feed, AReplayWaitsOnlySoLong) {
  config_.high_water_mark = 4;
  config_.lossless_wait = 300ms;
  OpenFeed();
  const std::unique_ptr<RawClient> slow = Raw("cert-a", ZMQ_SUB, 4);
  slow->SetText(ZMQ_SUBSCRIBE, "");
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t n = 1; n <= 10'000; ++n) publisher_->Publish(0, Line("cert-a", n, 2000));
  EXPECT_GT(publisher_->counters().dropped_batches, 10u);
  EXPECT_FALSE(publisher_->Close(300ms)) << "not everything was handed over";
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GT(took, 300ms);
  EXPECT_LT(took, 5s) << "waited more than once";
}

TEST_F(Feed, AStopEndsTheWait) {
  std::atomic<bool> stop{false};
  config_.stop = &stop;
  config_.high_water_mark = 1;
  config_.lossless_wait = 60s;
  OpenFeed();
  const std::unique_ptr<RawClient> slow = Raw("cert-a", ZMQ_SUB, 1);
  slow->SetText(ZMQ_SUBSCRIBE, "");
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  std::thread signal([&] {
    std::this_thread::sleep_for(500ms);
    stop = true;
  });
  const auto begin = std::chrono::steady_clock::now();
  for (uint64_t n = 1; !stop; ++n) publisher_->Publish(0, Line("cert-a", n, 2000));
  EXPECT_FALSE(publisher_->WaitForPartners(60s));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
  signal.join();
}

TEST_F(Feed, SaysWhenASensorIsNotThere) {
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  publisher_.reset();
  config.idle_seconds = 1;
  Subscriber a(config);
  const auto until = std::chrono::steady_clock::now() + kLimit;
  while (!a.done() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
  EXPECT_NE(a.Stop().error.find("cannot be reached"), std::string::npos) << a.Stop().error;
  EXPECT_TRUE(a.Said("cannot be reached yet")) << a.events();
}

TEST_F(Feed, IdlenessStopsASubscriber) {
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  config.idle_seconds = 1;
  Subscriber a(config);
  ASSERT_TRUE(PollUntil([&] { return a.done(); }));
  EXPECT_EQ(a.Stop().error, "");
  EXPECT_TRUE(a.Stop().authenticated);
}

TEST_F(Feed, ASubscriberStopsAfterItsNumber) {
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  config.stop_after = 10;
  Subscriber a(config);
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  for (uint64_t n = 1; n <= 100; ++n) publisher_->Publish(0, Line("cert-a", n));
  ASSERT_TRUE(PollUntil([&] { return a.done(); }));
  EXPECT_EQ(a.num_lines(), 10u);
}

TEST_F(Feed, ConfigurationErrorsNameTheThing) {
  const auto error_with = [this](const std::function<void(FeedConfig&)>& change) {
    FeedConfig config = config_;
    change(config);
    std::string error;
    EXPECT_EQ(FeedPublisher::Open(config, error), nullptr);
    return error;
  };
  const auto expect = [](const std::string& error, const std::string& part) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  OpenFeed();
  expect(error_with([&](FeedConfig& c) { c.endpoint = publisher_->endpoint(); }), "the port is taken");
  expect(error_with([](FeedConfig& c) { c.endpoint = "tcp://192.0.2.1:*"; }), "no such address");
  expect(error_with([](FeedConfig& c) { c.endpoint = "tcp://127.0.0.1"; }), "tcp://ADDRESS:PORT");
  expect(error_with([](FeedConfig& c) { c.endpoint = "ipc:///tmp/x"; }), "tcp://ADDRESS:PORT");
  expect(error_with([](FeedConfig& c) { c.endpoint = "tcp://127.0.0.1:99999"; }), "tcp://ADDRESS:PORT");
  expect(error_with([&](FeedConfig& c) { c.secret_key_file = Path("none.key"); }), "none.key");
  expect(error_with([](FeedConfig& c) { c.partners.clear(); }), "no partner");
  expect(error_with([](FeedConfig& c) { c.partners[0].name = "Cert A"; }), "'Cert A'");
  expect(error_with([](FeedConfig& c) { c.partners[0].name = "cert-ab"; }), "cert-ab is there twice");
  expect(error_with([](FeedConfig& c) { c.partners[1].public_key = c.partners[0].public_key; }), "cert-ab has the key");
  expect(error_with([](FeedConfig& c) { c.partners[1].public_key = std::string("x"); }), "partner cert-ab: 'x'");
  expect(error_with([](FeedConfig& c) { c.batch_alerts = 0; }), "batch");
  expect(error_with([](FeedConfig& c) { c.heartbeat = 0ms; }), "heartbeat");
  std::string error;
  FeedConfig any = config_;
  any.endpoint = "tcp://127.0.0.1:0";
  EXPECT_NE(FeedPublisher::Open(any, error), nullptr) << error;
}

}  // namespace
}  // namespace vedette
