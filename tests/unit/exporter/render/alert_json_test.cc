// The lines of golden/ are what a reader may rely on; docs/alert.md explains them. Set VEDETTE_UPDATE_GOLDEN to write
// them anew after a change that is meant. VEDETTE_ALERTS_OUT names a file that gets every line rendered here.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "parsers/registry.h"
#include "tests/unit/exporter/render/alert_json_fixture.h"

namespace vedette {
namespace {

using nlohmann::json;

TEST_F(AlertJson, Ip) {
  IndicatorRecord& record =
      records_[records_.Add(IndicatorType::kIp, "89.160.20.112", "indicator--8d7f5c1a-2a54-4f6e-9a3b-6a1f2e0c9b77")];
  record.description = "Command and control of a loader";
  record.tags = {"misp-galaxy:tool=\"Loader\"", "tlp:green"};
  record.tlp = Tlp::kGreen;
  record.pap = "amber";
  record.confidence = uint8_t{85};
  record.valid_from_ns = static_cast<int64_t>(kTenOClock - 86'400'000'000'000);
  record.valid_until_ns = static_cast<int64_t>(kTenOClock + 86'400'000'000'000);
  record.reference = "https://cert-a.example/advisories/2026-11";
  ExpectGolden("ip", MakeAlert(ObservableKind::kIp, "89.160.20.112", {0}));
}

TEST_F(AlertJson, IpQuotedInIcmp) {
  records_.Add(IndicatorType::kCidr, "81.2.69.0/24", "list:7");
  Alert alert = MakeAlert(ObservableKind::kIpQuoted, "81.2.69.142", {0});
  alert.flow.client = Address("89.160.20.1");
  alert.flow.server = Address("10.1.2.3");
  alert.flow.protocol = 1;
  alert.flow.client_port = 3;
  alert.flow.server_port = 1;
  ExpectGolden("ip_quoted", alert);
}

TEST_F(AlertJson, EchoInBothDirections) {
  records_.Add(IndicatorType::kIp, "2a02:cf40::7", "list:8");
  Alert alert = MakeAlert(ObservableKind::kIp, "2a02:cf40::7", {0});
  alert.flow.client = Address("2001:db8::1");
  alert.flow.server = Address("2a02:cf40::7");
  alert.flow.protocol = 58;
  alert.flow.client_port = 128;
  alert.flow.server_port = 129;
  alert.direction = Direction::kToClient;
  ExpectGolden("ip_icmpv6", alert);
}

TEST_F(AlertJson, DnsQuery) {
  records_.Add(IndicatorType::kDomain, "bad.example", "domains:12");
  Alert alert = MakeAlert(ObservableKind::kDnsQuery, "www.bad.example", {0});
  alert.flow.server = Address("81.2.69.142");
  alert.flow.server_port = 53;
  alert.flow.protocol = 17;
  alert.flow.app = DnsProtocol::kId;
  alert.flow.vlan[0] = 100;
  alert.flow.vlan[1] = 7;
  alert.flow.num_vlans = 2;
  alert.message = {{ObservableKind::kDnsQuery, "www.bad.example"}, {ObservableKind::kDnsType, "A"}};
  ExpectGolden("dns_query", alert);
}

TEST_F(AlertJson, DnsAnswer) {
  records_[records_.Add(IndicatorType::kIp, "81.2.69.142", "uuid-1")].confidence = uint8_t{60};
  records_.Add(IndicatorType::kCidr, "81.2.69.0/24", "uuid-2", "cert-b");
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {0, 1});
  alert.direction = Direction::kToClient;
  alert.flow.server = Address("89.160.20.112");
  alert.flow.server_port = 53;
  alert.flow.protocol = 17;
  alert.flow.app = DnsProtocol::kId;
  alert.message = {{ObservableKind::kDnsQuery, "cdn.example"},  {ObservableKind::kDnsType, "A"},
                   {ObservableKind::kDnsRcode, "NOERROR"},      {ObservableKind::kDnsCname, "edge.example"},
                   {ObservableKind::kDnsAnswer, "81.2.69.142"}, {ObservableKind::kDnsAnswer, "2a02:cf40::9"}};
  ExpectGolden("dns_answer", alert);
}

TEST(AlertDocs, ExampleIsWhatIsWritten) {
  const auto read = [](const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  };
  const std::string page = read(VEDETTE_SOURCE_DIR "/docs/alert.md");
  const size_t begin = page.find("```json\n");
  ASSERT_NE(begin, std::string::npos);
  const size_t end = page.find("```", begin + 8);
  using nlohmann::ordered_json;
  EXPECT_EQ(ordered_json::parse(page.substr(begin + 8, end - begin - 8)).dump(),
            ordered_json::parse(
                read(std::string(VEDETTE_SOURCE_DIR "/tests/unit/exporter/render/golden/") + "dns_answer.jsonl"))
                .dump());
}

TEST_F(AlertJson, HttpHost) {
  records_.Add(IndicatorType::kHostname, "bad.example", "hosts:3");
  Alert alert = MakeAlert(ObservableKind::kHttpHost, "bad.example", {0});
  alert.flow.server_port = 80;
  alert.flow.app = HttpProtocol::kId;
  alert.message = {{ObservableKind::kHttpMethod, "GET"},
                   {ObservableKind::kHttpHost, "bad.example"},
                   {ObservableKind::kHttpUri, "/drop/%70ayload.exe?a=\"1\""},
                   {ObservableKind::kHttpUrl, "http://bad.example/drop/payload.exe?a=%221%22"},
                   {ObservableKind::kHttpUserAgent, "curl/8.0 \\o/"},
                   {ObservableKind::kHttpXff, "192.0.2.7"},
                   {ObservableKind::kHttpStatus, "200"}};
  ExpectGolden("http_host", alert);
}

TEST_F(AlertJson, TlsSni) {
  records_.Add(IndicatorType::kDomain, "bad.example", "domains:12");
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "c2.bad.example", {0});
  alert.flow.app = TlsProtocol::kId;
  alert.message = {{ObservableKind::kTlsSni, "c2.bad.example"},
                   {ObservableKind::kTlsJa3, "e7d705a3286e19ea42f587b344ee6865"},
                   {ObservableKind::kTlsJa4, "t13d1516h2_8daaf6152771_b0da82dd1658"},
                   {ObservableKind::kTlsVersion, "TLS 1.3"}};
  ExpectGolden("tls_sni", alert);
}

