// The feed as seen by those who do not keep to its rules: strangers, a partner that wants more than its view, a sensor
// that sends nonsense.
#include "exporter/feed/wire_format.h"
#include "tests/end_to_end/feed_fixture.h"

namespace vedette {
namespace {

using FeedRefusal = FeedFixture;

TEST_F(FeedRefusal, UnknownKey) {
  OpenFeed();
  SubscribeConfig config = As("stranger");
  config.view = "cert-a";
  Subscriber stranger(config);
  ASSERT_TRUE(PollUntil([&] { return stranger.done(); }));
  const SubscribeSummary& summary = stranger.Stop();
  EXPECT_FALSE(summary.authenticated);
  EXPECT_NE(summary.error.find("does not know our public key"), std::string::npos) << summary.error;
  EXPECT_GE(publisher_->counters().refused_unknown_key, 1u);
  EXPECT_EQ(publisher_->counters().connections, 0u);
  EXPECT_TRUE(Logged("unknown client key " + keys_["stranger"].public_key + " from 127.0.0.1")) << log_;
}

TEST_F(FeedRefusal, UnknownKeyReceivesNothing) {
  OpenFeed();
  const std::unique_ptr<RawClient> stranger = Raw("stranger");
  stranger->Subscribe("");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().refused_unknown_key > 0; }));
  publisher_->Publish(0, Line("cert-a", 1));
  PollFor(100ms);
  EXPECT_EQ(stranger->ReceiveAll(), "");
}

// Server and client both see that they differ. Where the client is first, it closes, and all that the server knows is
// that the handshake was not completed.
TEST_F(FeedRefusal, PlaintextClient) {
  OpenFeed();
  const auto refused = [&] {
    return publisher_->counters().refused_not_curve + publisher_->counters().refused_handshakes;
  };
  for (uint64_t i = 1; i <= 100 && publisher_->counters().refused_not_curve == 0; ++i) {
    RawClient plain(ZMQ_SUB);
    plain.SetText(ZMQ_SUBSCRIBE, "");
    plain.Connect(publisher_->endpoint());
    ASSERT_TRUE(PollUntil([&] { return refused() >= i; }));
    publisher_->Publish(0, Line("cert-a", i));
    PollFor(10ms);
    EXPECT_EQ(plain.ReceiveAll(), "");
  }
  EXPECT_GT(publisher_->counters().refused_not_curve, 0u);
  EXPECT_EQ(publisher_->counters().connections, 0u);
  EXPECT_TRUE(Logged("does not encrypt")) << log_;
}

TEST_F(FeedRefusal, WrongServerKey) {
  OpenFeed();
  SubscribeConfig config = As("cert-a");
  config.server_public_key = Path("stranger.pub");
  Subscriber a(config);
  ASSERT_TRUE(PollUntil([&] { return a.done(); }));
  const SubscribeSummary& summary = a.Stop();
  EXPECT_FALSE(summary.authenticated);
  EXPECT_NE(summary.error.find("public key"), std::string::npos) << summary.error;
  EXPECT_GE(publisher_->counters().refused_wrong_server_key, 1u);
  EXPECT_EQ(publisher_->counters().connections, 0u);
}

// Here too either side may be first to see it.
TEST_F(FeedRefusal, AServerThatDoesNotEncrypt) {
  OpenFeed();
  RawClient server(ZMQ_XPUB);
  ASSERT_EQ(zmq_bind(server.socket(), "tcp://127.0.0.1:*"), 0);
  char endpoint[100];
  size_t size = sizeof(endpoint);
  ASSERT_EQ(zmq_getsockopt(server.socket(), ZMQ_LAST_ENDPOINT, endpoint, &size), 0);
  SubscribeConfig config = As("cert-a");
  config.endpoint = endpoint;
  Subscriber a(config);
  ASSERT_TRUE(PollUntil([&] { return a.done(); }));
  EXPECT_FALSE(a.Stop().authenticated);
  EXPECT_NE(a.Stop().error.find("not the feed"), std::string::npos) << a.Stop().error;
}

