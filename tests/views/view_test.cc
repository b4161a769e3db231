// A view depends on nothing that it may not show: over traffic made to meet every limit, and over pcaps/.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sensor/capture/files/capture_files.h"
#include "tests/views/observed_rows.h"
#include "tests/views/traffic.h"

namespace vedette::views {
namespace {

using testing::Be16;

std::string WireName(const std::string& name) {
  std::string out;
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    out += static_cast<char>(end - begin);
    out += name.substr(begin, end - begin);
    begin = end + 1;
  }
  return out + '\0';
}

std::string DnsQuery(const std::string& name) {
  return Be16(7) + Be16(0x0100) + Be16(1) + Be16(0) + Be16(0) + Be16(0) + WireName(name) + Be16(1) + Be16(1);
}

std::string DnsAnswer(const std::string& name, const std::vector<std::string>& addresses) {
  std::string out = Be16(7) + Be16(0x8180) + Be16(1) + Be16(static_cast<unsigned>(addresses.size())) + Be16(0) +
                    Be16(0) + WireName(name) + Be16(1) + Be16(1);
  for (const std::string& address : addresses) {
    out += Be16(0xc00c) + Be16(1) + Be16(1) + Be16(0) + Be16(60) + Be16(4) + testing::WireAddress(address);
  }
  return out;
}

std::string Literal(size_t i) { return "<literal-" + std::to_string(i) + ">"; }
std::string LongLiteral(size_t i) {
  return "long-" + std::to_string(i) + std::string(90, static_cast<char>('a' + i % 26)) + "end";
}
std::string Domain(size_t i) { return "domain" + std::to_string(i) + ".example"; }
std::string Address(size_t i) { return "20.0." + std::to_string(i % 8) + "." + std::to_string(1 + i % 200); }

constexpr size_t kLiterals = 700, kDomains = 20, kAddresses = 60;

// Rows of random owners, some listing a lot; each limit that counts hits is met.
std::vector<Indicator> MakeRows(Random& random) {
  std::vector<Indicator> rows;
  const auto add = [&](Indicator row, size_t most = 3) {
    for (size_t n = 1 + random() % most; n > 0; --n) {
      row.direction = random() % 4 == 0 ? static_cast<IndicatorDirection>(random() % 3) : IndicatorDirection::kAny;
      AssignOwner(row, random);
      rows.push_back(row);
    }
  };
  for (size_t i = 0; i < kDomains; ++i) {
    add(Row(IndicatorType::kDomain, Domain(i)), 8);
    add(Row(IndicatorType::kHostname, "host3." + Domain(i)));
    Indicator label = Row(IndicatorType::kContent, Domain(i).substr(0, 8));
    label.in = {ObservableKind::kDnsQuery, ObservableKind::kHttpHost};
    if (i % 5 == 0) add(label);
  }
  for (size_t i = 0; i < kAddresses; ++i) {
    add(Row(IndicatorType::kIp, Address(i)));
    if (i < 8) add(Row(IndicatorType::kCidr, "20.0." + std::to_string(i) + ".0/24"));
    if (i % 7 == 0) add(Row(IndicatorType::kIpPort, Address(i) + ":80"));
  }
  // Two who list nearly every literal, of which one sees none of the other's, and many who list some.
  for (const auto& [originator, tlp] : {std::pair("cert-a", Tlp::kGreen), std::pair("cert-b", Tlp::kRed)}) {
    for (size_t i = 0; i < kLiterals; ++i) {
      Indicator row = Row(IndicatorType::kContent, Literal(i));
      row.in = {ObservableKind::kPayload, ObservableKind::kHttpUri};
      AssignOwner(row, random);
      row.originator = originator;
      row.tlp = tlp;
      row.sharing_group.clear();
      row.recipients.clear();
      row.id = "many-" + std::string(originator) + std::to_string(i);
      rows.push_back(row);
    }
  }
  for (size_t i = 0; i < kLiterals; i += 3) {
    Indicator row = Row(IndicatorType::kContent, Literal(i));
    if (i % 2 == 0) row.in = {i % 4 == 0 ? ObservableKind::kHttpUri : ObservableKind::kHttpUserAgent};
    add(row);
  }
  for (size_t i = 0; i < 20; ++i) add(Row(IndicatorType::kContent, LongLiteral(i)));
  for (const char* expression : {"literal-[0-9]{2}5>", "<lit[a-z]{1,20}-1", "long-[0-9]{1,3}aaa"}) {
    Indicator row = Row(IndicatorType::kRegex, expression);
    add(row);
    row.in = {ObservableKind::kHttpUri};
    add(row);
  }
  Indicator forwarded_for = Row(IndicatorType::kContent, "20.0.");
  forwarded_for.in = {ObservableKind::kHttpXff};
  forwarded_for.originator = "cert-b";
  forwarded_for.tlp = Tlp::kRed;
  forwarded_for.id = "forwarded-for";
  rows.push_back(forwarded_for);
  // A value with more rows than one may have.
  for (const auto& [originator, tlp] :
       {std::pair("cert-b", Tlp::kRed), std::pair("cert-a", Tlp::kGreen), std::pair("cert-a", Tlp::kAmber)}) {
    for (size_t i = 0; i < 300; ++i) {
      Indicator row = Row(IndicatorType::kDomain, "crowd.example");
      row.originator = originator;
      row.tlp = tlp;
      row.id = "crowd-" + std::string(originator) + std::string(NameOf(tlp)) + std::to_string(i);
      rows.push_back(row);
    }
  }
  add(Row(IndicatorType::kUserAgent, "agent/1"));
  add(Row(IndicatorType::kUri, "/index"));
  add(Row(IndicatorType::kUrl, "http://domain1.example/index"));
  std::shuffle(rows.begin(), rows.end(), random);
  return rows;
}

std::string ManyLiterals(Random& random, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    out += Literal(random() % kLiterals);
    if (random() % 40 == 0) out += LongLiteral(random() % 20);
  }
  return out;
}