TEST_F(AlertJson, TlsCertificate) {
  records_.Add(IndicatorType::kCertSha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", "certs:1");
  Alert alert = MakeAlert(ObservableKind::kTlsCertSha1, "da39a3ee5e6b4b0d3255bfef95601890afd80709", {0});
  alert.direction = Direction::kToClient;
  alert.flow.app = TlsProtocol::kId;
  alert.message = {{ObservableKind::kTlsVersion, "TLS 1.2"},
                   {ObservableKind::kTlsJa3s, "f4febc55ea12b31ae17cfb7e614afda8"},
                   {ObservableKind::kTlsSubject, "CN=bad.example,O=B\xc3\xb6se"},
                   {ObservableKind::kTlsIssuer, "CN=bad.example"}};
  ExpectGolden("tls_cert_sha1", alert);
}

TEST_F(AlertJson, Ja3) {
  records_.Add(IndicatorType::kJa3, "e7d705a3286e19ea42f587b344ee6865", "ja3:1");
  Alert alert = MakeAlert(ObservableKind::kTlsJa3, "e7d705a3286e19ea42f587b344ee6865", {0});
  alert.flow.app = TlsProtocol::kId;
  alert.flow.client_known = false;
  ExpectGolden("tls_ja3", alert);
}

TEST_F(AlertJson, Ssh) {
  records_.Add(IndicatorType::kHassh, "06046964c022c6407d15a27b12a6a4fb", "hassh:1");
  Alert alert = MakeAlert(ObservableKind::kSshHassh, "06046964c022c6407d15a27b12a6a4fb", {0});
  alert.message = {{ObservableKind::kSshHassh, "06046964c022c6407d15a27b12a6a4fb"},
                   {ObservableKind::kSshSoftware, "SSH-2.0-OpenSSH_9.2p1 Debian-2"}};
  EXPECT_EQ(Parsed(alert)["ssh"], json::parse(R"({"client": {
      "proto_version": "2.0", "software_version": "OpenSSH_9.2p1",
      "hassh": {"hash": "06046964c022c6407d15a27b12a6a4fb"}}})"));
  for (const char* identification : {"SSH-", "SSH-2", "-", "SSH-2.0- ", "x"}) {
    alert.message[1].value = identification;
    EXPECT_TRUE(Parsed(alert)["ssh"]["client"].contains("hassh")) << identification;
  }
}

