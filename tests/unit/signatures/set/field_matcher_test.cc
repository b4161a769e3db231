#include "signatures/set/field_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "parsers/base/text.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using enum ObservableKind;
using Ids = std::vector<std::string>;

Indicator Content(std::string value, ObservableMask in, std::string id) {
  Indicator out = MakeIndicator(IndicatorType::kContent, std::move(value), std::move(id));
  out.in = in;
  return out;
}

TEST(FieldMatcher, FindsLiteralsInTheFieldsNamed) {
  TestSet test({Content("BEACON", {kHttpUri, kHttpUserAgent}, "beacon"), Content("evil", {kDnsQuery}, "evil"),
                Content("|00 ff 0a|x", {kHttpUserAgent}, "bytes")});
  EXPECT_FALSE(test.set->scans_payload());
  EXPECT_EQ(test.FindText(kHttpUri, "/a/Beacon.php?beacon"), Ids{"0:beacon"});
  EXPECT_EQ(test.FindText(kHttpUrl, "http://x/beacon"), Ids{});
  EXPECT_EQ(test.FindText(kHttpUserAgent, "beacon"), Ids{"0:beacon"});
  EXPECT_EQ(test.FindText(kHttpUserAgent, std::string("\0\xff\nX", 4)), Ids{"0:bytes"});
  EXPECT_EQ(test.FindText(kDnsQuery, "www.evil.example"), Ids{"0:evil"});
  EXPECT_EQ(test.FindText(kTlsSni, "www.evil.example"), Ids{});
  EXPECT_EQ(test.scratch.counters.scan_errors, 0u);
}

TEST(FieldMatcher, AHitDoesNotSpanTwoFields) {
  TestSet test({Content("abcd", {kHttpUserAgent}, "joined"), Content("ab|0a|cd", {kHttpUserAgent}, "separator"),
                Content("|0a|cd|0a|", {kHttpUserAgent}, "around")});
  test.batch.AddText(kHttpUserAgent, Direction::kToServer, "xxab");
  test.batch.AddText(kHttpUserAgent, Direction::kToServer, "cd");
  test.batch.AddText(kHttpUserAgent, Direction::kToServer, "abcd");
  EXPECT_EQ(test.Find(), Ids{"2:joined"});
}

TEST(FieldMatcher, EveryFieldOfABatchIsReported) {
  TestSet test({Content("same", {kHttpUserAgent}, "same")});
  for (int i = 0; i < 3; ++i) test.batch.AddText(kHttpUserAgent, Direction::kToServer, "the same, the same");
  EXPECT_EQ(test.Find(), (Ids{"0:same", "1:same", "2:same"}));
  EXPECT_EQ(test.scratch.counters.field_scans, 1u);
}

TEST(FieldMatcher, AgreesWithANaiveSearch) {
  std::mt19937_64 random(9);
  const ObservableKind kinds[] = {kDnsQuery, kTlsSni, kHttpUri, kHttpUrl, kHttpUserAgent, kHttpXff};
  for (int round = 0; round < 60; ++round) {
    const auto text = [&](size_t length) {
      std::string out(length, ' ');
      for (char& c : out) c = "aBc\n"[random() % 4];
      return out;
    };
    std::vector<Indicator> indicators;
    for (int i = 0; i < 25; ++i) {
      std::string literal = text(3 + random() % 6), value;
      for (const char c : literal) value.append("|").append(ToHex({&c, 1})).append("|");
      ObservableMask in;
      for (const ObservableKind kind : kinds) {
        if (random() % 3 == 0) in.Add(kind);
      }
      if (in.empty()) in.Add(kHttpUri);
      indicators.push_back(Content(value, in, std::to_string(i)));
    }
    TestSet test(indicators);
    for (int i = 0; i < 60; ++i) {
      test.batch.AddText(kinds[random() % 6], Direction::kToServer, text(1 + random() % (i % 10 == 0 ? 3000 : 60)));
    }
    Ids expected;
    for (uint32_t seen = 0; seen < test.batch.size(); ++seen) {
      const Observable& observable = test.batch.observables()[seen];
      for (uint32_t row = 0; row < test.set->size(); ++row) {
        const IndicatorRecord record = test.set->at(row);
        std::string bytes, reason;
        const std::string& given = indicators[std::stoul(std::string(record.id))].value;
        for (size_t i = 1; i < given.size(); i += 4)
          bytes += static_cast<char>(std::stoul(given.substr(i, 2), nullptr, 16));
        if (record.in.Has(observable.kind) &&
            LowerAscii(observable.text).find(LowerAscii(bytes)) != std::string::npos) {
          expected.push_back(std::to_string(seen) + ':' + std::string(record.id));
        }
      }
    }
    EXPECT_EQ(test.Find(), expected);
    EXPECT_EQ(test.scratch.counters.hits_over_limit, 0u);
  }
}