TEST_F(FeedRefusal, FilesOfASubscriber) {
  OpenFeed();
  std::atomic<bool> stop{false};
  const auto error_with = [&](const std::function<void(SubscribeConfig&)>& change) {
    SubscribeConfig config = As("cert-a");
    change(config);
    return Subscribe(
               config, [](std::string_view) { return true; }, [](std::string_view) {}, stop)
        .error;
  };
  EXPECT_NE(error_with([&](SubscribeConfig& c) { c.secret_key_file = Path("no.key"); }).find("no.key"),
            std::string::npos);
  EXPECT_NE(error_with([&](SubscribeConfig& c) { c.server_public_key = Path("no.pub"); }).find("no.pub"),
            std::string::npos);
  EXPECT_NE(error_with([](SubscribeConfig& c) { c.view = "A"; }).find("'A'"), std::string::npos);
  EXPECT_NE(error_with([](SubscribeConfig& c) { c.endpoint = "localhost"; }).find("tcp://"), std::string::npos);
  for (const char* endpoint : {"tcp://x", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:", "tcp://127.0.0.1:*"}) {
    EXPECT_NE(error_with([&](SubscribeConfig& c) { c.endpoint = endpoint; }).find("write it as tcp://"),
              std::string::npos)
        << endpoint;
  }
  EXPECT_NE(error_with([&](SubscribeConfig& c) { c.secret_key_file = Path("cert-a.pub"); }).find("the public key"),
            std::string::npos);
}

// What a subscription asks for never widens what it gets. An XSUB filters nothing on its side, so this is what was
// sent.
TEST_F(FeedRefusal, NoSubscriptionReachesAnotherView) {
  OpenFeed();
  const std::unique_ptr<RawClient> a = Raw("cert-a");
  for (const char* topic : {"", "c", "cert-a", "cert-a/", "cert-ab", "cert-ab/", "other", "cert-a/x"})
    a->Subscribe(topic);
  Subscriber ab(As("cert-ab"));
  ASSERT_TRUE(publisher_->WaitForPartners(kLimit));
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().refused_subscriptions == 4; })) << log_;
  publisher_->Publish(0, Line("cert-a", 1));
  publisher_->Publish(1, Line("cert-ab", 1));
  ASSERT_TRUE(PollUntil([&] { return ab.num_lines() == 1; }));
  const std::string heard = HearUntil(*a, Line("cert-a", 1));
  EXPECT_NE(heard.find("cert-a/|"), std::string::npos) << heard;
  EXPECT_EQ(heard.find("cert-ab"), std::string::npos) << heard;
  EXPECT_EQ(ab.lines(), std::vector<std::string>{Line("cert-ab", 1)});
  EXPECT_TRUE(Logged("asked for 'cert-ab/'")) << log_;
}

TEST_F(FeedRefusal, AForeignSubscriptionAloneGetsNothing) {
  OpenFeed();
  const std::unique_ptr<RawClient> a = Raw("cert-a");
  a->Subscribe("cert-ab/");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().refused_subscriptions == 1; }));
  publisher_->Publish(0, Line("cert-a", 1));
  publisher_->Publish(1, Line("cert-ab", 1));
  PollFor(50ms);
  EXPECT_EQ(a->ReceiveAll(), "");
}

// Nobody tells a subscriber that its view is another's or none: silence does.
TEST_F(FeedRefusal, AWrongViewIsToldToTheSubscriber) {
  OpenFeed();
  for (const bool idle_first : {false, true}) {
    for (const char* view : {"cert-ab", "cert-x"}) {
      SubscribeConfig config = As("cert-a");
      config.view = view;
      if (idle_first) config.idle_seconds = 1;
      if (!idle_first) config.greeting_limit = 500ms;
      Subscriber a(config);
      ASSERT_TRUE(PollUntil([&] { return a.done(); }));
      EXPECT_TRUE(a.Stop().authenticated);
      EXPECT_NE(a.Stop().error.find("is the view `" + std::string(view) + "` right?"), std::string::npos)
          << a.Stop().error;
    }
  }
  EXPECT_TRUE(Logged("asked for 'cert-ab/'")) << log_;
  SubscribeConfig config = As("cert-a");
  config.greeting_limit = 500ms;
  Subscriber right(config);
  PollFor(1500ms);
  EXPECT_FALSE(right.done()) << right.Stop().error;
}

