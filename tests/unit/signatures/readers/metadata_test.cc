#include "signatures/readers/metadata.h"

#include <gtest/gtest.h>

namespace vedette {
namespace {

TEST(Metadata, TakesThePlaceOfTheRowBefore) {
  MetadataReader reader;
  Indicator row;
  std::string reason;
  MetadataTexts texts;
  texts.in = "dns.query  tls.sni";
  texts.direction = "SRC";
  texts.id = "1";
  texts.tlp = "TLP:GREEN";
  texts.pap = "amber";
  texts.confidence = "70";
  texts.valid_from = "2026-11-23T10:00:00Z";
  texts.tags = R"(["a","b c"])";
  ASSERT_TRUE(reader.Read(texts, row, reason)) << reason;
  EXPECT_TRUE(row.in.Has(ObservableKind::kTlsSni));
  EXPECT_EQ(row.direction, IndicatorDirection::kSrc);
  EXPECT_EQ(row.tlp, Tlp::kGreen);
  EXPECT_EQ(row.pap, "amber");
  EXPECT_EQ(row.confidence, 70);
  EXPECT_EQ(row.tags, (std::vector<std::string>{"a", "b c"}));
  ASSERT_TRUE(reader.Read({}, row, reason)) << reason;
  EXPECT_TRUE(row.in.empty() && row.id.empty() && row.pap.empty() && row.tags.empty());
  EXPECT_EQ(row.direction, IndicatorDirection::kAny);
  EXPECT_EQ(row.tlp, Tlp::kNone);
  EXPECT_FALSE(row.confidence || row.valid_from_ns || row.valid_until_ns);
}

// Formats that have their tags one by one get the same marks as those with an array.
TEST(Metadata, TakesArraysAsTextAndAsLists) {
  const std::vector<std::string> tags = {"tlp:red", "pap:green"}, none;
  MetadataReader reader;
  Indicator row;
  std::string reason;
  MetadataTexts as_text, as_list, without;
  as_text.tlp = as_list.tlp = "green";
  as_text.tags = R"(["tlp:red","pap:green"])";
  as_list.tag_list = tags;
  for (const MetadataTexts* texts : {&as_text, &as_text, &as_list, &without, &as_text, &as_list, &as_list}) {
    ASSERT_TRUE(reader.Read(*texts, row, reason)) << reason;
    EXPECT_EQ(row.tags, texts == &without ? none : tags);
    EXPECT_EQ(row.tlp, texts == &without ? Tlp::kNone : Tlp::kRed);
    EXPECT_EQ(row.pap, texts == &without ? "" : "green");
  }
}

TEST(Metadata, SharesWithFewerWhatIsNotUnderstood) {
  MetadataReader reader;
  Indicator row;
  std::string reason;
  MetadataTexts texts;
  texts.tlp = "clear";
  texts.tags = R"(["tlp:ex:chr"])";
  ASSERT_TRUE(reader.Read(texts, row, reason)) << reason;
  EXPECT_EQ(row.tlp, Tlp::kAmberStrict);
  EXPECT_EQ(reader.remark(), "used, as amber+strict or stricter: the tag tlp:ex:chr is not understood");
  texts.tags = {};
  ASSERT_TRUE(reader.Read(texts, row, reason)) << reason;
  EXPECT_EQ(row.tlp, Tlp::kClear);
  EXPECT_EQ(reader.remark(), "");
}

TEST(Metadata, RefusesWhatMayProtectTheRow) {
  const auto reason_of = [](auto fill_in) {
    MetadataTexts texts;
    fill_in(texts);
    MetadataReader reader;
    Indicator row;
    std::string reason;
    EXPECT_FALSE(reader.Read(texts, row, reason));
    return reason;
  };
  EXPECT_EQ(reason_of([](MetadataTexts& texts) { texts.tlp = "purple"; }),
            "tlp has to be clear, green, amber, amber+strict or red");
  EXPECT_EQ(reason_of([](MetadataTexts& texts) { texts.pap = "purple"; }), "pap has to be clear, green, amber or red");
  EXPECT_EQ(reason_of([](MetadataTexts& texts) { texts.recipients = "cert-a"; }),
            R"(recipients has to be a JSON array of strings: ["one","two words"])");
  EXPECT_EQ(reason_of([](MetadataTexts& texts) {
              texts.valid_from = "2026-11-23T10:00:00Z";
              texts.valid_until = "2025-11-23T10:00:00Z";
            }),
            "valid_until lies before valid_from");
}

}  // namespace
}  // namespace vedette