Traffic MakeTraffic(Random& random) {
  Traffic out;
  const std::string client = "192.0.2.1", server = "198.51.100.2";
  // One flow that asks for more names than it may alert on, and some of them again.
  for (size_t i = 0; i < 600; ++i) {
    out.AddUdp(client, 5000, server, 53,
               DnsQuery("host" + std::to_string(random() % 40) + '.' + Domain(random() % kDomains)));
  }
  out.AddUdp(client, 5000, server, 53, DnsQuery("www.crowd.example"));
  // Answers with many listed addresses.
  for (size_t n = 0; n < 3; ++n) {
    std::vector<std::string> addresses;
    for (size_t i = 0; i < 300; ++i) addresses.push_back(Address(random() % 200));
    out.AddUdp(client, static_cast<uint16_t>(5001 + n), server, 53, DnsAnswer(Domain(random() % kDomains), addresses),
               false);
  }
  // Datagrams and streams full of literals; the same flow shows them again.
  for (size_t n = 0; n < 12; ++n) {
    out.AddUdp(client, static_cast<uint16_t>(6000 + n % 3), Address(n), 4000,
               ManyLiterals(random, n % 4 == 0 ? 900 : 60));
  }
  for (size_t n = 0; n < 6; ++n) {
    out.AddTcp(client, static_cast<uint16_t>(7000 + n), Address(random() % 40), 4000, ManyLiterals(random, 500), random,
               n % 2 == 0 ? 60 : 1400);
  }
  for (size_t n = 0; n < 6; ++n) {
    std::string stream;
    for (size_t request = 0; request < 8; ++request) {
      const std::string uri =
          request == 0 ? "/index" : "/" + ManyLiterals(random, request == 1 && n < 3 ? 600 : random() % 60);
      std::string forwarded_for;
      for (size_t i = request % 4 == 3 ? 80 : request % 2; i > 0; --i) forwarded_for += ", " + Address(random() % 200);
      if (!forwarded_for.empty()) forwarded_for = "\r\nX-Forwarded-For: " + forwarded_for.substr(2);
      stream += "GET " + uri + " HTTP/1.1" + forwarded_for + "\r\nHost: host" + std::to_string(random() % 6) + '.' +
                Domain(random() % kDomains) +
                "\r\nUser-Agent: " + (random() % 2 == 0 ? "agent/1" : ManyLiterals(random, 3)) + "\r\n\r\n";
    }
    out.AddTcp(client, static_cast<uint16_t>(8000 + n), Address(random() % 40), 80, stream, random);
  }
  // Flows of listed addresses, at both ends too.
  for (size_t n = 0; n < 80; ++n) {
    out.AddUdp(Address(random() % kAddresses), static_cast<uint16_t>(9000 + n),
               n % 5 == 0 ? Address(n) : Address(random() % 200), 4001, "x");
  }
  out.AddUdp(Address(3), 9100, Address(3), 9101, "x");
  return out;
}

TEST(Views, DependOnNothingThatTheyMayNotShow) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    Random random(seed);
    const std::vector<Indicator> rows = MakeRows(random);
    const Traffic traffic = MakeTraffic(random);
    const std::vector<Clearance> clearances = SomeClearances(random, 4);
    // Once as a replay, once as a live sensor whose exporter comes seldom.
    ReplayOptions replay;
    replay.limits = {.alerts_per_flow = 60, .remembered = 120};
    ReplayOptions live = replay;
    live.live = true;
    live.pop_every_bursts = 6;
    live.room = 40;
    // And both with views that tell of the ends of flows.
    ReplayOptions replay_ends = replay, live_ends = live;
    replay_ends.ends = live_ends.ends = true;
    for (const ReplayOptions& options : {replay, live, replay_ends, live_ends}) {
      if (options.ends && seed != 1) continue;
      Replayed all;
      ExpectSame(CompareViews(traffic.InBursts(kBurst), {rows}, clearances, options, 0, &all));
      EXPECT_GT(all.alerts, 300u);
      // Every limit was met.
      EXPECT_GT(all.refused, 0u);
      EXPECT_GT(all.counters.dropped_flow_limit, 0u);
      EXPECT_GT(all.counters.unremembered, 0u);
      EXPECT_GT(all.counters.repeated, 0u);
      EXPECT_GT(all.matching.hits_over_limit, 0u);
      EXPECT_EQ(all.matching.scan_errors, 0u);
      EXPECT_TRUE(!options.live || all.counters.dropped_queue_full > 0);
      EXPECT_EQ(options.ends, all.ends > 0);
      EXPECT_EQ(options.ends, all.flows_over_limit > 0);
    }
  }
}