TEST_F(AlertJson, Payload) {
  records_.Add(IndicatorType::kContent, "MZ|90 00|", "content:1");
  Alert alert = MakeAlert(ObservableKind::kPayload, std::string_view("mz\x90\0", 4), {0});
  alert.direction = Direction::kToClient;
  ExpectGolden("payload", alert);
}

TEST_F(AlertJson, FromAnInterface) {
  records_.Add(IndicatorType::kIpPort, "89.160.20.112:443", "list:9");
  sensor_.replay = false;
  Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  alert.flow.protocol = 132;
  ExpectGolden("live", alert);
}

TEST_F(AlertJson, LeadsWithTheBestOfThePermittedHits) {
  records_[records_.Add(IndicatorType::kDomain, "bad.example", "d")].confidence = uint8_t{90};
  records_[records_.Add(IndicatorType::kDomain, "bad.example", "c", "cert-b")].confidence = uint8_t{90};
  records_.Add(IndicatorType::kDomain, "example", "b", "cert-b");  // nothing said: the middle of the scale
  records_[records_.Add(IndicatorType::kDomain, "bad.example", "a", "cert-b")].confidence = uint8_t{10};
  const Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0, 1, 2, 3});
  const auto ids = [](const json& line) {
    std::string out = line["indicator"]["id"];
    for (const json& other : line.value("also", json::array())) out += other["id"].get<std::string>();
    return out;
  };
  EXPECT_EQ(ids(Parsed(alert)), "cdba");
  EXPECT_EQ(ids(Parsed(alert, [](const IndicatorRecord& record) { return record.source == "cert-b"; })), "cba");
  const json one = Parsed(alert, [](const IndicatorRecord& record) { return record.source == "cert-a"; });
  EXPECT_EQ(ids(one), "d");
  EXPECT_FALSE(one.contains("also"));
  EXPECT_EQ(one.dump().find("cert-b"), std::string::npos) << "nothing of a hit that may not be shown";
  EXPECT_EQ(Line(alert, [](const IndicatorRecord&) { return false; }), "");
}

TEST_F(AlertJson, AlertIdIsTheSameInEveryView) {
  records_.Add(IndicatorType::kDomain, "bad.example", "a");
  records_.Add(IndicatorType::kDomain, "example", "b", "cert-b");
  const Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0, 1});
  const json a = Parsed(alert, [](const IndicatorRecord& record) { return record.source == "cert-a"; });
  const json b = Parsed(alert, [](const IndicatorRecord& record) { return record.source == "cert-b"; });
  EXPECT_EQ(a["alert_id"], b["alert_id"]);
  EXPECT_NE(a["incident_id"], b["incident_id"]);
}

