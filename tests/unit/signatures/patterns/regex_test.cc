// Regular expressions in fields and payload against PCRE2, value by value and cut by cut.
#include "signatures/patterns/regex.h"

#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/patterns/regex_limits.h"
#include "signatures/patterns/regex_parser.h"
#include "tests/unit/signatures/pcre.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using enum ObservableKind;
using Ids = std::vector<std::string>;
using Random = std::mt19937_64;

// Expressions over few letters, so that they overlap, repeat and contain each other.
class Generator {
 public:
  Generator(Random& random, bool for_payload) : random_(random), for_payload_(for_payload) {}

  std::string Next() { return (random_() % 6 == 0 ? "(?i)" : random_() % 6 == 0 ? "(?s)" : "") + Alternatives(0); }

 private:
  std::string Alternatives(int depth) {
    std::string out = Sequence(depth);
    while (random_() % 5 == 0) out += '|' + Sequence(depth);
    return out;
  }
  std::string Sequence(int depth) {
    std::string out;
    if (!for_payload_ && random_() % 6 == 0) out += random_() % 2 == 0 ? "^" : "\\b";
    const size_t items = 1 + random_() % 4;
    for (size_t i = 0; i < items; ++i) out += Item(depth);
    if (!for_payload_ && random_() % 6 == 0) out += random_() % 2 == 0 ? "$" : "\\z";
    return out;
  }
  std::string Item(int depth) {
    static const std::vector<std::string> kAtoms = {"a",   "b",   "B",    "abc", "cab",   "[ab]",  "[^a]",
                                                    ".",   "\\w", "\\W",  "aa",  "[a-c]", "\\n",   "1",
                                                    "\\d", "bca", "Abca", "\\s", "\\x42", "[^\\n]"};
    std::string out =
        depth < 3 && random_() % 5 == 0 ? "(" + Alternatives(depth + 1) + ")" : kAtoms[random_() % kAtoms.size()];
    const bool single = out.size() == 1 || out.front() == '[' || out.front() == '(' || out.front() == '\\';
    switch (random_() % (for_payload_ ? 8 : 6)) {
      case 0:
        return (single ? out : "(?:" + out + ")") + "{" + std::to_string(random_() % 3) + "," +
               std::to_string(3 + random_() % 4) + "}";
      case 1:
        return out + "?";
      case 2:
        return for_payload_ ? out : out + (random_() % 2 == 0 ? "*" : "+?");
      default:
        return out;
    }
  }

  Random& random_;
  bool for_payload_;
};

std::string RandomText(Random& random, size_t length, std::string_view letters = "abcABC1\n-") {
  std::string out(length, ' ');
  for (char& c : out) c = letters[random() % letters.size()];
  return out;
}

struct Row {
  std::string expression;
  ObservableMask in;
};

// Rows that are taken, `count` of them.
std::vector<Row> RandomRows(Random& random, bool for_payload, size_t count, const std::vector<ObservableKind>& kinds) {
  Generator generator(random, for_payload);
  std::vector<Row> out;
  std::set<std::string> distinct;
  while (out.size() < count) {
    Row row;
    row.expression = generator.Next();
    for (const ObservableKind kind : kinds) {
      if (random() % 3 == 0 || kinds.size() == 1) row.in.Add(kind);
    }
    if (row.in.empty()) row.in.Add(kinds.front());
    Indicator indicator = MakeIndicator(IndicatorType::kRegex, row.expression);
    indicator.in = row.in;
    if (ReasonAgainst(indicator).empty() && distinct.insert(row.expression).second) out.push_back(row);
  }
  return out;
}

std::vector<Indicator> IndicatorsOf(const std::vector<Row>& rows) {
  std::vector<Indicator> out;
  for (size_t i = 0; i < rows.size(); ++i) {
    out.push_back(MakeIndicator(IndicatorType::kRegex, rows[i].expression, std::to_string(i)));
    out.back().in = rows[i].in;
  }
  return out;
}

// What Hyperscan did not take, said one by one.
std::set<std::string> RefusedIn(const CompileReport& report) {
  std::set<std::string> out;
  for (const IndicatorProblem& problem : report.problems) {
    const bool known = problem.reason.find("not supported") != std::string::npos ||
                       problem.reason.find("can never match") != std::string::npos;
    EXPECT_TRUE(known) << problem.value << ": " << problem.reason;
    out.insert(problem.value);
  }
  return out;
}

const ObservableMask kLowerCaseFields = {kDnsQuery, kTlsSni, kTlsJa3};
const ObservableMask kLiteralFields = {kHttpUserAgent, kHttpXff, kDnsQuery};

