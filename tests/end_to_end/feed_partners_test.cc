// Partners that come and go while the feed runs.
#include "exporter/feed/feed_sink.h"
#include "tests/end_to_end/feed_fixture.h"
#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

class FeedPartners : public FeedFixture {
 protected:
  void SetUp() override {
    FeedFixture::SetUp();
    config_.partners.resize(1);  // cert-a
    config_.batch_delay = 0us;
    OpenFeed();
  }
  PartnerId Add(const std::string& name, const std::string& who) {
    std::string error;
    const std::optional<PartnerId> id = publisher_->Add({name, keys_.at(who).public_key}, error);
    EXPECT_TRUE(id) << error;
    return id.value_or(99);
  }
  std::string WhyNotAdded(const std::string& name, const std::string& key) {
    std::string error;
    EXPECT_FALSE(publisher_->Add({name, key}, error));
    return error;
  }
  bool ConnectionsAre(PartnerId id, size_t count) {
    return PollUntil([&] {
      for (const PartnerStatus& status : publisher_->partners()) {
        if (status.id == id) return status.counters.connections == count;
      }
      return false;
    });
  }
};

TEST_F(FeedPartners, OneKeepsItsFeedWhileAnotherIsAddedAndRemoved) {
  Subscriber first(As("cert-a"));
  ASSERT_TRUE(ConnectionsAre(0, 1));
  std::vector<std::string> sent;
  uint64_t n = 0;
  const auto publish_to_first = [&] {
    for (int i = 0; i < 50; ++i) publisher_->Publish(0, sent.emplace_back(Line("cert-a", ++n)));
    publisher_->Poll();
  };
  publish_to_first();

  const PartnerId id = Add("cert-ab", "cert-ab");
  Subscriber second(As("cert-ab"));
  ASSERT_TRUE(ConnectionsAre(id, 1));
  std::vector<std::string> sent_to_second;
  for (uint64_t i = 1; i <= 20; ++i) {
    publisher_->Publish(id, sent_to_second.emplace_back(Line("cert-ab", i)));
    publish_to_first();
  }
  ASSERT_TRUE(PollUntil([&] { return second.num_lines() == sent_to_second.size(); }));

  EXPECT_TRUE(publisher_->Remove(id));
  EXPECT_FALSE(publisher_->Remove(id));
  EXPECT_FALSE(publisher_->Find("cert-ab"));
  ASSERT_EQ(publisher_->partners().size(), 1u);
  const uint64_t alerts = publisher_->counters().alerts;
  publisher_->Publish(id, Line("cert-ab", 21));  // it is nobody any more
  EXPECT_EQ(publisher_->counters().alerts, alerts);
  publish_to_first();
  // Its connection is ended, and its key is a stranger's: the subscriber gives up.
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().refused_unknown_key != 0; }));
  ASSERT_TRUE(PollUntil([&] { return second.done(); })) << second.events();
  EXPECT_EQ(second.lines(), sent_to_second);
  EXPECT_FALSE(second.Stop().ended) << "nobody said that the feed is over";

  publish_to_first();
  ASSERT_TRUE(PollUntil([&] { return first.num_lines() == sent.size(); }));
  EXPECT_EQ(first.lines(), sent);
  EXPECT_EQ(publisher_->partners()[0].counters.connections, 1u) << "it never had to come back";
  EXPECT_EQ(publisher_->counters().connections, 2u);
  ExpectAccounted(sent.size() + sent_to_second.size());
  EXPECT_EQ(first.Stop().missing, 0u);
}

// In one epoch no number means two alerts: who comes back under its name goes on, and sees no gap and no duplicate.
TEST_F(FeedPartners, OneThatComesBackGoesOnWithItsNumbers) {
  for (uint64_t n = 1; n <= 3; ++n) publisher_->Publish(0, Line("cert-a", n));
  ASSERT_TRUE(publisher_->Remove(0));
  EXPECT_TRUE(publisher_->partners().empty());
  EXPECT_TRUE(publisher_->WaitForPartners(0ms)) << "nobody is waited for";
  const PartnerId again = Add("cert-a", "cert-a");
  EXPECT_NE(again, 0u);
  EXPECT_EQ(publisher_->partners()[0].last, 3u);
  Subscriber subscriber(As("cert-a"));
  ASSERT_TRUE(ConnectionsAre(again, 1));
  publisher_->Publish(again, Line("cert-a", 4));
  ASSERT_TRUE(PollUntil([&] { return subscriber.num_lines() == 1; })) << subscriber.events();
  EXPECT_EQ(subscriber.Stop().missing, 0u);
}

