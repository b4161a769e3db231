#include "signatures/set/payload_matcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "parsers/base/text.h"
#include "signatures/value.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using Random = std::mt19937_64;

std::unique_ptr<const PayloadMatcher> Compile(const std::vector<std::string>& literals, uint64_t identity = 1) {
  std::vector<PayloadMatcher::Pattern> patterns;
  for (const std::string& literal : literals) {
    patterns.push_back({LowerAscii(literal), 0, {true, true}, {}, 0, {{0, {ObservableKind::kPayload}, {true, true}}}});
  }
  DatabaseCache no_cache;
  PayloadMatcher::Built built = PayloadMatcher::Compile(std::move(patterns), identity, no_cache);
  EXPECT_NE(built.matcher, nullptr) << built.error;
  return std::move(built.matcher);
}

// Where each literal ends first in the stream.
std::map<uint32_t, int64_t> Naive(const std::vector<std::string>& literals, const std::string& stream) {
  std::map<uint32_t, int64_t> out;
  const std::string lowered = LowerAscii(stream);
  for (uint32_t i = 0; i < literals.size(); ++i) {
    const size_t at = lowered.find(LowerAscii(literals[i]));
    if (at != std::string::npos) out[i] = static_cast<int64_t>(at + literals[i].size());
  }
  return out;
}

class Feed {
 public:
  explicit Feed(const PayloadMatcher& matcher) : matcher_(matcher) { EXPECT_TRUE(matcher.PrepareScratch(scratch_)); }

  // The first end of each literal in the stream, which is fed in pieces of `next_length()` bytes.
  template <class NextLength>
  std::map<uint32_t, int64_t> Run(const std::string& stream, NextLength&& next_length) {
    PayloadTail tail;
    std::map<uint32_t, int64_t> out;
    for (size_t at = 0; at < stream.size();) {
      const size_t length = std::min<size_t>(next_length(), stream.size() - at);
      std::vector<PayloadHit> hits;
      matcher_.Scan(AsBytes(std::string_view(stream).substr(at, length)), Direction::kToServer, &tail, scratch_,
                    counters, hits);
      std::set<uint32_t> once;
      for (const PayloadHit& hit : hits) {
        EXPECT_TRUE(once.insert(hit.pattern).second) << "twice in one call";
        EXPECT_GT(hit.end_offset, 0);
        EXPECT_LE(hit.end_offset, static_cast<int64_t>(length));
        const int64_t end = static_cast<int64_t>(at) + hit.end_offset;
        // What is reported has to be there.
        const std::string& literal = matcher_.pattern(hit.pattern).bytes;
        EXPECT_EQ(hit.length, literal.size());
        EXPECT_GE(end, static_cast<int64_t>(literal.size()));
        EXPECT_EQ(LowerAscii(stream.substr(static_cast<size_t>(end) - literal.size(), literal.size())), literal);
        out.emplace(hit.pattern, end);
      }
      at += length;
    }
    return out;
  }

  MatchCounters counters;

 private:
  const PayloadMatcher& matcher_;
  PayloadMatcher::Scratch scratch_;
};

TEST(PayloadMatcher, FindsALiteralCutAnywhere) {
  const std::vector<std::string> literals = {"evil.example", "abc", std::string("\0\0\x01\xff|", 5)};
  const auto matcher = Compile(literals);
  const std::string stream =
      std::string(300, 'x') + "EVIL.example" + std::string(300, 'y') + "aBc" + std::string("\0\0\x01\xff|", 5);
  const std::map<uint32_t, int64_t> expected = Naive(literals, stream);
  ASSERT_EQ(expected.size(), 3u);
  for (size_t first = 1; first < stream.size(); ++first) {
    Feed feed(*matcher);
    bool begun = false;
    EXPECT_EQ(feed.Run(stream, [&] { return std::exchange(begun, true) ? stream.size() : first; }), expected) << first;
    EXPECT_EQ(feed.counters.scan_errors, 0u);
  }
}

TEST(PayloadMatcher, FindsALongLiteralInPiecesOfEverySize) {
  std::string literal;
  for (int i = 0; literal.size() < kMaxLiteralBytes; ++i) literal += "part" + std::to_string(i) + '/';
  literal.resize(kMaxLiteralBytes);
  const std::string same_start = literal.substr(0, 150) + "other end";
  const std::vector<std::string> literals = {literal, same_start, literal.substr(64, 100), literal.substr(10, 64),
                                             literal.substr(10, 65)};
  const auto matcher = Compile(literals);
  const std::string stream = "GET " + literal.substr(0, 200) + ' ' + literal + " and " + same_start + '.';
  const std::map<uint32_t, int64_t> expected = Naive(literals, stream);
  ASSERT_EQ(expected.size(), literals.size());
  for (size_t length = 1; length <= stream.size(); ++length) {
    Feed feed(*matcher);
    EXPECT_EQ(feed.Run(stream, [&] { return length; }), expected) << length;
  }
}

