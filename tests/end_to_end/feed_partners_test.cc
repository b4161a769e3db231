// Partners that come and go while the feed runs.
#include "tests/end_to_end/feed_fixture.h"

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
        if (status.id == id) return status.connections == count;
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
  EXPECT_EQ(publisher_->partners()[0].connections, 1u) << "it never had to come back";
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
  EXPECT_EQ(publisher_->partners()[0].connections, 1u);
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

}  // namespace
}  // namespace vedette
