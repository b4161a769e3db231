#include "signatures/set/indicator_set.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "signatures/canary.h"
#include "signatures/set/exact_table.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using enum ObservableKind;
using Ids = std::vector<std::string>;

TEST(IndicatorSet, AnEmptySetFindsNothing) {
  TestSet test({});
  EXPECT_EQ(test.set->size(), 0u);
  EXPECT_TRUE(test.set->wanted().empty());
  EXPECT_FALSE(test.set->scans_payload());
  EXPECT_EQ(test.set->digest().size(), 64u);
  EXPECT_EQ(test.FindText(kDnsQuery, "evil.example"), Ids{});
  EXPECT_EQ(test.FindAddress(kIp, "20.1.2.3"), Ids{});
  std::vector<PayloadHit> hits;
  PayloadTail tail;
  test.set->ScanPayload(AsBytes("payload"), Direction::kToServer, &tail, test.scratch, hits);
  EXPECT_TRUE(hits.empty());
}

TEST(IndicatorSet, KeepsWhatIsSaidAboutAnIndicator) {
  Indicator full = MakeIndicator(IndicatorType::kDomain, "Evil.example", "indicator--1");
  full.in = {kDnsQuery};
  full.direction = IndicatorDirection::kSrc;
  full.source = "feed";
  full.originator = "CERT A";
  full.description = "a beacon";
  full.tags = {"two words", "", "tlp:green"};
  full.tlp = Tlp::kGreen;
  full.pap = "amber";
  full.sharing_group = "group";
  full.recipients = {"CERT B"};
  full.confidence = 0;
  full.valid_from_ns = 0;
  full.valid_until_ns = 5;
  full.reference = "https://example.org/1";
  full.file = "folder/feed.csv";
  full.line = 7;
  Indicator bare = MakeIndicator(IndicatorType::kIp, "20.1.2.3");
  bare.file = "folder/my.list.txt";
  bare.line = 3;
  TestSet test({full, bare});
  ASSERT_EQ(test.set->size(), 2u);

  const IndicatorRecord a = test.set->at(0);
  EXPECT_EQ(a.index, 0u);
  EXPECT_EQ(a.type, IndicatorType::kDomain);
  EXPECT_EQ(a.value, "evil.example");
  EXPECT_EQ(a.in, ObservableMask({kDnsQuery}));
  EXPECT_EQ(a.direction, IndicatorDirection::kSrc);
  EXPECT_EQ(a.id, "indicator--1");
  EXPECT_EQ(a.source, "feed");
  EXPECT_EQ(a.originator, "CERT A");
  EXPECT_EQ(a.description, "a beacon");
  EXPECT_EQ(a.tags, (std::vector<std::string_view>{"two words", "", "tlp:green"}));
  EXPECT_EQ(a.tlp, Tlp::kGreen);
  EXPECT_EQ(a.pap, "amber");
  EXPECT_EQ(a.sharing_group, "group");
  EXPECT_EQ(a.recipients, std::vector<std::string_view>{"CERT B"});
  EXPECT_EQ(a.confidence, 0);
  EXPECT_EQ(a.valid_from_ns, 0);
  EXPECT_EQ(a.valid_until_ns, 5);
  EXPECT_EQ(a.reference, "https://example.org/1");
  EXPECT_EQ(a.file, "folder/feed.csv");
  EXPECT_EQ(a.line, 7u);

  const IndicatorRecord b = test.set->at(1);
  EXPECT_EQ(b.id, "my.list.txt:3");
  EXPECT_EQ(b.source, "my.list");
  EXPECT_EQ(b.originator, "my.list");
  EXPECT_EQ(b.tlp, Tlp::kNone);
  EXPECT_EQ(b.confidence, std::nullopt);
  EXPECT_EQ(b.valid_from_ns, std::nullopt);
  EXPECT_TRUE(b.tags.empty());
  EXPECT_EQ(test.set->wanted(), ObservableMask({kDnsQuery, kIp, kIpInner, kIpQuoted, kDnsAnswer, kHttpHost,
                                                kHttpHostField, kHttpXff, kTlsSni, kDtlsSni}));
}