// Few letters, so that literals overlap, repeat and contain each other; some long, some sharing their first bytes.
TEST(PayloadMatcher, AgreesWithANaiveSearchHoweverTheStreamIsCut) {
  Random random(20260101);
  for (int round = 0; round < 40; ++round) {
    const size_t letters = 1 + random() % 4;
    const auto text = [&](size_t length) {
      std::string out(length, ' ');
      for (char& c : out) c = "aBcdE"[random() % letters];
      return out;
    };
    std::string stream = text(200 + random() % 2500);
    std::vector<std::string> literals;
    std::set<std::string> distinct;
    for (int i = 0; i < 30; ++i) {
      const size_t length = random() % 4 == 0 ? 60 + random() % 190 : 3 + random() % 20;
      std::string literal = random() % 2 == 0 ? text(length) : stream.substr(random() % (stream.size() - 190), length);
      if (random() % 8 == 0) literal.back() = 'z';
      if (distinct.insert(LowerAscii(literal)).second) literals.push_back(literal);
    }
    const auto matcher = Compile(literals);
    const std::map<uint32_t, int64_t> expected = Naive(literals, stream);
    for (const size_t longest : {size_t{1}, size_t{7}, size_t{80}, size_t{300}, size_t{5000}}) {
      Feed feed(*matcher);
      EXPECT_EQ(feed.Run(stream, [&] { return 1 + random() % longest; }), expected) << round << ' ' << longest;
      EXPECT_EQ(feed.counters.hits_over_limit, 0u);
    }
  }
}

TEST(PayloadMatcher, AGapEndsALiteral) {
  const auto matcher = Compile({"evil.example"});
  PayloadMatcher::Scratch scratch;
  ASSERT_TRUE(matcher->PrepareScratch(scratch));
  MatchCounters counters;
  std::vector<PayloadHit> hits;
  PayloadTail tail;
  matcher->Scan(AsBytes("xxx evil."), Direction::kToServer, &tail, scratch, counters, hits);
  tail.length = 0;
  matcher->Scan(AsBytes("example yyy"), Direction::kToServer, &tail, scratch, counters, hits);
  EXPECT_TRUE(hits.empty());
}

TEST(PayloadMatcher, ATailOfAnotherSetIsNotReadAsItsOwn) {
  const std::string literal = std::string(100, 'a') + "b";
  const auto before = Compile({literal}, 1);
  const auto after = Compile({"unrelated", literal}, 2);
  PayloadMatcher::Scratch first, second;
  ASSERT_TRUE(before->PrepareScratch(first) && after->PrepareScratch(second));
  MatchCounters counters;
  std::vector<PayloadHit> hits;
  PayloadTail tail;
  before->Scan(AsBytes(literal.substr(0, 80)), Direction::kToServer, &tail, first, counters, hits);
  after->Scan(AsBytes(literal.substr(80) + "unrelated"), Direction::kToServer, &tail, second, counters, hits);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].pattern, 0u);
}

// Whoever reports a hit shows its bytes, also those of segments that are gone.
TEST(PayloadMatcher, TheTailKnowsTheBytesOfAHitThatBeganBefore) {
  std::string literal;
  while (literal.size() < 200) literal += "Part nO " + std::to_string(literal.size()) + ", ";
  TestSet test({MakeIndicator(IndicatorType::kContent, literal, "long"),
                MakeIndicator(IndicatorType::kContent, "a short one", "short")});
  const std::string stream = "GET a short one and " + literal + " end";
  for (size_t length = 1; length < stream.size(); ++length) {
    PayloadTail tail;
    size_t found = 0;
    for (size_t at = 0; at < stream.size(); at += length) {
      const std::string segment = stream.substr(at, length);
      const PayloadTail before = tail;
      std::vector<PayloadHit> hits;
      test.set->ScanPayload(AsBytes(segment), Direction::kToServer, &tail, test.scratch, hits);
      std::string storage;
      const std::string known(test.set->TailText(before, storage));
      ASSERT_LE(known.size(), at);
      EXPECT_EQ(known, stream.substr(at - known.size(), known.size())) << length;
      for (const PayloadHit& hit : hits) {
        ++found;
        const auto end = known.size() + static_cast<size_t>(hit.end_offset);
        ASSERT_GE(end, hit.length);
        const std::string shown = (known + segment).substr(end - hit.length, hit.length);
        EXPECT_TRUE(shown == literal || shown == "a short one") << shown;
      }
    }
    EXPECT_EQ(found, 2u) << length;
  }
}