// "observable:id" of all that PCRE2 finds of the rows that are not refused.
std::set<std::string> FoundByPcre(const std::vector<Row>& rows, const std::set<std::string>& refused,
                                  const ObservableBatch& batch) {
  std::set<std::string> found;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (refused.count(rows[row].expression) != 0) continue;
    const Pcre as_given(rows[row].expression), caseless(rows[row].expression, true);
    for (uint32_t seen = 0; seen < batch.size(); ++seen) {
      const Observable& observable = batch.observables()[seen];
      if (!rows[row].in.Has(observable.kind)) continue;
      if ((kLowerCaseFields.Has(observable.kind) ? caseless : as_given).IsIn(observable.text))
        found.insert(std::to_string(seen) + ':' + std::to_string(row));
    }
  }
  return found;
}

std::set<std::string> LiteralsIn(const std::vector<std::string>& literals, const ObservableBatch& batch) {
  std::set<std::string> found;
  for (uint32_t seen = 0; seen < batch.size(); ++seen) {
    const Observable& observable = batch.observables()[seen];
    for (size_t i = 0; i < literals.size() && kLiteralFields.Has(observable.kind); ++i) {
      if (LowerAscii(observable.text).find(LowerAscii(literals[i])) != std::string::npos)
        found.insert(std::to_string(seen) + ":literal" + std::to_string(i));
    }
  }
  return found;
}

// Literals stand beside the expressions, in databases, batches and fields: none may disturb the other, and nothing may
// be found across two fields.
TEST(Regex, InFieldsAgreesWithPcre) {
  Random random(20261125);
  const std::vector<ObservableKind> kinds = {kDnsQuery, kTlsSni, kHttpUri, kHttpUrl, kHttpUserAgent, kTlsJa3};
  size_t hits = 0, refused_by_hyperscan = 0;
  for (int round = 0; round < 10; ++round) {
    const std::vector<Row> rows = RandomRows(random, false, 30, kinds);
    std::vector<Indicator> indicators = IndicatorsOf(rows);
    std::vector<std::string> literals;
    for (size_t i = 0; i < 5; ++i) {
      std::string value;
      literals.push_back(RandomText(random, 3));
      for (const char c : literals.back()) value.append("|").append(ToHex({&c, 1})).append("|");
      indicators.push_back(MakeIndicator(IndicatorType::kContent, value, "literal" + std::to_string(i)));
      indicators.back().in = kLiteralFields;
    }
    TestSet test(indicators);
    const std::set<std::string> refused = RefusedIn(test.report);
    refused_by_hyperscan += refused.size();
    EXPECT_EQ(test.report.loaded + refused.size(), test.set->size());
    for (int i = 0; i < 40; ++i) {
      test.batch.AddText(i % 7 == 0 ? kHttpXff : kinds[random() % kinds.size()], Direction::kToServer,
                         RandomText(random, 1 + random() % (i % 10 == 0 ? 1500 : 30)));
    }
    std::vector<std::string> texts;
    for (const Observable& observable : test.batch.observables()) texts.emplace_back(observable.text);
    std::set<std::string> expected = FoundByPcre(rows, refused, test.batch);
    expected.merge(LiteralsIn(literals, test.batch));
    const Ids found = test.Find();
    const std::set<std::string> got(found.begin(), found.end());
    const auto expect_within = [&](const std::set<std::string>& a, const std::set<std::string>& b, const char* what) {
      for (const std::string& hit : a) {
        if (b.count(hit) != 0) continue;
        const std::string row = hit.substr(hit.find(':') + 1), text = Escaped(texts[std::stoul(hit)]);
        ADD_FAILURE() << what << ": " << (row[0] == 'l' ? row : rows[std::stoul(row)].expression) << " in " << text;
      }
    };
    expect_within(expected, got, "not found");
    expect_within(got, expected, "found");
    EXPECT_EQ(test.scratch.counters.scan_errors + test.scratch.counters.hits_over_limit, 0u);
    hits += expected.size();
  }
  EXPECT_GT(hits, 150u);
  EXPECT_LT(refused_by_hyperscan, 100u);
}

