#include "signatures/set/exact_table.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "signatures/host_suffixes.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using Random = std::mt19937_64;
using enum ObservableKind;
using Ids = std::vector<std::string>;

std::string PickName(Random& random) {
  static constexpr const char* kLabels[] = {"a", "b", "www", "long-label-of-more-than-16-bytes", "x1", "mail"};
  static constexpr const char* kEndings[] = {"example.com", "example.net", "ex.co.uk", "ample.com"};
  std::string out;
  for (size_t n = random() % 4; n > 0; --n) out.append(kLabels[random() % 6]).append(".");
  return out.append(kEndings[random() % 4]);
}

std::string PickAddress(Random& random) {
  if (random() % 4 == 0) return "2400:" + std::to_string(1 + random() % 3) + "::" + std::to_string(1 + random() % 3);
  return "20." + std::to_string(random() % 3) + ".0." + std::to_string(random() % 8);
}

bool Covers(const std::string& cidr, const IpAddress& address) {
  const size_t slash = cidr.find('/');
  const IpAddress network = IpAddress::Parse(cidr.substr(0, slash)).value();
  return network.version() == address.version() &&
         MaskAddress(address, static_cast<unsigned>(std::stoul(cidr.substr(slash + 1)))) == network;
}

// Contract 5's table, said in the plainest way.
bool NaiveMatch(const IndicatorRecord& row, const Observable& seen) {
  if (!row.in.Has(seen.kind)) return false;
  if (row.direction == IndicatorDirection::kSrc && seen.direction != Direction::kToServer) return false;
  if (row.direction == IndicatorDirection::kDst && seen.direction != Direction::kToClient) return false;
  const std::string value(row.value), text(seen.text);
  std::optional<IpAddress> address;
  if (FormOf(seen.kind) == ValueForm::kAddress) {
    address = seen.address;
  } else {
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    address = IpAddress::Parse(bracketed ? text.substr(1, text.size() - 2) : text);
  }
  switch (row.type) {
    case IndicatorType::kIp:
      return address && IpAddress::Parse(value) == address;
    case IndicatorType::kCidr:
      return address && Covers(value, *address);
    case IndicatorType::kIpPort: {
      if (seen.kind == kHttpUrl) return text == "http://" + value + "/x" || text + ":80" == "http://" + value;
      const std::string written = address->is_v6() ? '[' + address->ToString() + ']' : address->ToString();
      return seen.port != 0 && value == written + ':' + std::to_string(seen.port);
    }
    case IndicatorType::kDomain:
      return text == value || (text.size() > value.size() && text.ends_with('.' + value));
    default:
      return text == value;
  }
}

// Most clients resolve them, some programs send them as they are; both ask for the same.
TEST(ExactTable, AUrlIsFoundWithDotSegmentsAndWithout) {
  TestSet set({MakeIndicator(IndicatorType::kUrl, "http://evil.example/x/../a?q=/../b", "one")});
  const std::vector<std::string> hit = {"0:one"};
  for (const char* url : {"http://evil.example/a?q=/../b", "http://evil.example/x/../a?q=/../b",
                          "http://evil.example/./y/.././a?q=/../b"})
    EXPECT_EQ(set.FindText(ObservableKind::kHttpUrl, url), hit) << url;
  for (const char* url :
       {"http://evil.example/x/a?q=/../b", "http://evil.example/a?q=/b", "http://evil.example/a/..?q=/../b"})
    EXPECT_TRUE(set.FindText(ObservableKind::kHttpUrl, url).empty()) << url;
}