// The name goes to another key: whoever was let in with the former one receives nothing of it, neither what it had
// subscribed to nor what it asks for now.
TEST_F(FeedPartners, AFormerKeyReceivesNothingOfWhoHasItsNameNow) {
  const auto subscribed = Raw("cert-a");
  subscribed->Subscribe("cert-a/");
  ASSERT_TRUE(ConnectionsAre(0, 1));
  const auto silent = Raw("cert-a");  // let in, and has not asked for anything
  ASSERT_TRUE(PollUntil([&] { return publisher_->counters().connections == 2; }));
  ASSERT_TRUE(publisher_->Remove(0));
  const PartnerId successor = Add("cert-a", "cert-ab");
  silent->Subscribe("cert-a/");
  const auto entitled = Raw("cert-ab");
  entitled->Subscribe("cert-a/");
  ASSERT_TRUE(ConnectionsAre(successor, 1));
  for (uint64_t n = 1; n <= 20; ++n) {
    publisher_->Publish(successor, Line("cert-a", n));
    PollFor(5ms);
  }
  EXPECT_NE(HearUntil(*entitled, R"("n":20)").find(R"("n":1,)"), std::string::npos);
  EXPECT_EQ(subscribed->ReceiveAll().find("\"n\":"), std::string::npos);
  EXPECT_EQ(silent->ReceiveAll(), "");
  EXPECT_EQ(publisher_->partners()[0].counters.connections, 1u);
}

TEST_F(FeedPartners, WhatWaitsInTheBatchOfOneThatIsRemovedIsCountedAsDropped) {
  publisher_.reset();
  config_.batch_delay = 10s;
  OpenFeed();
  publisher_->Publish(0, Line("cert-a", 1));
  publisher_->Publish(0, Line("cert-a", 2));
  ASSERT_TRUE(publisher_->Remove(0));
  EXPECT_EQ(publisher_->counters().dropped_alerts, 2u);
  ExpectAccounted(0);
}

TEST_F(FeedPartners, OneThatCannotBeAPartnerIsNotAdded) {
  EXPECT_NE(WhyNotAdded("Not A Name", keys_["cert-ab"].public_key).find("a name is 1 to 64"), std::string::npos);
  EXPECT_NE(WhyNotAdded("cert-a", keys_["cert-ab"].public_key).find("is there twice"), std::string::npos);
  EXPECT_NE(WhyNotAdded("other", keys_["cert-a"].public_key).find("has the key of another"), std::string::npos);
  EXPECT_NE(WhyNotAdded("other", "no key").find("feed partner other"), std::string::npos);
  EXPECT_EQ(publisher_->partners().size(), 1u);
}

// The same for all that a partner is: clearance, constituency, view and counters.
class FeedSinkPartners : public FeedPartners {
 protected:
  void SetUp() override {
    FeedPartners::SetUp();
    records_.Add(IndicatorType::kIp, "89.160.20.112", "t-1", "cert-a");
    policy_ = std::make_unique<AlertPolicy>(records_.Catalogue(),
                                            AlertPolicy::Parts{.sensor = TestSensor(), .partners = &partners_});
    partners_.Add(Described("cert-a", "cert-a"));
    sink_ = std::make_unique<FeedSink>(*publisher_, partners_, *policy_);
  }
  PartnerConfig Described(const std::string& name, const std::string& who, const std::string& prefix = "") {
    PartnerConfig partner{.name = name, .public_key = keys_.at(who).public_key};
    partner.clearance.partner = name;
    partner.clearance.originators = {"*"};
    partner.clearance.unmarked_sources = {"*"};
    partner.clearance.max_tlp = Tlp::kRed;
    std::string reason;
    if (!prefix.empty()) partner.clearance.constituency.prefixes = {ParseIpPrefix(prefix, reason).value()};
    return partner;
  }
  void Tell(int count) {
    for (int i = 0; i < count; ++i) {
      Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
      alert.time_ns += ++told_;
      ASSERT_TRUE(Deliver(alert, *policy_, *sink_));
    }
    sink_->Idle();
  }