TEST(IndicatorSet, RefusesWhatNothingShows) {
  EXPECT_EQ(ReasonAgainst(MakeIndicator(IndicatorType::kFileMd5, std::string(32, 'a'))),
            "file.md5 values are not seen in traffic yet");
  EXPECT_EQ(ReasonAgainst(MakeIndicator(IndicatorType::kFileMd5, std::string(32, 'a'))),
            "file.md5 values are not seen in traffic yet");
  EXPECT_EQ(ReasonAgainst(MakeIndicator(IndicatorType::kEmail, "a@evil.example")),
            "email values are not seen in traffic yet");
  EXPECT_EQ(ReasonAgainst(MakeIndicator(IndicatorType::kWallet, "4xyz")), "wallet values are not seen in traffic yet");
  Indicator elsewhere = MakeIndicator(IndicatorType::kJa3, std::string(32, 'a'));
  elsewhere.in = {kDnsQuery};
  EXPECT_EQ(ReasonAgainst(elsewhere), "ja3 is looked for in tls.ja3, dtls.ja3, and not in dns.query");
  Indicator content = MakeIndicator(IndicatorType::kContent, "evil");
  content.in = {kIp};
  EXPECT_NE(ReasonAgainst(content), "");

  IndicatorSetBuilder builder;
  builder.set_supported({kDnsQuery, kIp});
  std::string reason;
  EXPECT_TRUE(builder.TryAdd(MakeIndicator(IndicatorType::kDomain, "evil.example"), reason));
  EXPECT_FALSE(builder.TryAdd(MakeIndicator(IndicatorType::kUri, "/x"), reason));
  EXPECT_EQ(reason, "uri is looked for in http.uri, which is not seen here");
  CompileReport report;
  EXPECT_EQ(builder.Compile(report)->at(0).in, ObservableMask({kDnsQuery}));
}

TEST(IndicatorSet, ReportsProblemsAndBoundsThem) {
  IndicatorSetBuilder builder;
  Indicator bad = MakeIndicator(IndicatorType::kIp, "nonsense");
  bad.line = 5;
  for (int i = 0; i < 2000; ++i) EXPECT_FALSE(builder.Add(bad));
  CompileReport report;
  ASSERT_NE(builder.Compile(report), nullptr);
  EXPECT_EQ(report.problems_total, 2000u);
  EXPECT_EQ(report.problems.size(), 1000u);
  EXPECT_EQ(report.problems[0].file, "test.csv");
  EXPECT_EQ(report.problems[0].line, 5u);
  EXPECT_EQ(report.problems[0].value, "nonsense");
  EXPECT_EQ(report.problems[0].reason, "not an IPv4 or IPv6 address");
}

TEST(IndicatorSet, DropsWhatIsThereTwice) {
  Indicator named = MakeIndicator(IndicatorType::kDomain, "evil.example", "a");
  Indicator other_id = named, other_direction = named, other_type = named, other_place = named;
  other_id.id = "b";
  other_direction.direction = IndicatorDirection::kSrc;
  other_type.type = IndicatorType::kHostname;
  other_place.in = {kDnsQuery};
  // Rows without an id of their own: the same file says the same once.
  Indicator line1 = MakeIndicator(IndicatorType::kIp, "20.1.2.3"), line2 = line1, other_file = line1;
  line1.line = 1;
  line2.line = 2;
  other_file.file = "other.csv";
  TestSet test({named, named, other_id, other_direction, other_type, other_place, named, line1, line2, other_file});
  EXPECT_EQ(test.report.loaded, 7u);
  EXPECT_EQ(test.report.duplicates, 3u);
  EXPECT_EQ(test.FindText(kDnsQuery, "evil.example"), (Ids{"0:a", "0:b", "0:a", "0:a", "0:a"}));
  EXPECT_EQ(test.FindAddress(kIp, "20.1.2.3"), (Ids{"0:test.csv:1", "0:other.csv:0"}));
}