TEST(FieldMatcher, BoundsTheHitsOfOneScan) {
  std::vector<Indicator> indicators;
  std::string text;
  for (size_t i = 0; i < kMaxHitsPerScan + 10; ++i) {
    const std::string literal = "<" + std::to_string(i) + ">";
    indicators.push_back(Content(literal, {kHttpUri}, literal));
    text += literal;
  }
  TestSet test(indicators);
  EXPECT_EQ(test.FindText(kHttpUri, text).size(), kMaxHitsPerScan);
  EXPECT_EQ(test.scratch.counters.hits_over_limit, 10u);
}

// By field and audience: neither others' patterns nor the fields that are scanned together with it take a field's hits.
TEST(FieldMatcher, BoundsTheHitsOfAFieldByAudience) {
  std::vector<Indicator> rows;
  std::string text;
  for (size_t i = 0; i < kMaxHitsPerScan + 10; ++i) {
    const std::string literal = "<" + std::to_string(i) + ">";
    if (text.size() < 900) text += literal;  // joined with others
    Indicator many = Content(literal, {kHttpUri}, "many" + literal);
    many.originator = "many";
    rows.push_back(many);
  }
  const std::string last = "<" + std::to_string(kMaxHitsPerScan + 9) + ">";
  Indicator one = Content(last, {kHttpUri}, "one");
  one.originator = "one";
  rows.push_back(one);
  const std::string long_text = [&] {
    std::string out;
    for (size_t i = 0; i < kMaxHitsPerScan + 10; ++i) out += "<" + std::to_string(i) + ">";
    return out;
  }();
  std::shuffle(rows.begin(), rows.end(), std::mt19937(3));
  TestSet test(rows);
  for (int i = 0; i < 5; ++i) test.batch.AddText(kHttpUri, Direction::kToServer, text);
  test.batch.AddText(kHttpUri, Direction::kToServer, last);
  test.batch.AddText(kHttpUri, Direction::kToServer, long_text);
  const std::vector<std::string> found = test.Find();
  std::map<char, size_t> by_field;
  for (const std::string& hit : found) ++by_field[hit[0]];
  for (const char field : {'0', '1', '2', '3', '4'}) EXPECT_EQ(by_field[field], by_field['0']);
  EXPECT_GT(by_field['0'], kMaxHitsPerScan / 2);
  EXPECT_EQ(by_field['5'], 2u);
  EXPECT_EQ(by_field['6'], kMaxHitsPerScan + 1);
  EXPECT_EQ(test.scratch.counters.hits_over_limit, 10u);
  EXPECT_NE(std::find(found.begin(), found.end(), "6:one"), found.end());
  EXPECT_EQ(std::find(found.begin(), found.end(), "6:many" + last), found.end());
}

TEST(FieldMatcher, OneContentMayLookInPayloadAndFields) {
  TestSet test({Content("needle", {kPayload, kHttpUri}, "both"), Content("NEEDLE", {kPayload}, "payload")});
  EXPECT_EQ(test.FindText(kHttpUri, "/needle"), Ids{"0:both"});
  std::vector<PayloadHit> hits;
  test.set->ScanPayload(AsBytes("a needle"), Direction::kToServer, nullptr, test.scratch, hits);
  ASSERT_EQ(hits.size(), 1u);
  test.batch.AddPayloadHit(Direction::kToServer, hits[0].pattern, "a needle");
  EXPECT_EQ(test.Find(), (Ids{"0:both", "0:payload"}));
}

}  // namespace
}  // namespace vedette