TEST(Regex, NeverMatchesAcrossTwoFields) {
  const std::vector<Row> rows = {{"abc[^x]{0,3}def", {kHttpUserAgent}}, {"(?s)abc.{0,3}def", {kHttpUserAgent}},
                                 {"^def|abc$", {kHttpUserAgent}},       {"\\bdef", {kHttpUserAgent}},
                                 {"c\\nd", {kHttpUserAgent}},           {"abc\\s+def", {kHttpUserAgent, kHttpXff}}};
  TestSet test(IndicatorsOf(rows));
  test.batch.AddText(kHttpUserAgent, Direction::kToServer, "xabc");
  test.batch.AddText(kHttpUserAgent, Direction::kToServer, "defx");
  test.batch.AddText(kHttpXff, Direction::kToServer, "xabc");
  test.batch.AddText(kHttpXff, Direction::kToServer, "defx");
  EXPECT_EQ(test.Find(), (Ids{"0:2", "1:2", "1:3"}));
}

using FoundRows = std::map<std::string, std::optional<Pcre::Found>>;

// The next piece of a stream in which `at` bytes have passed: what the tail knows before it is checked, and the first
// hit of each expression kept.
void ScanPiece(TestSet& test, const std::string& text, size_t at, size_t length, PayloadTail& tail, FoundRows& got) {
  const PayloadTail before = tail;
  std::vector<PayloadHit> hits;
  test.set->ScanPayload(AsBytes(std::string_view(text).substr(at, length)), Direction::kToServer, &tail, test.scratch,
                        hits);
  std::string storage;
  const std::string_view known = test.set->TailText(before, storage);
  ASSERT_LE(known.size(), at);
  if (known.size() <= PayloadTail::kMaxBytes) {
    ASSERT_EQ(known, text.substr(at - known.size(), known.size()));
  } else {
    ASSERT_EQ(known.substr(known.size() - 63), text.substr(at - 63, 63));
  }
  for (const PayloadHit& hit : hits) {
    test.batch.AddPayloadHit(Direction::kToServer, hit.pattern, "x");
    std::vector<Hit> resolved;
    test.set->Find(test.batch, test.scratch, resolved);
    test.batch.Clear();
    ASSERT_EQ(resolved.size(), 1u);
    const IndicatorRecord record = test.set->at(resolved[0].indicator);
    if (record.type != IndicatorType::kRegex) continue;
    std::optional<Pcre::Found>& first = got[std::string(record.value)];
    if (!first) first = {at + static_cast<size_t>(hit.end_offset), hit.length};
  }
}

// However a stream is cut: the same end, and the same bytes, which are those of PCRE2 looked at place by place.
TEST(Regex, InPayloadAgreesWithPcreHoweverTheStreamIsCut) {
  Random random(4711);
  size_t found = 0;
  for (int round = 0; round < 8; ++round) {
    const std::vector<Row> rows = RandomRows(random, true, 25, {kPayload});
    std::vector<Indicator> indicators = IndicatorsOf(rows);
    // Long literals, because a stream that holds the beginning of one keeps that instead of its last bytes.
    const std::string text = RandomText(random, 150 + random() % 150, "abcB1");
    const std::string begun = text.substr(20, 100) + "ZZ";
    for (const std::string& literal : {begun, RandomText(random, 3)}) {
      std::string value;
      for (const char c : literal) value.append("|").append(ToHex({&c, 1})).append("|");
      indicators.push_back(MakeIndicator(IndicatorType::kContent, value, "literal"));
    }
    TestSet test(indicators);
    ASSERT_EQ(test.report.problems_total, 0u) << test.report.problems[0].value << test.report.problems[0].reason;
    FoundRows expected;
    for (const Row& row : rows) {
      expected[row.expression] = Pcre(row.expression).FirstIn(text, Regex::kMaxPayloadWidth);
      found += expected[row.expression] ? 1 : 0;
    }
    for (size_t cut = 0; cut < text.size() + 60; ++cut) {
      // A cut at each place; then pieces of random lengths.
      const size_t longest = 1 + random() % (cut % 3 == 0 ? 3 : 150);
      PayloadTail tail;
      FoundRows got;
      for (const Row& row : rows) got[row.expression];
      for (size_t at = 0; at < text.size();) {
        size_t length = cut == 0 || cut >= text.size() ? 1 + random() % longest : at == 0 ? cut : text.size() - at;
        length = std::min(length, text.size() - at);
        ASSERT_NO_FATAL_FAILURE(ScanPiece(test, text, at, length, tail, got));
        at += length;
      }
      for (const Row& row : rows) {
        const auto& a = got[row.expression];
        const auto& b = expected[row.expression];
        EXPECT_EQ(a.has_value(), b.has_value()) << row.expression << " cut " << cut << " in " << Escaped(text);
        if (!a || !b) continue;
        EXPECT_EQ(a->end, b->end) << row.expression << " cut " << cut << " in " << Escaped(text);
        EXPECT_EQ(a->length, b->length) << row.expression << " cut " << cut << " in " << Escaped(text);
      }
      if (HasFailure()) return;
    }
    EXPECT_EQ(test.scratch.counters.scan_errors, 0u);
  }
  EXPECT_GT(found, 20u);
}