TEST(ExactTable, AgreesWithTryingEveryRow) {
  Random random(11);
  for (int round = 0; round < 15; ++round) {
    std::vector<Indicator> indicators;
    const auto add = [&](IndicatorType type, std::string value) {
      Indicator indicator = MakeIndicator(type, std::move(value), "id" + std::to_string(indicators.size()));
      indicator.direction = static_cast<IndicatorDirection>(random() % 3);
      if (random() % 3 == 0) {
        for (size_t kind = 0; kind < kObservableKinds; ++kind) {
          const auto place = static_cast<ObservableKind>(kind);
          if (DefaultPlacesOf(type).Has(place) && random() % 2 == 0) indicator.in.Add(place);
        }
      }
      indicators.push_back(std::move(indicator));
    };
    const auto hash = [&](size_t digits) { return std::string(digits, "0123"[random() % 4]); };
    const auto end = [&] {
      const std::string address = PickAddress(random);
      return (address.find(':') == std::string::npos ? address : '[' + address + ']') + ':' +
             std::to_string(79 + random() % 3);
    };
    for (int i = 0; i < 12; ++i) {
      add(IndicatorType::kDomain, PickName(random));
      add(IndicatorType::kHostname, PickName(random));
      add(IndicatorType::kIp, PickAddress(random));
      add(IndicatorType::kIpPort, end());
      add(IndicatorType::kCidr, PickAddress(random) + '/' + std::to_string(16 + random() % 12));
      add(IndicatorType::kUri, "/" + std::to_string(random() % 20));
      add(IndicatorType::kUserAgent, "agent " + std::to_string(random() % 20));
      add(IndicatorType::kUrl, "http://example.com/" + std::to_string(random() % 20));
      add(IndicatorType::kJa3, hash(32));
      add(IndicatorType::kJa3s, hash(32));
      add(IndicatorType::kCertSha1, hash(40));
      add(IndicatorType::kCertSha256, hash(64));
    }
    TestSet test(indicators);
    EXPECT_EQ(test.report.problems_total, 0u);

    for (int i = 0; i < 300; ++i) {
      const Direction direction = random() % 2 == 0 ? Direction::kToServer : Direction::kToClient;
      const auto port = static_cast<uint16_t>(random() % 2 == 0 ? 0 : 79 + random() % 3);
      const ObservableKind address_kinds[] = {kIp, kIpInner, kIpQuoted, kDnsAnswer};
      const ObservableKind name_kinds[] = {kDnsQuery, kDnsCname, kHttpHost, kHttpHostField, kTlsSni, kTlsCertName};
      test.batch.AddAddress(address_kinds[random() % 4], direction, IpAddress::Parse(PickAddress(random)).value(),
                            port);
      test.batch.AddText(name_kinds[random() % 5], direction, PickName(random));
      test.batch.AddText(random() % 2 == 0 ? kHttpHost : kTlsSni, direction, PickAddress(random));
      test.batch.AddText(kHttpHost, direction, "[2400:1::1]");
      test.batch.AddText(kHttpXff, direction, random() % 4 == 0 ? PickName(random) : PickAddress(random));
      test.batch.AddText(kHttpUri, direction, "/" + std::to_string(random() % 20));
      test.batch.AddText(kHttpUserAgent, direction, "agent " + std::to_string(random() % 20));
      test.batch.AddText(kHttpUrl, direction, "http://example.com/" + std::to_string(random() % 20));
      test.batch.AddText(kHttpUrl, direction, "http://" + end() + "/x");
      test.batch.AddText(kTlsJa3, direction, hash(32));
      test.batch.AddText(kTlsJa3s, direction, hash(32));
      test.batch.AddText(kTlsCertSha1, direction, hash(40));
      test.batch.AddText(kTlsCertSha256, direction, hash(64));
      test.batch.AddText(kDnsType, direction, PickName(random));
    }
    std::vector<std::pair<uint32_t, uint32_t>> expected, found;
    for (uint32_t seen = 0; seen < test.batch.size(); ++seen) {
      for (uint32_t row = 0; row < test.set->size(); ++row) {
        if (NaiveMatch(test.set->at(row), test.batch.observables()[seen])) expected.emplace_back(seen, row);
      }
    }
    std::vector<Hit> hits;
    test.set->Find(test.batch, test.scratch, hits);
    for (const Hit& hit : hits) found.emplace_back(hit.observable, hit.indicator);
    EXPECT_EQ(found, expected);
    EXPECT_FALSE(expected.empty());
  }
}

