#include "exporter/alert/signature.h"

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

// The text of a hit of `source` on the listed bad.example.
std::string TextOf(std::string_view source, std::string_view value = "bad.example",
                   std::string_view seen = "c2.bad.example") {
  IndicatorRecord hit;
  hit.type = IndicatorType::kDomain;
  hit.value = value;
  hit.source = source;
  return SignatureText(hit, ObservableKind::kTlsSni, seen);
}

const std::string kBare = "Shared indicator: domain in tls.sni";

TEST(Signature, TextNamesTypePlaceAndSource) {
  EXPECT_EQ(TextOf("cert-a"), kBare + ", listed by cert-a");
  EXPECT_EQ(TextOf("MISP Feed 7 (daily)"), kBare + ", listed by MISP Feed 7 _daily_");
  EXPECT_EQ(TextOf("CERT-\xc3\x96sterreich"), kBare + ", listed by CERT-\xc3\x96sterreich");
  EXPECT_EQ(TextOf(""), kBare);
}

TEST(Signature, TextNeverTellsTheValue) {
  // Lists are named after their files, and some files after what they list.
  for (const char* source : {"bad.example", "BAD.EXAMPLE", "list-of-bad.example-2026", "bad[.]example", "bad_example",
                             "bad\xe2\x80\x8b.example", "http://bad.example/", "c2.bad.example", "c2[.]bad[.]example"})
    EXPECT_EQ(TextOf(source), kBare) << source;
  EXPECT_EQ(TextOf("bad.exampl"), kBare) << "most of it";
  EXPECT_EQ(TextOf("bad"), kBare + ", listed by bad") << "a word of it tells nothing that a name does not";
  EXPECT_EQ(TextOf("feed", ".*", "x"), kBare + ", listed by feed");
  EXPECT_EQ(TextOf("feed", "ee", "ee"), kBare);
  EXPECT_EQ(TextOf("a \xc3\x96 b", "\xc3\x96", "-"), kBare) << "without ASCII letters";
  const std::string long_value(500, 'x');
  EXPECT_EQ(TextOf(std::string(500, 'x'), long_value, long_value), kBare) << "cut, it is the value's beginning";
  IndicatorRecord content;
  content.type = IndicatorType::kContent;
  content.value = "|62 61 64|cafe";
  content.source = "badcafe";
  EXPECT_EQ(SignatureText(content, ObservableKind::kPayload, "badcafe"), "Shared indicator: content in payload");
}

TEST(Signature, SourcesAreBoundedAndCleaned) {
  EXPECT_EQ(TextOf("x\ny\t\x1b[31m\\\"z,: ip in dns.query"), kBare + ", listed by x_ny_t_x1b_31m__z__ ip in dns.query");
  EXPECT_EQ(TextOf("\xe2\x80\xae"
                   "gpj"),
            kBare + ", listed by _xe2_x80_xaegpj")
      << "the direction of writing stays";
  EXPECT_EQ(TextOf("  a   b  "), kBare + ", listed by a b");
  EXPECT_EQ(TextOf("   "), kBare);
  EXPECT_EQ(TextOf("\xff\xfe"), kBare + ", listed by _xff_xfe");
  for (const std::string& unit : {std::string("n"), std::string("\xc3\x96"), std::string("\xff"), std::string("\n")}) {
    std::string source;
    for (int i = 0; i < 300; ++i) source += unit;
    const std::string text = TextOf(source, "other.example", "other.example");
    EXPECT_LE(text.size(), kBare.size() + std::string(", listed by ").size() + kMaxSourceBytes);
    EXPECT_GT(text.size(), kBare.size() + kMaxSourceBytes);
  }
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