TEST(IndicatorSet, TheSameForAnotherAudienceIsAnotherRow) {
  Indicator first = MakeIndicator(IndicatorType::kDomain, "evil.example", "1");
  first.originator = "cert-a";
  Indicator other_originator = first, other_source = first, other_group = first, other_recipients = first;
  other_originator.originator = "cert-b";
  other_source.source = "another feed";
  other_group.sharing_group = "banks";
  other_recipients.recipients = {"cert-c"};
  TestSet test({first, other_originator, other_source, other_group, other_recipients, first});
  EXPECT_EQ(test.report.loaded, 5u);
  EXPECT_EQ(test.report.duplicates, 1u);
  // Ids made of file and line say nothing of the audience either.
  Indicator line1 = MakeIndicator(IndicatorType::kIp, "20.1.2.3"), line2 = line1;
  line2.originator = "cert-b";
  EXPECT_EQ(TestSet({line1, line2}).report.loaded, 2u);
}

// A partner may not see the green row of an indicator that a later export has as red.
TEST(IndicatorSet, TheStricterTlpOfAnIndicatorHoldsForEachOfItsRows) {
  Indicator green = MakeIndicator(IndicatorType::kDomain, "evil.example", "u-1");
  green.originator = "cert-a";
  green.tlp = Tlp::kGreen;
  Indicator red = green, other_file = green, unmarked = green, other_originator = green, other_id = green;
  red.tlp = Tlp::kRed;
  other_file.source = "2026-02";
  unmarked.tlp = Tlp::kNone;
  other_originator.originator = "cert-b";
  other_id.id = "u-2";
  const auto tlps = [](const std::vector<Indicator>& indicators) {
    const TestSet test(indicators);
    std::vector<Tlp> out;
    for (uint32_t i = 0; i < test.report.loaded; ++i) out.push_back(test.set->at(i).tlp);
    return out;
  };
  EXPECT_EQ(tlps({green, red}), std::vector{Tlp::kRed});
  EXPECT_EQ(tlps({red, green}), std::vector{Tlp::kRed});
  EXPECT_EQ(tlps({green, other_file, red}), (std::vector{Tlp::kRed, Tlp::kRed}));
  // Whichever of the same two comes first.
  EXPECT_EQ(tlps({green, unmarked}), std::vector{Tlp::kGreen});
  EXPECT_EQ(tlps({unmarked, green}), std::vector{Tlp::kGreen});
  EXPECT_EQ(tlps({unmarked, red}), std::vector{Tlp::kRed});
  // In another export a row without a mark is not loosened: its source may not be listed.
  unmarked.source = "2026-02";
  EXPECT_EQ(tlps({green, unmarked}), (std::vector{Tlp::kGreen, Tlp::kNone}));
  EXPECT_EQ(tlps({unmarked, red}), (std::vector{Tlp::kRed, Tlp::kRed}));
  EXPECT_EQ(tlps({green, other_originator, other_id, red}), (std::vector{Tlp::kRed, Tlp::kGreen, Tlp::kGreen}));
  EXPECT_NE(TestSet({green, red}).set->digest(), TestSet({green}).set->digest());
}

TEST(IndicatorSet, BoundsTheRowsOfOneValue) {
  std::vector<Indicator> indicators;
  for (size_t i = 0; i < ExactTable::kMaxRowsPerKey + 10; ++i) {
    indicators.push_back(MakeIndicator(IndicatorType::kDomain, "evil.example", std::to_string(i)));
  }
  TestSet test(indicators);
  EXPECT_EQ(test.report.loaded, ExactTable::kMaxRowsPerKey);
  EXPECT_EQ(test.report.problems_total, 10u);
  EXPECT_EQ(test.report.refused, 10u);
  EXPECT_EQ(test.FindText(kDnsQuery, "evil.example").size(), ExactTable::kMaxRowsPerKey);
}