TEST_F(FeedRefusal, UnsubscribingEndsIt) {
  OpenFeed();
  const std::unique_ptr<RawClient> a = Raw("cert-a");
  a->Subscribe("");
  a->Subscribe("cert-a");
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  a->Send(std::string("\0", 1));
  PollFor(100ms);
  EXPECT_EQ(Connections(0), 1u) << "one subscription is left";
  a->Send(std::string("\0cert-a", 7));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 0; }));
  a->ReceiveAll();
  publisher_->Publish(0, Line("cert-a", 1));
  PollFor(50ms);
  EXPECT_EQ(a->ReceiveAll(), "");
}

// libzmq keeps messages and the connections of subscriptions in two queues, which a message that is no subscription
// brings out of step: whoever subscribes next would be granted what the one after it may have.
TEST_F(FeedRefusal, AMessageIntoTheFeedDoesNotMixUpConnections) {
  OpenFeed();
  for (int round = 0; round < 5; ++round) {
    const std::unique_ptr<RawClient> hostile = Raw("cert-a");
    const std::unique_ptr<RawClient> honest = Raw("cert-ab");
    const uint64_t before = publisher_->counters().connections;
    ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == before + 2; }));
    PollFor(20ms);
    // In this order at the publisher: message, the other's subscription, our own. Publishing makes libzmq take note,
    // while messages are only read in Poll.
    const auto let_arrive = [&] {
      std::this_thread::sleep_for(20ms);
      for (int i = 0; i < 64; ++i) publisher_->Publish(0, Line("cert-a", 0));
    };
    hostile->Send("hello");
    let_arrive();
    honest->Subscribe("");
    let_arrive();
    hostile->Subscribe("");
    let_arrive();
    PollFor(50ms);
    for (uint64_t n = 1; n <= 3; ++n) {
      publisher_->Publish(0, Line("cert-a", n));
      publisher_->Publish(1, Line("cert-ab", n));
    }
    PollFor(50ms);
    EXPECT_EQ(hostile->ReceiveAll().find("cert-ab"), std::string::npos);
    // The honest one was sent away in doubt; it has come back by itself and been let in.
    std::string heard;
    ASSERT_TRUE(PollUntil([&] {
      heard += honest->ReceiveAll();
      return Connections(1) == 1;
    })) << log_
        << publisher_->counters().closed_connections << " closed";
    publisher_->Publish(1, Line("cert-ab", 9));
    heard += HearUntil(*honest, Line("cert-ab", 9));
    EXPECT_EQ(heard.find("\"cert-a\""), std::string::npos) << heard;
    EXPECT_EQ(publisher_->counters().protocol_breaches, 1u);
    EXPECT_TRUE(Logged("sent a message into the feed")) << log_;
    ASSERT_TRUE(PollUntil([&] { return publisher_->counters().refused_suspended > 0; })) << "it tries again";
    publisher_.reset();
    OpenFeed();
  }
}

// A subscription that is read after its connection has ended: to grant it would be to use freed memory.
TEST_F(FeedRefusal, AConnectionThatEndsAtOnce) {
  OpenFeed();
  Subscriber ab(As("cert-ab"));
  ASSERT_TRUE(PollUntil([&] { return Connections(1) == 1; }));
  for (uint64_t round = 1; round <= 20; ++round) {
    const std::unique_ptr<RawClient> a = Raw("cert-a");
    const uint64_t before = publisher_->counters().connections;
    ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == before + 1; }));
    a->Subscribe("");
    std::this_thread::sleep_for(5ms);
    a->Close();
    // Publishing makes libzmq take note of both, while subscriptions are only read in Poll.
    for (int i = 0; i < 20; ++i) {
      for (int j = 0; j < 64; ++j) publisher_->Publish(1, Line("cert-ab", 0));
      std::this_thread::sleep_for(1ms);
    }
    publisher_->Poll();
    for (int j = 0; j < 64; ++j) publisher_->Publish(0, Line("cert-a", round));
    PollFor(5ms);
    EXPECT_EQ(Connections(0), 0u);
  }
  EXPECT_GT(publisher_->counters().ended_subscriptions, 0u) << "the case did not come up";
  ASSERT_TRUE(PollUntil([&] { return ab.num_lines() == 20UL * 20 * 64; }));
  EXPECT_EQ(ab.Stop().missing, 0u);
}