TEST_F(AlertJson, IdsDeriveFromContent) {
  records_.Add(IndicatorType::kDomain, "bad.example", "a");
  const Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
  const json first = Parsed(alert);
  EXPECT_EQ(first, Parsed(alert));
  Alert other = alert;
  other.flow.id += 1;
  other.flow.server = Address("81.2.69.142");
  EXPECT_NE(Parsed(other)["alert_id"], first["alert_id"]);
  EXPECT_EQ(Parsed(other)["incident_id"], first["incident_id"]) << "same indicator, same affected end";
  other.flow.client = Address("10.1.2.4");
  EXPECT_NE(Parsed(other)["incident_id"], first["incident_id"]);
  other = alert;
  other.value = "www.bad.example";
  EXPECT_NE(Parsed(other)["alert_id"], first["alert_id"]);
  EXPECT_EQ(Parsed(other)["incident_id"], first["incident_id"]);
}

TEST_F(AlertJson, ValidityIsJudgedAtPacketTime) {
  IndicatorRecord& record = records_[records_.Add(IndicatorType::kDomain, "bad.example", "a")];
  const Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
  const auto time = static_cast<int64_t>(alert.time_ns);
  const auto validity = [&](std::optional<int64_t> from, std::optional<int64_t> until) {
    record.valid_from_ns = from;
    record.valid_until_ns = until;
    return Parsed(alert)["indicator"]["validity"].get<std::string>();
  };
  EXPECT_EQ(validity({}, {}), "within");
  EXPECT_EQ(validity(time, time + 1), "within");
  EXPECT_EQ(validity(time + 1, {}), "before");
  EXPECT_EQ(validity({}, time), "after");
}

TEST_F(AlertJson, HostileValuesStayInside) {
  using std::string_literals::operator""s;
  const std::string hostile = "\"},\"x\":{\"\\\0\x01\xff\xc3\x28\r\n\t\x7f\xe2\x80\xae\xf4\x90\x80\x80"s;
  const std::string huge(100'000, '\xff');
  for (const std::string& value : {hostile, huge, huge + hostile, std::string()}) {
    records_ = RecordList();
    IndicatorRecord& record = records_[records_.Add(IndicatorType::kRegex, value, value, value)];
    record.description = record.pap = record.reference = value;
    record.tags.assign(200, value);
    for (size_t kind = 0; kind < static_cast<size_t>(kFirstContext); ++kind) {
      Alert alert = MakeAlert(static_cast<ObservableKind>(kind), "", {0});
      alert.value = value;
      for (size_t context = 0; context < kObservableKinds; ++context) {
        for (int i = 0; i < 3; ++i) alert.message.push_back({static_cast<ObservableKind>(context), value});
      }
      const std::string line = Line(alert);
      ASSERT_NO_THROW({
        const json parsed = json::parse(line);
        EXPECT_EQ(parsed["event_type"], "alert");
        EXPECT_FALSE(parsed.contains("x"));
      }) << NameOf(static_cast<ObservableKind>(kind));
      EXPECT_EQ(line.find('\n'), line.size() - 1);
      EXPECT_LT(line.size(), 1u << 20);
    }
  }
}

TEST_F(AlertJson, CountsWhatItLeavesOut) {
  std::vector<uint32_t> indexes;
  for (int i = 0; i < 130; ++i) indexes.push_back(records_.Add(IndicatorType::kIp, "81.2.69.142", "many"));
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", indexes);
  for (int i = 0; i < 40; ++i) alert.message.push_back({ObservableKind::kDnsAnswer, "192.0.2." + std::to_string(i)});
  const json line = Parsed(alert);
  EXPECT_EQ(line["also"].size(), 100u);
  EXPECT_EQ(line["also_omitted"], 29);
  EXPECT_EQ(line["dns"]["answers"].size(), 32u);
  EXPECT_EQ(line["dns"]["answers"][0]["rdata"], "81.2.69.142") << "the one that matched is always there";
  EXPECT_EQ(line["dns"]["answers_omitted"], 9);
}

TEST_F(AlertJson, PayloadShowsNoMoreThanTheHit) {
  records_.Add(IndicatorType::kRegex, "a.*z", "a");
  const json line = Parsed(MakeAlert(ObservableKind::kPayload, std::string(5000, 'a'), {0}));
  EXPECT_EQ(line["indicator"]["matched_value"], std::string(256, 'a') + "\\...");
}

TEST_F(AlertJson, WithoutGeoThereIsNoGeo) {
  records_.Add(IndicatorType::kDomain, "bad.example", "a");
  AlertPolicy policy(records_.Catalogue(), {.sensor = TestSensor(), .file_name = TestFileName});
  const std::string out = LineOf(MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0}), policy);
  ASSERT_FALSE(out.empty());
  EXPECT_FALSE(json::parse(out).contains("geo"));
}

