#include "exporter/signature.h"

#include <gtest/gtest.h>

#include <set>

namespace vedette {
namespace {

TEST(Signature, NumbersAreStable) {
  EXPECT_EQ(SignatureId(IndicatorType::kIp, ObservableKind::kIp), 1001u);
  EXPECT_EQ(SignatureId(IndicatorType::kIp, ObservableKind::kDnsAnswer), 1012u);
  EXPECT_EQ(SignatureId(IndicatorType::kDomain, ObservableKind::kDnsQuery), 4011u);
  EXPECT_EQ(SignatureId(IndicatorType::kJa3, ObservableKind::kTlsJa3), 9042u);
  EXPECT_EQ(SignatureId(IndicatorType::kContent, ObservableKind::kPayload), 21'900u);
}

TEST(Signature, EveryPairHasItsOwn) {
  std::set<uint32_t> numbers;
  for (size_t type = 0; type < static_cast<size_t>(IndicatorType::kCount); ++type) {
    for (size_t kind = 0; kind < static_cast<size_t>(kFirstContext); ++kind) {
      const uint32_t number = SignatureId(static_cast<IndicatorType>(type), static_cast<ObservableKind>(kind));
      EXPECT_NE(number % 1000, 0u);
      EXPECT_TRUE(numbers.insert(number).second) << number;
    }
  }
}

TEST(Signature, TextNamesTypeAndPlace) {
  EXPECT_EQ(SignatureText(IndicatorType::kDomain, ObservableKind::kTlsSni), "Shared indicator: domain in tls.sni");
}

TEST(Signature, SeverityGoesByConfidence) {
  IndicatorRecord record;
  EXPECT_EQ(SeverityOf(record), 2u);
  for (const auto& [confidence, severity] : {std::pair{0, 3}, {39, 3}, {40, 2}, {74, 2}, {75, 1}, {100, 1}}) {
    record.confidence = static_cast<uint8_t>(confidence);
    EXPECT_EQ(SeverityOf(record), static_cast<uint32_t>(severity)) << confidence;
  }
}

TEST(Signature, ThreatLevelGoesBeforeConfidence) {
  IndicatorRecord record;
  record.confidence = uint8_t{100};
  record.tags = {"tlp:green", "misp:threat-level=\"medium-risk\""};
  EXPECT_EQ(SeverityOf(record), 2u);
  record.tags = {"misp:threat-level=\"no-risk\""};
  EXPECT_EQ(SeverityOf(record), 3u);
  record.tags = {"misp:threat-level=\"unheard-of\""};
  EXPECT_EQ(SeverityOf(record), 1u);
}

}  // namespace
}  // namespace vedette