  RecordList records_;
  Partners partners_{nullptr};
  std::unique_ptr<AlertPolicy> policy_;
  std::unique_ptr<FeedSink> sink_;
  uint64_t told_ = 0;
};

TEST_F(FeedSinkPartners, ComeAndGoWithTheirViewsAndCounters) {
  Subscriber first(As("cert-a"));
  ASSERT_TRUE(ConnectionsAre(0, 1));
  Tell(3);
  std::string error;
  PartnerConfig guest = Described("cert-ab", "cert-ab", "10.1.2.0/24");
  guest.clearance.only_constituency = true;
  ASSERT_TRUE(sink_->Add(guest, error)) << error;
  EXPECT_FALSE(sink_->Add(guest, error));
  EXPECT_NE(error.find("is there twice"), std::string::npos) << error;
  EXPECT_EQ(partners_.all().size(), 2u);
  const PartnerId id = publisher_->Find("cert-ab").value();
  Subscriber second(As("cert-ab"));
  ASSERT_TRUE(ConnectionsAre(id, 1));
  Tell(4);
  ASSERT_TRUE(PollUntil([&] { return second.num_lines() == 4; })) << second.events();
  // The alert concerns it, and says so; to the other it says nothing of that.
  EXPECT_NE(second.lines()[0].find(R"("matched":"10.1.2.0/24")"), std::string::npos) << second.lines()[0];
  EXPECT_EQ(partners_.Find("cert-ab")->counters.published, 4u);

  EXPECT_TRUE(sink_->Remove("cert-ab"));
  EXPECT_FALSE(sink_->Remove("cert-ab"));
  EXPECT_EQ(partners_.Find("cert-ab"), nullptr) << "its counters end with it";
  EXPECT_TRUE(partners_.constituencies().empty());
  Tell(5);
  ASSERT_TRUE(PollUntil([&] { return second.done(); })) << second.events();
  EXPECT_EQ(second.lines().size(), 4u);
  ASSERT_TRUE(PollUntil([&] { return first.num_lines() == 12; })) << first.events();
  EXPECT_EQ(partners_.Find("cert-a")->counters.published, 12u);
  for (const std::string& line : first.lines()) EXPECT_EQ(line.find("constituency"), std::string::npos) << line;
  EXPECT_EQ(first.Stop().missing, 0u);

  // It may come back, with counters and a constituency of its own.
  ASSERT_TRUE(sink_->Add(Described("cert-ab", "cert-ab", "172.16.0.0/12"), error)) << error;
  Tell(1);
  EXPECT_EQ(partners_.Find("cert-ab")->counters.published, 1u);
}

// Rendered once for all who are shown the same; the bytes are those of a rendering each.
TEST_F(FeedSinkPartners, EqualViewsAreTheSameBytes) {
  std::string error;
  records_[0].originator = "cert-x";
  PartnerConfig deaf = Described("cert-ab", "cert-ab");
  deaf.clearance.originators = {"cert-y"};
  ASSERT_TRUE(sink_->Add(deaf, error)) << error;
  ASSERT_TRUE(sink_->Add(Described("stranger", "stranger"), error)) << error;
  Subscriber first(As("cert-a")), same(As("stranger"));
  ASSERT_TRUE(ConnectionsAre(0, 1));
  ASSERT_TRUE(ConnectionsAre(publisher_->Find("stranger").value(), 1));
  Tell(10);
  ASSERT_TRUE(PollUntil([&] { return first.num_lines() == 10 && same.num_lines() == 10; }));
  EXPECT_EQ(first.lines(), same.lines());
  EXPECT_EQ(partners_.Find("cert-ab")->counters.published, 0u);
  Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  alert.time_ns += 1;
  Reader reader = Reader::Of(7, partners_.Find("stranger")->config.clearance);
  EXPECT_EQ(TextOf(alert, *policy_, reader, *MakeJsonRenderer()), first.lines()[0]);
}

}  // namespace
}  // namespace vedette