TEST_F(AlertJson, AgeOfDatabasesAtThePacketsTime) {
  records_.Add(IndicatorType::kIp, "89.160.20.112", "a");
  Alert alert = MakeAlert(ObservableKind::kIp, "89.160.20.112", {0});
  constexpr uint64_t kBuilt = 1'782'362'039, kDay = 86'400, kNs = 1'000'000'000;
  const auto database_at = [&](uint64_t seconds) {
    alert.time_ns = seconds * kNs;
    return Parsed(alert)["geo"]["database"][0];
  };
  EXPECT_EQ(database_at(kBuilt + 90 * kDay), (json{{"name", "places"}, {"date", "2026-06-25"}, {"age_days", 90}}));
  EXPECT_EQ(database_at(kBuilt + 91 * kDay),
            (json{{"name", "places"}, {"date", "2026-06-25"}, {"age_days", 91}, {"stale", true}}));
  EXPECT_EQ(database_at(kBuilt - 400 * kDay)["age_days"], 0) << "built after the packet";
}

TEST_F(AlertJson, SaysHowAHitIsToBeHandled) {
  records_.Add(IndicatorType::kDomain, "bad.example", "a", "misp-feed-7");
  records_.Add(IndicatorType::kHostname, "bad.example", "b", "misp-feed-7");
  for (const uint32_t i : {0u, 1u}) records_[i].originator = "cert-a";
  records_[0].sharing_group = "ops-closed";
  records_[0].recipients = {"partner-one", "partner-two"};
  const std::string line = Line(MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0, 1}));
  EXPECT_EQ(line.find("partner-"), std::string::npos) << "who else may know is not told";
  const json parsed = json::parse(line);
  EXPECT_EQ(parsed["indicator"]["originator"], "cert-a");
  EXPECT_EQ(parsed["indicator"]["sharing_group"], "ops-closed");
  EXPECT_EQ(parsed["indicator"]["recipients_named"], true);
  EXPECT_EQ(parsed["also"][0]["originator"], "cert-a");
  EXPECT_FALSE(parsed["also"][0].contains("sharing_group") || parsed["also"][0].contains("recipients_named"));
  EXPECT_EQ(parsed["alert"]["signature"], "Shared indicator: domain in dns.query, listed by misp-feed-7");
}

TEST_F(AlertJson, GenerationsDoNotMix) {
  RecordList old_records, new_records;
  old_records.Add(IndicatorType::kDomain, "bad.example", "old-0");
  old_records.Add(IndicatorType::kDomain, "bad.example", "old-1");
  new_records.Add(IndicatorType::kDomain, "bad.example", "new-0");
  AlertPolicy policy(old_records.Catalogue(1), {.sensor = TestSensor(), .file_name = TestFileName});
  policy.AddGeneration(new_records.Catalogue(2));
  const auto id = [&](uint64_t generation, uint32_t index) {
    Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {index});
    alert.generation = generation;
    const std::string out = LineOf(alert, policy);
    return out.empty() ? "" : json::parse(out)["indicator"]["id"].get<std::string>();
  };
  EXPECT_EQ(id(1, 1), "old-1");
  EXPECT_EQ(id(2, 0), "new-0");
  EXPECT_EQ(policy.counters().unresolved, 0u);
  EXPECT_EQ(id(2, 1), "") << "an index outside its generation";
  EXPECT_EQ(id(3, 0), "");
  policy.ForgetBefore(2);
  EXPECT_EQ(id(1, 0), "");
  EXPECT_EQ(policy.counters().unresolved, 3u);
}

}  // namespace
}  // namespace vedette