TEST(Regex, TheLongestMatchIsShown) {
  std::string reason;
  const std::optional<Regex> regex = ParseRegex("[a-z0-9]{1,20}\\.evil\\.test", false, reason);
  ASSERT_TRUE(regex) << reason;
  EXPECT_EQ(regex->max_width(), 30u);
  EXPECT_EQ(regex->LongestEndingAt(AsBytes("GET http://abc123.evil.test")), std::string("abc123.evil.test").size());
  EXPECT_EQ(regex->LongestEndingAt(AsBytes("abc123.evil.tes")), 0u);
  EXPECT_EQ(regex->LongestEndingAt(AsBytes("")), 0u);
}

// Written out these are 512 times 512 rounds and more: it must not be a row of a shared file that stops a worker.
TEST(Regex, RepetitionsOfNothingEnd) {
  std::string nothing = "(?:)", optional = "(?:a?){2}";
  for (int i = 0; i < 6; ++i) nothing = "(?:" + nothing + "){512}";
  for (int i = 0; i < 6; ++i) optional = "(?:" + optional + "){2}";
  for (const std::string& part : {nothing, "(?:" + nothing + "|" + nothing + "){500,512}", optional}) {
    std::string reason;
    const std::optional<Regex> regex = ParseRegex("HTTP" + part, false, reason);
    ASSERT_TRUE(regex) << reason;
    ASSERT_TRUE(IsUsable(*regex, reason)) << reason;
    const std::clock_t begin = std::clock();
    EXPECT_EQ(regex->LongestEndingAt(AsBytes("GET / HTTP")), 4u);
    EXPECT_LT(std::clock() - begin, CLOCKS_PER_SEC / 10) << "thread time";
  }
}

TEST(Regex, ManyHitsInOneScanAreBounded) {
  std::vector<Indicator> indicators;
  for (size_t i = 0; i < kMaxHitsPerScan + 20; ++i) {
    indicators.push_back(MakeIndicator(IndicatorType::kRegex, "evil{1," + std::to_string(i + 1) + "}"));
    if (i >= 60)
      indicators.back().value =
          "evil[x" + std::string(1, static_cast<char>(0x30 + i % 64)) + "]?.{0," + std::to_string(i / 64) + "}";
    indicators.back().id = std::to_string(i);
  }
  TestSet test(indicators);
  std::vector<PayloadHit> hits;
  test.set->ScanPayload(AsBytes("an evil thing"), Direction::kToServer, nullptr, test.scratch, hits);
  EXPECT_EQ(hits.size(), kMaxHitsPerScan);
  EXPECT_GT(test.scratch.counters.hits_over_limit, 0u);
}

// One row that Hyperscan does not take is told with its line; the others are used.
TEST(Regex, WhatHyperscanRefusesDoesNotTakeTheOthersWithIt) {
  Indicator bad = MakeIndicator(IndicatorType::kRegex, "(abc|x^y)def", "bad");
  bad.line = 7;
  bad.in = {kHttpUri};
  Indicator also_bad = bad;
  also_bad.id = "also bad";
  also_bad.line = 9;
  Indicator good = MakeIndicator(IndicatorType::kRegex, "ev[i1]l", "good");
  good.in = {kHttpUri};
  Indicator literal = MakeIndicator(IndicatorType::kContent, "evil", "literal");
  literal.in = {kHttpUri};
  TestSet test({bad, good, also_bad, literal});
  EXPECT_EQ(test.FindText(kHttpUri, "/evil"), (Ids{"0:good", "0:literal"}));
  EXPECT_EQ(test.report.loaded, 2u);
  ASSERT_EQ(test.report.problems_total, 2u);
  EXPECT_EQ(test.report.problems[0].line, 7u);
  EXPECT_EQ(test.report.problems[1].line, 9u);
  EXPECT_NE(test.report.problems[0].reason.find("not at the beginning"), std::string::npos)
      << test.report.problems[0].reason;

  TestSet none({bad});
  EXPECT_EQ(none.report.loaded, 0u);
  EXPECT_EQ(none.FindText(kHttpUri, "/evil"), Ids{});
}

}  // namespace
}  // namespace vedette