TEST_F(FeedRefusal, SubscriptionsWithoutEnd) {
  OpenFeed();
  const std::unique_ptr<RawClient> a = Raw("cert-a");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == 1; }));
  for (int i = 0; i < 100; ++i) a->Subscribe(std::to_string(i) + std::string(1000, 'x'));
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().closed_connections > 0; })) << log_;
  EXPECT_TRUE(Logged("subscribes without end")) << log_;
  EXPECT_LE(publisher_->counters().refused_subscriptions, 20u);
}

TEST_F(FeedRefusal, AMessageThatIsTooLongEndsTheConnection) {
  OpenFeed();
  const std::unique_ptr<RawClient> a = Raw("cert-a");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == 1; }));
  a->Send("\x01" + std::string(100'000, 'x'));
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections >= 2; })) << "it comes back";
  EXPECT_EQ(Connections(0), 0u);
}

TEST_F(FeedRefusal, OnlySoManyConnectionsOfOnePartner) {
  OpenFeed();
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  for (size_t i = 1; i <= 8; ++i) {
    subscribers.push_back(std::make_unique<Subscriber>(As("cert-a")));
    ASSERT_TRUE(PollUntil([&] { return Connections(0) == i; }));
  }
  Subscriber ninth(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return ninth.Said("does not let us in now"); })) << ninth.events();
  EXPECT_TRUE(Logged("it has 8 connections")) << log_;
  EXPECT_EQ(publisher_->counters().refused_too_many, 1u);
  // Nobody is thrown out for it.
  PollFor(100ms);
  EXPECT_EQ(Connections(0), 8u);
  EXPECT_EQ(publisher_->counters().closed_connections, 0u);
  EXPECT_FALSE(ninth.done());
  // Once there is room it comes in by itself.
  subscribers.pop_back();
  ASSERT_TRUE(PollUntil([&] { return ninth.Said("epoch") && Connections(0) == 8; })) << ninth.events();
  publisher_->Publish(0, Line("cert-a", 1));
  ASSERT_TRUE(PollUntil([&] { return ninth.num_lines() == 1; })) << ninth.events();
}

// Those that came before the first of them asked for its view are counted then.
TEST_F(FeedRefusal, ConnectionsThatComeTogetherAreCountedToo) {
  OpenFeed();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 9; ++i) {
    clients.push_back(Raw("cert-a"));
  }
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == 9; }));
  for (const auto& client : clients) client->Subscribe("");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().closed_connections == 1; }));
  PollFor(50ms);
  EXPECT_EQ(Connections(0), 8u);
  EXPECT_GE(publisher_->counters().refused_too_many, 1u);
}

// Else they would hold descriptors without being counted, until there are none for others.
TEST_F(FeedRefusal, AConnectionThatTakesNoViewIsEnded) {
  config_.idle_limit = 300ms;
  OpenFeed();
  Subscriber good(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; }));
  const auto silent = Raw("cert-a");
  const auto wrong = Raw("cert-a");
  wrong->Subscribe("cert-b/");
  const auto leaving = Raw("cert-a");
  leaving->Subscribe("");
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 2; }));
  leaving->Send(std::string(1, '\0'));  // of an XSUB: unsubscribes
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().closed_connections >= 3; }));
  EXPECT_TRUE(Logged("requested no view")) << log_;
  EXPECT_EQ(Connections(0), 1u);
  publisher_->Publish(0, Line("cert-a", 1));
  ASSERT_TRUE(PollUntil([&] { return good.num_lines() == 1; })) << good.events();
}