// A type that has got its places, but nothing that looks it up.
TEST(ExactTable, RefusesATypeThatNothingLooksUp) {
  IndicatorRowsBuilder builder;
  std::string reason;
  for (const IndicatorType type : {IndicatorType::kHassh, IndicatorType::kDomain, IndicatorType::kWallet}) {
    Indicator row = MakeIndicator(type, "evil.example", std::string(NameOf(type)));
    ASSERT_TRUE(builder.Append(row, type, {kDnsQuery}, row.value, reason)) << reason;
  }
  IndicatorRows rows = builder.Take();
  ExactTable table;
  std::vector<std::string> refused;
  table.Build(rows, [&](uint32_t row, std::string why) { refused.push_back(std::to_string(row) + ' ' + why); });
  EXPECT_EQ(refused, (Ids{"0 hassh values are not looked up yet", "2 wallet values are not looked up yet"}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.Record(0).id, "domain");
}

TEST(IndicatorRows, AnOriginatorTakesNoOthersRoomForText) {
  IndicatorRowsBuilder builder(10'000);
  std::string reason;
  Indicator row = MakeIndicator(IndicatorType::kDomain, "", "id");
  row.originator = "many";
  size_t taken = 0;
  for (; taken < 1000; ++taken) {
    row.value = std::string(90, 'x') + std::to_string(taken);
    if (!builder.Append(row, row.type, {kDnsQuery}, row.value, reason)) break;
  }
  EXPECT_GT(taken, 80u);
  EXPECT_LT(taken, 120u);
  EXPECT_EQ(reason, "no room: the indicators of this originator hold more than 0 MiB of text");
  row.originator = "another";
  EXPECT_TRUE(builder.Append(row, row.type, {kDnsQuery}, row.value, reason)) << reason;
}

TEST(ExactTable, EveryTypeWithPlacesIsLookedUp) {
  for (size_t i = 0; i < static_cast<size_t>(IndicatorType::kCount); ++i) {
    const auto type = static_cast<IndicatorType>(i);
    EXPECT_TRUE(PossiblePlacesOf(type).empty() || KeySpaceOf(type)) << NameOf(type);
  }
}

TEST(ExactTable, ADomainCoversItsSubdomainsAndAHostnameItself) {
  TestSet test({MakeIndicator(IndicatorType::kDomain, "Evil.Example", "domain"),
                MakeIndicator(IndicatorType::kHostname, "www.evil.example", "hostname")});
  EXPECT_EQ(test.FindText(kDnsQuery, "evil.example"), Ids{"0:domain"});
  EXPECT_EQ(test.FindText(kDnsQuery, "a.b.evil.example"), Ids{"0:domain"});
  EXPECT_EQ(test.FindText(kTlsSni, "www.evil.example"), (Ids{"0:domain", "0:hostname"}));
  EXPECT_EQ(test.FindText(kTlsSni, "x.www.evil.example"), Ids{"0:domain"});
  EXPECT_EQ(test.FindText(kTlsCertName, "*.evil.example"), Ids{"0:domain"});
  EXPECT_EQ(test.FindText(kHttpHost, "notevil.example"), Ids{});
  EXPECT_EQ(test.FindText(kHttpHost, "example"), Ids{});
  EXPECT_EQ(test.FindText(kHttpXff, "evil.example"), Ids{});
}

TEST(ExactTable, LooksForAddressesWhereContract5SaysSo) {
  TestSet test(
      {MakeIndicator(IndicatorType::kIp, "20.1.2.3", "ip"), MakeIndicator(IndicatorType::kCidr, "20.1.0.0/16", "cidr"),
       MakeIndicator(IndicatorType::kIpPort, "20.1.2.3:8080", "port"),
       MakeIndicator(IndicatorType::kIpPort, "20.1.2.3:80", "80"), MakeIndicator(IndicatorType::kIp, "2400::1", "v6")});
  for (const ObservableKind kind : {kIp, kIpInner, kIpQuoted, kDnsAnswer}) {
    EXPECT_EQ(test.FindAddress(kind, "20.1.2.3"), (Ids{"0:ip", "0:cidr"})) << NameOf(kind);
  }
  EXPECT_EQ(test.FindAddress(kIp, "20.1.2.3", 8080), (Ids{"0:ip", "0:cidr", "0:port"}));
  EXPECT_EQ(test.FindAddress(kIp, "20.1.9.9", 8080), Ids{"0:cidr"});
  EXPECT_EQ(test.FindText(kHttpHost, "20.1.2.3"), (Ids{"0:ip", "0:cidr"}));
  EXPECT_EQ(test.FindText(kTlsSni, "20.1.2.3"), (Ids{"0:ip", "0:cidr"}));
  EXPECT_EQ(test.FindText(kHttpHost, "[2400::1]"), Ids{"0:v6"});
  EXPECT_EQ(test.FindText(kHttpHost, "2400::1"), Ids{"0:v6"});
  EXPECT_EQ(test.FindText(kHttpUrl, "http://20.1.2.3:8080/x"), Ids{"0:port"});
  EXPECT_EQ(test.FindText(kHttpUrl, "http://20.1.2.3/?q=http://20.1.2.3:8080/"), Ids{"0:80"});
  EXPECT_EQ(test.FindText(kHttpUrl, "http://20.1.2.3:808000/"), Ids{});
}

TEST(ExactTable, AMappedAddressIsTheOneThatItHolds) {
  Indicator cidr = MakeIndicator(IndicatorType::kCidr, "20.1.0.0/16", "cidr");
  TestSet test({MakeIndicator(IndicatorType::kIp, "::ffff:20.1.2.3", "ip"), cidr,
                MakeIndicator(IndicatorType::kIpPort, "20.1.2.3:8080", "port")});
  for (const char* address : {"20.1.2.3", "::ffff:20.1.2.3"}) {
    EXPECT_EQ(test.FindAddress(kIp, address, 8080), (Ids{"0:ip", "0:cidr", "0:port"})) << address;
    EXPECT_EQ(test.FindAddress(kDnsAnswer, address), (Ids{"0:ip", "0:cidr"})) << address;
    EXPECT_EQ(test.FindText(kHttpHost, address), (Ids{"0:ip", "0:cidr"})) << address;
  }
  EXPECT_EQ(test.FindText(kHttpHost, "[::ffff:20.1.2.3]"), (Ids{"0:ip", "0:cidr"}));
  EXPECT_EQ(test.FindText(kHttpUrl, "http://[::ffff:20.1.2.3]:8080/"), Ids{"0:port"});
  EXPECT_EQ(test.FindAddress(kIp, "::20.1.2.3"), Ids{});
}

TEST(ExactTable, DirectionIsTheEndThatSent) {
  Indicator src = MakeIndicator(IndicatorType::kIp, "20.1.2.3", "src"), dst = src;
  src.direction = IndicatorDirection::kSrc;
  dst.direction = IndicatorDirection::kDst;
  dst.id = "dst";
  TestSet test({src, dst});
  EXPECT_EQ(test.FindAddress(kIp, "20.1.2.3", 0, Direction::kToServer), Ids{"0:src"});
  EXPECT_EQ(test.FindAddress(kIp, "20.1.2.3", 0, Direction::kToClient), Ids{"0:dst"});
}

// Dots are looked for 16 bytes at a time: every length, every density, against looking at each byte.
TEST(HostSuffixes, BeginWhereLabelsBegin) {
  std::mt19937 random(7);
  for (size_t size = 0; size <= kMaxHostNameBytes + 20; ++size) {
    for (const uint32_t labels : {1, 3, 17, 1000}) {
      std::string host(size, 'a');
      for (char& c : host) c = random() % labels == 0 ? '.' : static_cast<char>('-' + random() % 4);
      std::vector<size_t> expected, got;
      const size_t floor = size > kMaxHostNameBytes ? size - kMaxHostNameBytes : 0;
      for (size_t at = size; at > floor; --at) {
        if (host[at - 1] == '.') expected.push_back(at);
      }
      if (floor == 0 && size != 0 && host[0] != '.') expected.push_back(0);
      ForEachSuffix(host, [&](size_t begin, uint64_t) { got.push_back(begin); });
      ASSERT_EQ(got, expected) << host;
    }
  }
}

TEST(HostSuffixes, HashTheSameWhereverTheyStand) {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    const std::string host = PickName(random);
    ForEachSuffix(host, [&](size_t begin, uint64_t hash) { EXPECT_EQ(hash, HashHost(host.substr(begin))); });
  }
  EXPECT_NE(HashHost("ab.c"), HashHost("a.bc"));
  EXPECT_NE(HashHost("abc"), HashHost("ab.c"));
}

TEST(HostSuffixes, OfALongTextOnlyWhatCanBeAName) {
  std::string host(1000, 'a');
  size_t count = 0;
  ForEachSuffix(host, [&](size_t, uint64_t) { ++count; });
  EXPECT_EQ(count, 0u);
  host += ".evil.example";
  std::vector<std::string> suffixes;
  ForEachSuffix(host, [&](size_t begin, uint64_t) { suffixes.push_back(host.substr(begin)); });
  EXPECT_EQ(suffixes, (std::vector<std::string>{"example", "evil.example"}));
  count = 0;
  ForEachSuffix(std::string(100'000, '.'), [&](size_t, uint64_t) { ++count; });
  EXPECT_LE(count, kMaxHostNameBytes);
}

}  // namespace
}  // namespace vedette