// A later export may have other values of the indicator, and be read first.
TEST(IndicatorSet, TheStricterTlpOfAnIndicatorHoldsAcrossValuesAndTypes) {
  Indicator green = MakeIndicator(IndicatorType::kDomain, "evil.example", "u-1");
  green.originator = "cert-a";
  green.tlp = Tlp::kGreen;
  Indicator red = green, block = green, address = green, pattern = green, unmarked = green, other = green;
  red.value = "unrelated.example";
  red.tlp = Tlp::kRed;
  red.file = "another.csv";
  block.type = IndicatorType::kCidr;
  block.value = "20.1.2.0/24";
  address.type = IndicatorType::kIp;
  address.value = "20.1.2.7";
  pattern.type = IndicatorType::kContent;
  pattern.value = "evil bytes";
  unmarked.value = "third.example";
  unmarked.tlp = Tlp::kNone;
  other.id = "u-2";
  other.value = "fourth.example";
  std::vector<Indicator> rows = {green, red, block, address, pattern, unmarked, other};
  std::sort(rows.begin(), rows.end(), [](const Indicator& a, const Indicator& b) { return a.value < b.value; });
  do {
    const TestSet test(rows);
    ASSERT_EQ(test.report.loaded, rows.size());
    for (uint32_t i = 0; i < rows.size(); ++i) {
      const IndicatorRecord row = test.set->at(i);
      EXPECT_EQ(row.tlp, row.id == "u-2" ? Tlp::kGreen : Tlp::kRed) << row.value;
    }
  } while (std::next_permutation(rows.begin(), rows.begin() + 4,
                                 [](const Indicator& a, const Indicator& b) { return a.value < b.value; }));
  // Without the red one, what is unmarked stays so, and does not tighten the others.
  green.tlp = Tlp::kAmber;
  const TestSet test({unmarked, block, green});
  EXPECT_EQ(test.set->at(0).tlp, Tlp::kNone);
  EXPECT_EQ(test.set->at(1).tlp, Tlp::kAmber);
  // Ids that were made of file and line name no indicator; another source's id without an originator another one.
  Indicator first = green, second = red;
  first.originator = second.originator = "";
  first.source = "one";
  second.source = "two";
  EXPECT_EQ(TestSet({first, second}).set->at(0).tlp, Tlp::kAmber);
  second.source = "one";
  EXPECT_EQ(TestSet({first, second}).set->at(0).tlp, Tlp::kRed);
  first.id = second.id = "";
  EXPECT_EQ(TestSet({first, second}).set->at(0).tlp, Tlp::kAmber);
}

TEST(IndicatorSet, AnAudienceIsAllThatClearanceLooksAt) {
  Indicator row = MakeIndicator(IndicatorType::kDomain, "evil.example", "u-1");
  row.originator = "cert-a";
  row.source = "feed";
  row.tlp = Tlp::kGreen;
  row.recipients = {"p", "q"};
  const auto key_of = [](const Indicator& indicator) {
    const TestSet test({MakeIndicator(IndicatorType::kIp, "20.1.2.3"), indicator});
    return test.set->audiences()[test.set->AudienceOf(1)].key;
  };
  const uint64_t key = key_of(row);
  Indicator same = row;
  same.type = IndicatorType::kIp;
  same.value = "20.1.2.4";
  same.id = "u-2";
  same.source = "another feed";
  same.description = "x";
  same.recipients = {"q", "p", "q"};
  EXPECT_EQ(key_of(same), key);
  Indicator others[5] = {row, row, row, row, row};
  others[0].originator = "cert-b";
  others[1].tlp = Tlp::kAmber;
  others[2].sharing_group = "banks";
  others[3].recipients = {"p"};
  others[4].tlp = Tlp::kNone;
  std::set<uint64_t> keys = {key};
  for (const Indicator& other : others) EXPECT_TRUE(keys.insert(key_of(other)).second);
  others[4].source = "another feed";
  EXPECT_TRUE(keys.insert(key_of(others[4])).second) << "the source decides where there is no TLP";
}

// One sharer's rows take no other's place, in whatever order they are read, nor do one's own red rows.
TEST(IndicatorSet, BoundsTheRowsOfOneValueByAudience) {
  std::vector<Indicator> indicators;
  for (const auto& [originator, tlp] :
       {std::pair("b", Tlp::kRed), std::pair("a", Tlp::kRed), std::pair("a", Tlp::kGreen)}) {
    for (size_t i = 0; i < ExactTable::kMaxRowsPerKey + 10; ++i) {
      Indicator& row = indicators.emplace_back(MakeIndicator(
          IndicatorType::kDomain, "evil.example", std::to_string(i) + originator + std::string(NameOf(tlp))));
      row.originator = originator;
      row.tlp = tlp;
    }
  }
  indicators.push_back(indicators[0]);  // twice
  for (const unsigned seed : {1u, 2u, 3u}) {
    std::shuffle(indicators.begin(), indicators.end(), std::mt19937(seed));
    TestSet test(indicators);
    EXPECT_EQ(test.report.duplicates, 1u);
    EXPECT_EQ(test.report.refused, 30u);
    EXPECT_EQ(test.set->audiences().size(), 3u);
    std::map<uint32_t, size_t> by_audience;
    for (uint32_t i = 0; i < test.set->size(); ++i) ++by_audience[test.set->AudienceOf(i)];
    for (const auto& [audience, rows] : by_audience) EXPECT_EQ(rows, ExactTable::kMaxRowsPerKey);
    EXPECT_EQ(test.FindText(kDnsQuery, "evil.example").size(), 3 * ExactTable::kMaxRowsPerKey);
  }
}