TEST(Views, DependOnNothingThatTheyMayNotShowAcrossAReload) {
  for (const uint64_t seed : {11u, 12u}) {
    Random random(seed);
    std::vector<Indicator> later = MakeRows(random);
    std::vector<Indicator> first = later;
    std::shuffle(first.begin(), first.end(), random);
    first.resize(first.size() / 2);
    // Some go, others take their place.
    later.resize(later.size() * 4 / 5);
    const Traffic traffic = MakeTraffic(random);
    const std::vector<Clearance> clearances = SomeClearances(random, 3);
    ReplayOptions options;
    options.live = true;
    options.room = 60;
    options.pop_every_bursts = 4;
    options.ends = true;
    Replayed all;
    ExpectSame(CompareViews(traffic.InBursts(kBurst), {first, later, first}, clearances, options,
                            (traffic.size() + kBurst - 1) / kBurst, &all));
    EXPECT_GT(all.alerts, 300u);
  }
}

// What a partner is shown of a message does not tell what kinds of values others list.
TEST(Views, DependOnNothingThatTheyMayNotShowOverTheProjectsCaptures) {
  size_t alerts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VEDETTE_SOURCE_DIR "/pcaps")) {
    if (entry.path().extension() != ".pcap" && entry.path().extension() != ".pcapng") continue;
    const std::vector<std::string> paths = {entry.path().string()};
    std::string error;
    std::atomic<bool> stop{false};
    CaptureList::Options list_options;
    list_options.stop = &stop;
    const auto list = CaptureList::Resolve(paths, list_options, error);
    ASSERT_NE(list, nullptr) << error;
    const Bursts bursts = [&](const std::function<void(std::span<const Frame>)>& each) {
      CaptureFiles source(list);
      std::span<const Frame> frames;
      while (source.Poll(frames) != PollStatus::kEnd) each(frames);
    };
    for (uint64_t seed = 1; seed <= 6; ++seed) {
      Random random(seed);
      const std::vector<Indicator> rows = RowsForWhatIsSeen(bursts, random, 40);
      ReplayOptions options;
      if (seed % 2 == 0) options.limits = {.alerts_per_flow = 2, .remembered = 5};
      options.ends = seed % 3 == 0;
      Replayed all;
      const Difference difference = CompareViews(bursts, {rows}, SomeClearances(random, 4), options, 0, &all);
      EXPECT_EQ(difference.differing, 0u) << entry.path() << " seed " << seed << '\n' << difference.example;
      alerts += all.alerts;
    }
  }
  EXPECT_GT(alerts, 300u);
}

// A partner that may see one's green rows asks for as many names as a flow may alert on, then for one that another may
// have as TLP:RED, then for one of its own.
TEST(Views, AFlowsLimitDoesNotTellWhetherANameIsListed) {
  Indicator own = Row(IndicatorType::kDomain, "mine.example.net"),
            secret = Row(IndicatorType::kDomain, "secret-c2.example.org");
  own.originator = "cert-a";
  own.tlp = Tlp::kGreen;
  secret.originator = "cert-b";
  secret.tlp = Tlp::kRed;
  Clearance partner;
  partner.partner = "a";
  partner.originators = {"cert-a"};
  partner.max_tlp = Tlp::kGreen;
  std::string views[2];
  for (const bool listed : {false, true}) {
    Traffic traffic;
    const auto ask = [&](const std::string& name) {
      traffic.AddUdp("192.0.2.1", 5000, "198.51.100.2", 53, DnsQuery(name));
    };
    for (int i = 0; i < 4095; ++i) ask("n" + std::to_string(i) + ".mine.example.net");
    ask(listed ? "secret-c2.example.org" : "not-listd.example.org");
    ask("sentinel.mine.example.net");
    views[listed] = Replay(traffic.InBursts(kBurst), {{own, secret}}, {partner}, {}).views[0];
  }
  EXPECT_NE(views[0].find("sentinel"), std::string::npos);
  EXPECT_EQ(views[0], views[1]);
}

}  // namespace
}  // namespace vedette::views
