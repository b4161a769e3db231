#include <gtest/gtest.h>

#include <algorithm>

#include "exporter/render/table_rows.h"
#include "tests/unit/exporter/handmade_alerts.h"
#include "tests/unit/exporter/mmdb_files.h"

namespace vedette {
namespace {

class TableCsv : public testing::Test {
 protected:
  TableCsv() {
    std::string error;
    EXPECT_TRUE(geo_.Open(
        folder_.Write(
            "places.mmdb",
            MmdbFile({{"89.160.20.0", 24, CityValue("SE", "Sweden", "EU", "Solna", 59, 18, 29518, "Bredband2 AB")},
                      {"81.2.69.0", 24,
                       CityValue("GB", "United Kingdom", "EU", "London", 51.5, -0.1, 20712, "Andrews & Arnold Ltd")}},
                     TestMetadata())),
        error))
        << error;
  }
  std::string Row(const Alert& alert, bool csv, const HitFilter& filter = nullptr) {
    AlertPolicy policy(records_.Catalogue(), {.sensor = TestSensor(), .file_name = TestFileName, .geo = &geo_});
    Reader reader = Reader::Operator();
    reader.permits = filter;
    const std::unique_ptr<Renderer> renderer = csv ? MakeCsvRenderer() : MakeTableRenderer();
    renderer->ShowEachAtOnce();
    ViewOutcome outcome = ViewOutcome::kNotTaken;
    std::string out = TextOf(alert, policy, reader, *renderer, &outcome);
    EXPECT_EQ(outcome == ViewOutcome::kShown, !out.empty());
    return out;
  }

  TestFolder folder_;
  GeoLookup geo_;
  RecordList records_;
};

// Columns on a terminal, for text without wide characters.
size_t LongestLine(const std::string& text) {
  size_t longest = 0, length = 0;
  for (const char c : text) {
    if (c == '\n') {
      longest = std::max(longest, length);
      length = 0;
    } else if ((static_cast<uint8_t>(c) & 0xc0) != 0x80) {
      ++length;
    }
  }
  return longest;
}

// RFC 4180.
std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i + 1 < row.size(); ++i) {
    if (row[i] == '"') {
      if (quoted && row[i + 1] == '"') {
        cells.back() += row[++i];
      } else {
        quoted = !quoted;
      }
    } else if (row[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += row[i];
    }
  }
  return cells;
}

std::string Column(const std::string& row, const std::string& name) {
  const std::vector<std::string> names = Cells(MakeCsvRenderer()->Header()), cells = Cells(row);
  EXPECT_EQ(names.size(), cells.size());
  const auto at = std::find(names.begin(), names.end(), name);
  EXPECT_NE(at, names.end()) << name;
  return cells[static_cast<size_t>(at - names.begin())];
}

TEST_F(TableCsv, TableRow) {
  records_[records_.Add(IndicatorType::kDomain, "bad.example", "a")].confidence = uint8_t{85};
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "c2.bad.example", {0});
  const auto line = [](std::string_view a, std::string_view b, std::string_view c, std::string_view d) {
    std::string out(a);
    out.resize(21, ' ');
    out += b;
    out.resize(68, ' ');
    out += c;
    out.resize(115, ' ');
    return out + std::string(d) + '\n';
  };
  EXPECT_EQ(MakeTableRenderer()->Header() + Row(alert, false),
            line("TIME (UTC)", "INDICATOR", "  CLIENT", "  SERVER") +
                line("PROTOCOL AND FIELD", "SOURCE", "  COUNTRY AND NETWORK", "  ! = SUSPECT") +
                line("2026-11-23 10:00:00", "domain bad.example", "  10.1.2.3:50123", "! 89.160.20.112:443") +
                line("TCP tls.sni", "cert-a, confidence 85", "  (private or reserved)", "  SE AS29518 Bredband2 AB") +
                "                     matched c2.bad.example\n");
}

// 524 questions for one name are one row, whatever their ports; another host's are another one.
TEST_F(TableCsv, AlertsThatRepeatAreOneRow) {
  records_.Add(IndicatorType::kDomain, "bad.example", "a");
  AlertPolicy policy(records_.Catalogue(), {.sensor = TestSensor(), .file_name = TestFileName, .geo = &geo_});
  Reader reader = Reader::Operator();
  const std::unique_ptr<Renderer> renderer = MakeTableRenderer();
  Alert alert = MakeAlert(ObservableKind::kTlsSni, "bad.example", {0});
  const auto add = [&] { EXPECT_EQ(TextOf(alert, policy, reader, *renderer), ""); };
  for (uint16_t i = 0; i < 524; ++i) {
    alert.flow.client_port = static_cast<uint16_t>(40'000 + i);
    add();
    alert.time_ns += 1'000'000'000;
  }
  alert.flow.client = Address("10.9.9.9");
  add();
  std::string out;
  EXPECT_EQ(renderer->Finish(out), 525u);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3 + 2) << out;
  EXPECT_NE(out.find("524 x domain bad.example"), std::string::npos) << out;
  EXPECT_NE(out.find("  10.1.2.3 "), std::string::npos) << out;
  EXPECT_NE(out.find("2026-11-23 10:08:43  the last time"), std::string::npos) << out;
  out.clear();
  EXPECT_EQ(renderer->Finish(out), 0u);
}