// A program that hangs, or a machine that vanished without a word, must not cost the partner's others their alerts;
// whichever came first.
TEST_F(FeedRefusal, AConnectionThatStandsStillGivesWay) {
  config_.high_water_mark = 8;
  for (const bool hanging_first : {true, false}) {
    OpenFeed();
    std::unique_ptr<RawClient> hanging;
    const auto hang = [&] {
      hanging = std::make_unique<RawClient>(ZMQ_SUB);
      hanging->SetInt(ZMQ_RCVHWM, 1);
      hanging->SetInt(ZMQ_RECONNECT_IVL, -1);
      hanging->SetKeys(keys_["cert-a"], keys_["server"].public_key);
      hanging->SetText(ZMQ_SUBSCRIBE, "");
      hanging->Connect(publisher_->endpoint());
    };
    if (hanging_first) hang();
    ASSERT_TRUE(PollUntil([&] { return Connections(0) == (hanging_first ? 1u : 0u); }));
    Subscriber a(As("cert-a"));
    ASSERT_TRUE(PollUntil([&] { return Connections(0) == (hanging_first ? 2u : 1u); }));
    if (!hanging_first) hang();
    ASSERT_TRUE(PollUntil([&] { return Connections(0) == 2; }));
    uint64_t n = 0;
    while (Connections(0) == 2 && n < 100'000) {
      for (int i = 0; i < 64; ++i) publisher_->Publish(0, Line("cert-a", ++n, 2000));
      ASSERT_TRUE(PollUntil([&] { return a.num_lines() == n; })) << n << " " << a.num_lines() << "\n" << log_;
    }
    EXPECT_EQ(Connections(0), 1u);
    EXPECT_TRUE(Logged("one does not read; closing that one")) << log_;
    EXPECT_EQ(publisher_->counters().dropped_alerts, 0u);
    EXPECT_EQ(publisher_->counters().closed_connections, 1u);
    const SubscribeSummary& summary = a.Stop();
    EXPECT_EQ(summary.missing, 0u) << "hanging first: " << hanging_first;
    EXPECT_EQ(summary.connections, 1u);
    EXPECT_EQ(summary.error, "");
    publisher_.reset();
    log_.clear();
  }
}

// Its operator has been told, and lets it in without a restart.
TEST_F(FeedRefusal, ASuspendedPartnerIsReadmitted) {
  OpenFeed();
  EXPECT_FALSE(publisher_->Readmit(0)) << "it is not suspended";
  EXPECT_FALSE(publisher_->Readmit(99));
  const std::unique_ptr<RawClient> hostile = Raw("cert-a");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == 1; }));
  hostile->Send("hello");
  ASSERT_TRUE(PollUntil([&] { return publisher_->partners()[0].counters.suspended; }));
  hostile->Close();
  Subscriber a(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return a.Said("does not let us in now"); })) << a.events();
  EXPECT_TRUE(publisher_->Readmit(0));
  EXPECT_FALSE(publisher_->partners()[0].counters.suspended);
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; })) << a.events();
  EXPECT_TRUE(Logged("partner cert-a is readmitted")) << log_;
  EXPECT_EQ(a.Stop().error, "");
}

// What it did wrong may be mended: a program that starts again by itself must not need a person on both sides.
TEST_F(FeedRefusal, ASuspendedPartnerIsToldAndTriesOn) {
  OpenFeed();
  const std::unique_ptr<RawClient> hostile = Raw("cert-a");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == 1; }));
  EXPECT_FALSE(publisher_->partners()[0].counters.suspended);
  hostile->Send("hello");
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().protocol_breaches == 1; }));
  EXPECT_TRUE(publisher_->partners()[0].counters.suspended);
  EXPECT_FALSE(publisher_->partners()[1].counters.suspended);
  hostile->Close();
  Subscriber a(As("cert-a"));
  ASSERT_TRUE(PollUntil([&] { return a.Said("does not let us in now"); })) << a.events();
  EXPECT_FALSE(a.done());
  config_.endpoint = publisher_->endpoint();
  publisher_.reset();
  OpenFeed();
  ASSERT_TRUE(PollUntil([&] { return Connections(0) == 1; })) << a.events();
  EXPECT_EQ(a.Stop().error, "");
}

}  // namespace
}  // namespace vedette