TEST(PayloadMatcher, BoundsTheHitsOfOneScan) {
  std::vector<std::string> literals;
  std::string stream;
  for (size_t i = 0; i < kMaxHitsPerScan + 50; ++i) stream += literals.emplace_back("<" + std::to_string(i) + ">");
  const auto matcher = Compile(literals);
  PayloadMatcher::Scratch scratch;
  ASSERT_TRUE(matcher->PrepareScratch(scratch));
  MatchCounters counters;
  std::vector<PayloadHit> hits;
  matcher->Scan(AsBytes(stream), Direction::kToServer, nullptr, scratch, counters, hits);
  EXPECT_EQ(hits.size(), kMaxHitsPerScan);
  EXPECT_EQ(counters.hits_over_limit, 50u);
}

// Each audience has the first hits of a scan, whatever others look for and in whatever order the rows were read.
TEST(PayloadMatcher, BoundsTheHitsOfOneScanByAudience) {
  constexpr size_t kMany = kMaxHitsPerScan + 50;
  std::vector<Indicator> rows;
  std::string stream;
  const auto add = [&](const std::string& literal, const std::string& originator, IndicatorDirection direction) {
    rows.push_back(MakeIndicator(IndicatorType::kContent, literal, originator + literal));
    rows.back().originator = originator;
    rows.back().direction = direction;
  };
  for (size_t i = 0; i < kMany; ++i) {
    const std::string literal = "<" + std::to_string(i) + ">";
    stream += literal;
    add(literal, "all", IndicatorDirection::kAny);
    // Of others' patterns, some: it comes to its limit later, or never.
    if (i % 2 == 0) add(literal, "half", IndicatorDirection::kAny);
    if (i == kMany - 1) add(literal, "last", IndicatorDirection::kAny);
    // Looks for the bytes of the other end.
    add(literal, "elsewhere", i == kMany - 1 ? IndicatorDirection::kAny : IndicatorDirection::kDst);
  }
  // The ids that an originator has hits of, in order.
  const auto found = [&](const std::vector<Indicator>& indicators, const std::string& originator) {
    TestSet test(indicators);
    std::vector<PayloadHit> payload_hits;
    test.set->ScanPayload(AsBytes(stream), Direction::kToServer, nullptr, test.scratch, payload_hits);
    for (const PayloadHit& hit : payload_hits) {
      const size_t begin = static_cast<size_t>(hit.end_offset) - hit.length;
      test.batch.AddPayloadHit(Direction::kToServer, hit.pattern, std::string_view(stream).substr(begin, hit.length));
    }
    std::vector<Hit> hits;
    test.set->Find(test.batch, test.scratch, hits);
    std::vector<std::string> out;
    std::set<uint32_t> observables;
    for (const Hit& hit : hits) {
      const IndicatorRecord record = test.set->at(hit.indicator);
      observables.insert(hit.observable);
      EXPECT_EQ(test.batch.observables()[hit.observable].text, record.value);
      if (record.originator == originator) out.emplace_back(record.id);
    }
    EXPECT_LE(observables.size(), kMany) << "one for each pattern, also where only parts of it are reported";
    EXPECT_EQ(test.scratch.counters.hits_over_limit,
              originator == "all" || indicators.size() > kMany ? kMany - kMaxHitsPerScan : 0);
    return out;
  };
  for (const unsigned seed : {1u, 2u}) {
    std::shuffle(rows.begin(), rows.end(), std::mt19937(seed));
    for (const auto& [originator, expected] : {std::pair("all", kMaxHitsPerScan), std::pair("half", kMany / 2),
                                               std::pair("last", size_t{1}), std::pair("elsewhere", size_t{1})}) {
      std::vector<Indicator> own = rows;
      std::erase_if(own, [&, name = std::string(originator)](const Indicator& row) { return row.originator != name; });
      const std::vector<std::string> alone = found(own, originator);
      EXPECT_EQ(alone.size(), expected) << originator;
      EXPECT_EQ(found(rows, originator), alone) << originator;
    }
  }
}

TEST(PayloadMatcher, ReportsOnlyTheDirectionsThatARowWants) {
  Indicator to_server = MakeIndicator(IndicatorType::kContent, "from the client", "a");
  to_server.direction = IndicatorDirection::kSrc;
  Indicator to_client = MakeIndicator(IndicatorType::kContent, "from the server", "b");
  to_client.direction = IndicatorDirection::kDst;
  TestSet test({to_server, to_client});
  const std::string both = "from the client, from the server";
  for (const Direction direction : {Direction::kToServer, Direction::kToClient}) {
    std::vector<PayloadHit> hits;
    test.set->ScanPayload(AsBytes(both), direction, nullptr, test.scratch, hits);
    ASSERT_EQ(hits.size(), 1u);
    test.batch.AddPayloadHit(direction, hits[0].pattern, both);
    EXPECT_EQ(test.Find(), std::vector<std::string>{direction == Direction::kToServer ? "0:a" : "0:b"});
  }
}

}  // namespace
}  // namespace vedette