TEST_F(TableCsv, TableShowsWhereAListedAnswerIs) {
  records_.Add(IndicatorType::kIp, "81.2.69.142", "a");
  const std::string row = Row(MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {0}), false);
  EXPECT_NE(row.find("cert-a, in GB Andrews & Arnold Ltd"), std::string::npos) << row;
}

TEST_F(TableCsv, TableFitsWhateverItHolds) {
  using std::string_literals::operator""s;
  const IpAddress long_address = Address("2001:1db8:1111:2222:3333:4444:5555:6666");
  for (const std::string& value :
       {std::string(5000, 'x'), "\xff\xfe\x1b[2J\x1b]0;title\x07"s, std::string(300, '\n'), "\xe2\x80\xaetxt.exe"s,
        "\xc2\x9b"
        "31m"s,
        std::string()}) {
    records_ = RecordList();
    records_.Add(IndicatorType::kUserAgent, value, value, value);
    Alert alert = MakeAlert(ObservableKind::kTlsCertSha256, value, {0});
    alert.flow.client = alert.flow.server = long_address;
    const std::string row = Row(alert, false);
    EXPECT_LE(LongestLine(row), kTableColumns) << row;
    EXPECT_EQ(std::count(row.begin(), row.end(), '\n'), 2) << row;
    for (const char* steering : {"\x1b", "\x07", "\xe2\x80\xae", "\xc2\x9b"})
      EXPECT_EQ(row.find(steering), std::string::npos);
    EXPECT_NE(row.find("2001:1db8:1111:2222:3333:4444:5555:6666"), std::string::npos) << "addresses are never cut";
  }
  EXPECT_LE(LongestLine(MakeTableRenderer()->Header()), kTableColumns);
}

TEST_F(TableCsv, CsvRow) {
  IndicatorRecord& record = records_[records_.Add(IndicatorType::kIp, "81.2.69.142", "id-1")];
  record.tags = {"a,b", "c"};
  record.description = "said \"so\"";
  records_.Add(IndicatorType::kCidr, "81.2.69.0/24", "id-2");
  Alert alert = MakeAlert(ObservableKind::kDnsAnswer, "81.2.69.142", {0, 1});
  alert.direction = Direction::kToClient;
  const std::string row = Row(alert, true);
  EXPECT_EQ(Column(row, "timestamp"), "2026-11-23T10:00:00.123456+0000");
  EXPECT_EQ(Column(row, "severity"), "2");
  EXPECT_EQ(Column(row, "indicator_value"), "81.2.69.142");
  EXPECT_EQ(Column(row, "matched_in"), "dns.answer");
  EXPECT_EQ(Column(row, "tags"), "a,b; c");
  EXPECT_EQ(Column(row, "description"), "said \"so\"");
  EXPECT_EQ(Column(row, "confidence"), "");
  EXPECT_EQ(Column(row, "tlp"), "amber+strict");
  EXPECT_EQ(Column(row, "other_hits"), "1");
  EXPECT_EQ(Column(row, "src_ip"), "89.160.20.112");
  EXPECT_EQ(Column(row, "src_country"), "SE");
  EXPECT_EQ(Column(row, "src_asn"), "29518");
  EXPECT_EQ(Column(row, "dest_ip"), "10.1.2.3");
  EXPECT_EQ(Column(row, "dest_country"), "");
  EXPECT_EQ(Column(row, "matched_organisation"), "Andrews & Arnold Ltd");
  EXPECT_EQ(Column(row, "suspect_ip"), "81.2.69.142");
  EXPECT_EQ(Column(row, "affected_ip"), "10.1.2.3");
  EXPECT_EQ(Column(row, "rule"), "address-in-answer");
  EXPECT_EQ(Column(row, "file"), "captures/monday.pcap");
  EXPECT_EQ(Column(row, "packet"), "4");
}

TEST_F(TableCsv, CsvHoldsNoFormula) {
  for (const char* value :
       {"=HYPERLINK(\"http://x\")", "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "\n=1"}) {
    records_ = RecordList();
    records_[records_.Add(IndicatorType::kUserAgent, value, value, value)].description = value;
    const std::string row = Row(MakeAlert(ObservableKind::kHttpUserAgent, value, {0}), true);
    for (const std::string& cell : Cells(row)) {
      EXPECT_EQ(cell.find_first_of("\t\r\n"), std::string::npos);
      EXPECT_EQ(std::string("=+-@").find(cell.empty() ? 'x' : cell[0]), std::string::npos) << cell;
    }
    EXPECT_EQ(std::count(row.begin(), row.end(), '\n'), 1);
  }
  EXPECT_EQ(Column(Row(MakeAlert(ObservableKind::kHttpUserAgent, "@SUM(1)", {0}), true), "matched_value"), "'@SUM(1)");
}

TEST_F(TableCsv, FilterHolds) {
  records_.Add(IndicatorType::kDomain, "bad.example", "a", "cert-a");
  const Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
  const HitFilter nothing = [](const IndicatorRecord&) { return false; };
  EXPECT_EQ(Row(alert, true, nothing), "");
  EXPECT_EQ(Row(alert, false, nothing), "");
}

}  // namespace
}  // namespace vedette