// Each audience has budgets: nobody may have any number of audiences, and who has too many takes them from itself.
TEST(IndicatorSet, BoundsTheAudiencesOfAnOriginator) {
  std::vector<Indicator> indicators;
  for (size_t i = 0; i < ExactTable::kMaxAudiencesPerOriginator + 5; ++i) {
    indicators.push_back(MakeIndicator(IndicatorType::kDomain, "evil.example", std::to_string(i)));
    indicators.back().originator = "many";
    indicators.back().sharing_group = std::to_string(i);
  }
  indicators.push_back(MakeIndicator(IndicatorType::kDomain, "evil.example", "x"));
  TestSet test(indicators);
  EXPECT_EQ(test.report.refused, 5u);
  EXPECT_EQ(test.set->audiences().size(), ExactTable::kMaxAudiencesPerOriginator + 1);
  EXPECT_EQ(test.FindText(kDnsQuery, "evil.example").back(), "0:x");
}

// What one originator lists leaves the others their room.
TEST(IndicatorSet, BoundsContentsByOriginator) {
  IndicatorSetBuilder builder;
  Indicator content = MakeIndicator(IndicatorType::kContent, "x");
  content.originator = "many";
  std::string reason;
  size_t taken = 0;
  for (; taken < 300'000; ++taken) {
    content.value = "content " + std::to_string(taken);
    if (!builder.TryAdd(content, reason)) break;
  }
  EXPECT_EQ(taken, 200'000u);
  EXPECT_EQ(reason, "more than 200000 contents of one originator: give names, addresses and URLs their own type");
  content.originator = "another";
  EXPECT_TRUE(builder.TryAdd(content, reason)) << reason;
}

TEST(IndicatorSet, TheDigestTellsSetsApart) {
  const Indicator a = MakeIndicator(IndicatorType::kDomain, "evil.example", "a");
  const Indicator b = MakeIndicator(IndicatorType::kIp, "20.1.2.3", "b");
  Indicator moved = a, changed = a;
  moved.file = "elsewhere/test.csv";
  moved.source = "test";
  changed.tlp = Tlp::kRed;
  const std::string digest = TestSet({a, b}).set->digest();
  EXPECT_EQ(TestSet({a, b}).set->digest(), digest);
  EXPECT_EQ(TestSet({a, a, b}).set->digest(), digest);
  EXPECT_EQ(TestSet({moved, b}).set->digest(), digest);
  EXPECT_NE(TestSet({b, a}).set->digest(), digest);
  EXPECT_NE(TestSet({changed, b}).set->digest(), digest);
  EXPECT_NE(TestSet({a}).set->digest(), digest);
}

TEST(IndicatorSet, TheCanaryHasNoPartInWhatWasRead) {
  const Indicator a = MakeIndicator(IndicatorType::kDomain, "evil.example", "a");
  IndicatorSetBuilder builder;
  ASSERT_TRUE(builder.Add(a));
  builder.AddCanary();
  CompileReport report;
  const auto set = builder.Compile(report);
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(report.loaded, 1u);
  EXPECT_EQ(set->digest(), TestSet({a}).set->digest());
  EXPECT_EQ(TestSet({a}).set->canary(), std::nullopt);
  ASSERT_EQ(set->canary(), 1u);
  EXPECT_EQ(set->at(1).source, kCanarySource);
  // In queries and nowhere else.
  MatchScratch scratch;
  ASSERT_TRUE(set->PrepareScratch(scratch));
  ObservableBatch batch;
  batch.AddText(kDnsQuery, Direction::kToServer, "0123.canary.vedette.invalid");
  batch.AddText(ObservableKind::kTlsSni, Direction::kToServer, "0123.canary.vedette.invalid");
  std::vector<Hit> hits;
  set->Find(batch, scratch, hits);
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].observable, 0u);
  EXPECT_EQ(hits[0].indicator, 1u);
}

