#include "exporter/feed/connections.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(ConnectionToken, ComesBackAsWritten) {
  const std::optional<ConnectionToken> token = ReadToken(WriteToken({.partner = 7, .serial = 12, .admitted = 34}));
  ASSERT_TRUE(token);
  EXPECT_EQ(token->partner, 7u);
  EXPECT_EQ(token->serial, 12u);
  EXPECT_EQ(token->admitted, 34u);
  for (const char* text : {"", ".", "..", "1.2.", ".1.2", "1..2", "1", "1.2", "1.2.3.4", "a.b.c", "1.-1.2",
                           "1.2.99999999999999999999999"}) {
    EXPECT_FALSE(ReadToken(text)) << text;
  }
}

TEST(ConnectionLedger, AConnectionLivesUntilItsDescriptorIsDisconnected) {
  ConnectionLedger ledger;
  const ConnectionToken token = ledger.Admit(0);
  ASSERT_NE(ledger.Find(token, 9), nullptr);
  ledger.OnDisconnected(8);
  ASSERT_NE(ledger.Find(token, 9), nullptr);
  ledger.OnDisconnected(9);
  EXPECT_EQ(ledger.Find(token, 9), nullptr);
}

TEST(ConnectionLedger, AMessageOfAnEndedConnectionIsNotTheNextOnesOnThatDescriptor) {
  ConnectionLedger ledger;
  const ConnectionToken first = ledger.Admit(0);
  ledger.OnDisconnected(9);  // before its subscription is read
  const ConnectionToken second = ledger.Admit(1);
  EXPECT_EQ(ledger.Find(first, 9), nullptr);
  EXPECT_NE(ledger.Find(second, 9), nullptr);
  EXPECT_EQ(ledger.Find(first, 9), nullptr);
}

TEST(ConnectionLedger, ADescriptorUsedAgainIsAlive) {
  ConnectionLedger ledger;
  for (int i = 0; i < 3; ++i) {
    const ConnectionToken token = ledger.Admit(0);
    ASSERT_NE(ledger.Find(token, 9), nullptr);
    ledger.OnDisconnected(9);
    ASSERT_EQ(ledger.Find(token, 9), nullptr);
  }
}

TEST(ConnectionLedger, CountsWhatIsGranted) {
  ConnectionLedger ledger;
  const ConnectionToken a = ledger.Admit(0);
  const ConnectionToken b = ledger.Admit(0);
  const ConnectionToken c = ledger.Admit(1);
  ledger.Find(a, 1)->granted = 1;
  ledger.Find(b, 2)->granted = 2;
  ledger.Find(c, 3);
  EXPECT_EQ(ledger.NumGranted(0), 2u);
  EXPECT_EQ(ledger.NumGranted(1), 0u);
  EXPECT_EQ(ledger.Oldest(0)->descriptor, 1);
  const auto granted = [&](PartnerId partner) {
    std::vector<int> descriptors;
    ledger.ForEachGranted(partner, [&](const auto& one) { descriptors.push_back(one.descriptor); });
    return descriptors;
  };
  EXPECT_EQ(granted(0), (std::vector<int>{1, 2}));
  EXPECT_EQ(granted(1), std::vector<int>{});
  ledger.Oldest(0)->closing = true;
  EXPECT_EQ(ledger.NumGranted(0), 1u);
  EXPECT_EQ(granted(0), std::vector<int>{2});
  EXPECT_EQ(ledger.Oldest(0)->descriptor, 2);
  ledger.OnDisconnected(1);
  EXPECT_EQ(ledger.Oldest(0)->descriptor, 2);
}

}  // namespace
}  // namespace vedette