TEST(IndicatorSet, ManyThreadsMayMatchAtOnce) {
  std::vector<Indicator> indicators;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "name" + std::to_string(i);
    indicators.push_back(MakeIndicator(IndicatorType::kDomain, name + ".example", name));
    indicators.push_back(MakeIndicator(IndicatorType::kContent, "<" + name + ">", "payload " + name));
    indicators.push_back(MakeIndicator(IndicatorType::kContent, "/" + name + "/", "uri " + name));
    indicators.back().in = {kHttpUri};
    indicators.push_back(MakeIndicator(IndicatorType::kCidr, "20." + std::to_string(i) + ".0.0/16", "cidr " + name));
  }
  const TestSet shared(indicators);
  std::atomic<uint64_t> total{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      MatchScratch scratch;
      ASSERT_TRUE(shared.set->PrepareScratch(scratch));
      ObservableBatch batch;
      for (int i = 0; i < 200; ++i) {
        const std::string name = "name" + std::to_string(i);
        std::vector<PayloadHit> payload_hits;
        PayloadTail tail;
        shared.set->ScanPayload(AsBytes("xx <nam"), Direction::kToServer, &tail, scratch, payload_hits);
        shared.set->ScanPayload(AsBytes(name.substr(3) + "> yy"), Direction::kToServer, &tail, scratch, payload_hits);
        for (const PayloadHit& hit : payload_hits) batch.AddPayloadHit(Direction::kToServer, hit.pattern, "excerpt");
        batch.AddText(kDnsQuery, Direction::kToServer, "www." + name + ".example");
        batch.AddText(kHttpUri, Direction::kToServer, "/" + name + "/");
        batch.AddAddress(kIp, Direction::kToServer, IpAddress::Parse("20." + std::to_string(i) + ".1.1").value());
        std::vector<Hit> hits;
        shared.set->Find(batch, scratch, hits);
        total += hits.size();
        batch.Clear();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(total, 4u * 200 * 4);
}

TEST(Tlp, ReadsItsNames) {
  EXPECT_EQ(TlpOf("TLP:WHITE"), Tlp::kClear);
  EXPECT_EQ(TlpOf("clear"), Tlp::kClear);
  EXPECT_EQ(TlpOf("tlp:AMBER+STRICT"), Tlp::kAmberStrict);
  EXPECT_EQ(TlpOf("amber"), Tlp::kAmber);
  EXPECT_EQ(TlpOf("Red"), Tlp::kRed);
  EXPECT_EQ(TlpOf(""), std::nullopt);
  EXPECT_EQ(TlpOf("ex:chr"), std::nullopt);
  EXPECT_EQ(NameOf(Tlp::kNone), "amber+strict");
}

// Hyperscan 5.4 reads behind its input with AVX-512 VBMI: nothing there may end the program.
TEST(IndicatorSet, PayloadMayEndWhereMemoryDoes) {
  std::vector<Indicator> rows;
  for (const char* text : {"bat", "cat", "mat", "rat", "fat", "sat", "pat", "hat", "vat"}) {
    rows.push_back(MakeIndicator(IndicatorType::kContent, text, text));
  }
  const TestSet set(rows);
  MatchScratch scratch;
  ASSERT_TRUE(set.set->PrepareScratch(scratch));
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  auto* memory =
      static_cast<uint8_t*>(mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(mprotect(memory + page, page, PROT_NONE), 0);
  const std::string text = "VAt hat pat sat fat rat mat ca";
  for (size_t length = 1; length <= 200; ++length) {
    for (size_t i = 0; i < length; ++i) memory[page - length + i] = static_cast<uint8_t>(text[i % text.size()]);
    std::vector<PayloadHit> hits;
    set.set->ScanPayload(Bytes(memory + page - length, length), Direction::kToServer, nullptr, scratch, hits);
    EXPECT_EQ(hits.empty(), length < 3) << length;
  }
  munmap(memory, 2 * page);
}

}  // namespace
}  // namespace vedette
