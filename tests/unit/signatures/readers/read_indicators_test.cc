#include "signatures/readers/read_indicators.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/unit/signatures/read.h"
#include "tests/unit/signatures/sets.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using enum ObservableKind;

TEST(ReadCsv, ReadsEveryColumnInAnyOrder) {
  const Read read(
      "\xef\xbb\xbf"
      "value,TYPE,in,direction,id,source,originator,description,tags,tlp,pap,sharing_group,recipients,confidence,"
      "valid_from,valid_until,reference\r\n"
      "evil.example,Domain,dns.query tls.sni,dst,uuid-1,Feed,CERT A,\"said \"\"so\"\",\ntwice\","
      "\"[\"\"two words\"\",\"\"b\"\"]\",TLP:GREEN,PAP:AMBER,group,\"[\"\"CERT B\"\"]\",75,2026-01-01T00:00:00Z,"
      "2026-02-01T00:00:00Z,https://example.org/\r\n"
      "20.1.2.3,ip,,,,,,,,,,,,,,,\r\n");
  EXPECT_EQ(read.Problems(), Texts{"2: used, but its valid_until has passed: it matches only earlier traffic"});
  EXPECT_EQ(read.source.format, "csv");
  EXPECT_EQ(read.source.rows, 2u);
  EXPECT_EQ(read.source.unusable, 0u);
  ASSERT_EQ(read.Rows(), (Texts{"domain evil.example", "ip 20.1.2.3"}));
  const IndicatorRecord row = read.set->at(0);
  EXPECT_EQ(row.in, ObservableMask({kDnsQuery, kTlsSni}));
  EXPECT_EQ(row.direction, IndicatorDirection::kDst);
  EXPECT_EQ(row.id, "uuid-1");
  EXPECT_EQ(row.originator, "CERT A");
  EXPECT_EQ(row.description, "said \"so\",\ntwice");
  EXPECT_EQ(row.tags, (std::vector<std::string_view>{"two words", "b"}));
  EXPECT_EQ(row.tlp, Tlp::kGreen);
  EXPECT_EQ(row.pap, "amber");
  EXPECT_EQ(row.recipients, std::vector<std::string_view>{"CERT B"});
  EXPECT_EQ(row.confidence, 75);
  EXPECT_EQ(row.valid_from_ns, 1767225600'000'000'000);
  EXPECT_EQ(row.reference, "https://example.org/");
  EXPECT_EQ(row.line, 2u);
  const IndicatorRecord bare = read.set->at(1);
  EXPECT_EQ(bare.id, "feed.csv:4");
  EXPECT_EQ(bare.source, "feed");
  EXPECT_EQ(bare.originator, "feed");
  EXPECT_EQ(bare.file, "folder/feed.csv");
  EXPECT_EQ(bare.confidence, std::nullopt);
  EXPECT_TRUE(bare.tags.empty());
}

TEST(ReadCsv, ReadsSemicolonsAndTabsToo) {
  EXPECT_EQ(Read("type;value\ndomain;evil.example\n").Rows(), Texts{"domain evil.example"});
  EXPECT_EQ(Read("type\tvalue\ndomain\tevil.example\n").Rows(), Texts{"domain evil.example"});
  EXPECT_EQ(Read("# a comment\n\ntype,value\n# another\ndomain,evil.example\n").Rows(), Texts{"domain evil.example"});
}

TEST(ReadCsv, TellsWhyARowCannotBeUsedAndUsesTheRest) {
  const Read read(
      "type,value,in,direction,tags,tlp,pap,confidence,valid_from,valid_until\n"
      "domian,evil.example,,,,,,,,\n"
      ",evil.example,,,,,,,,\n"
      "domain,evil.example\n"
      "domain,com,,,,,,,,\n"
      "domain,evil.example,dns.qery,,,,,,,\n"
      "domain,evil.example,,both,,,,,,\n"
      "domain,evil.example,,,tag,,,,,\n"
      "domain,evil.example,,,,purple,,,,\n"
      "domain,evil.example,,,,,purple,,,\n"
      "domain,evil.example,,,,,,101,,\n"
      "domain,evil.example,,,,,,,yesterday,\n"
      "domain,evil.example,,,,,,,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z\n"
      "domain,\"evil.example,,,,,,,,\n"
      "domain,good.example,,,,,,,,\n");
  EXPECT_EQ(read.Rows(), Texts{"domain good.example"});
  EXPECT_EQ(read.source.rows, 14u);
  EXPECT_EQ(read.source.unusable, 13u);
  EXPECT_EQ(
      read.Problems(),
      (Texts{"2: unknown type \"domian\"", "3: no type", "4: 2 columns where the header has 10",
             "5: a public suffix: everybody registers names below it (com)",
             "6: `in` names dns.qery, which is not seen here", "7: direction has to be src, dst or any",
             "8: tags has to be a JSON array of strings: [\"one\",\"two words\"]",
             "9: tlp has to be clear, green, amber, amber+strict or red",
             "10: pap has to be clear, green, amber or red", "11: confidence has to be a whole number from 0 to 100",
             "12: valid_from has to be a time as in RFC 3339: 2026-11-23T10:00:00Z",
             "13: valid_until lies before valid_from", "14: a quotation mark that is not closed within 32768 bytes"}));
}

// As MISP writes them. The stricter of tags and columns holds, in whatever order they come.
TEST(ReadCsv, HeedsMarksInTags) {
  struct Case {
    const char* tags;
    const char* tlp;
    const char* pap;
    Tlp expected;
    const char* expected_pap;
    const char* not_understood = "";
  };
  const Case cases[] = {
      {R"([""tlp:red""])", "", "", Tlp::kRed, ""},
      {R"([""tlp:amber+strict""])", "", "", Tlp::kAmberStrict, ""},
      {R"([""TLP:WHITE""])", "", "", Tlp::kClear, ""},
      {R"([""tlp:clear""])", "green", "", Tlp::kGreen, ""},
      {R"([""tlp:red""])", "green", "", Tlp::kRed, ""},
      {R"([""tlp:green""])", "red", "", Tlp::kRed, ""},
      {R"([""tlp:green"",""apt"","" TLP:Amber ""])", "", "", Tlp::kAmber, ""},
      {R"([""tlp:ex:chr""])", "", "", Tlp::kNone, "", "tlp:ex:chr"},
      {R"([""pap:purple""])", "", "", Tlp::kNone, "", "pap:purple"},
      {R"([""tlp:ex:chr""])", "clear", "", Tlp::kAmberStrict, "", "tlp:ex:chr"},
      {R"([""tlp:ex:chr"",""tlp:red""])", "", "", Tlp::kRed, "", "tlp:ex:chr"},
      {R"([""PAP:RED"",""tlp:green""])", "", "green", Tlp::kGreen, "red"},
      {R"([""PAP:WHITE""])", "green", "amber", Tlp::kGreen, "amber"},
      {R"([""PAP:GREEN""])", "", "", Tlp::kNone, "green"},
      {R"([""pap:purple""])", "green", "", Tlp::kAmberStrict, "", "pap:purple"},
      {R"([""the tlp:red team"",""tlp""])", "", "", Tlp::kNone, ""},
  };
  for (const Case& one : cases) {
    const Read read(std::string("type,value,tags,tlp,pap\ndomain,evil.example,\"") + one.tags + "\"," + one.tlp + "," +
                    one.pap + "\n");
    ASSERT_EQ(read.set->size(), 1u) << one.tags;
    EXPECT_EQ(read.set->at(0).tlp, one.expected) << one.tags << " " << one.tlp;
    EXPECT_EQ(read.set->at(0).pap, one.expected_pap) << one.tags;
    EXPECT_EQ(read.source.unusable, 0u);
    const std::string tag = one.not_understood;
    EXPECT_EQ(
        read.Problems(),
        tag.empty() ? Texts{} : Texts{"2: used, as amber+strict or stricter: the tag " + tag + " is not understood"});
  }
}

// The next row has the same tags, which are not read anew.
TEST(ReadCsv, HeedsTagsThatTheRowBeforeHadToo) {
  const Read read(
      "type,value,tags,tlp\ndomain,a.example,\"[\"\"tlp:red\"\"]\",\ndomain,b.example,\"[\"\"tlp:red\"\"]\",green\n"
      "domain,c.example,,\n");
  ASSERT_EQ(read.set->size(), 3u);
  EXPECT_EQ(read.set->at(0).tlp, Tlp::kRed);
  EXPECT_EQ(read.set->at(1).tlp, Tlp::kRed);
  EXPECT_EQ(read.set->at(2).tlp, Tlp::kNone);
}

TEST(ReadCsv, ReportsColumnsThatItDoesNotRead) {
  const Read read("type,value,colour,value\ndomain,evil.example,red,x\n");
  EXPECT_EQ(read.Rows(), Texts{"domain evil.example"});
  EXPECT_EQ(read.report.problems_total, 2u);
  EXPECT_EQ(read.report.problems[0].value, "colour");
}

TEST(ReadCsv, SaysThatColumnsAreMissing) {
  const Read read("indicator,indicator_type\nevil.example,domain\n");
  EXPECT_NE(read.source.error.find("header line with `type` and `value`"), std::string::npos) << read.source.error;
  EXPECT_EQ(read.set->size(), 0u);
}

// What a reload asks for: whether a file that gave indicators is broken now.
TEST(ReadZeekIntel, SaysWhereNothingCanBeUsed) {
  const std::string header = "#fields\tindicator\tindicator_type\n";
  EXPECT_EQ(Read(header, "a.intel").source.unused, "has a header and no rows");
  EXPECT_EQ(Read(header + "evil.example Intel::DOMAIN\n", "a.intel").source.unused,
            "none of its 1 rows can be used; line 2: 1 columns where #fields names 2; they are separated by tabs");
  EXPECT_EQ(Read(header + "evil.example\tIntel::DOMAIN\n", "a.intel").source.unused, "");
}

TEST(ReadZeekIntel, ReadsItsTypeColumn) {
  const std::string md5(32, 'a'), sha1(40, 'b');
  const Read read(
      "#separator \\x09\n"
      "#fields\tmeta.source\tindicator\tindicator_type\tmeta.desc\tmeta.do_notice\r\n"
      "Feed\tevil.example/gate,1\tIntel::URL\tPhish\\x09ing\tF\r\n"
      "# a comment\n"
      "\n"
      "-\tevil.example\tIntel::DOMAIN\t-\tF\n"
      "-\t20.1.2.3\tIntel::ADDR\t-\tF\n"
      "-\t20.1.2.0/24\tIntel::SUBNET\t-\tF\n"
      "-\tMozilla/4.0 evil\tIntel::SOFTWARE\t-\tF\n"
      "-\t" +
          sha1 +
          "\tIntel::CERT_HASH\t-\tF\n"
          "-\t" +
          md5 +
          "\tIntel::CERT_HASH\t-\tF\n"
          "-\t" +
          md5 +
          "\tIntel::JA3\t-\tF\n"
          "-\troot\tIntel::USER_NAME\t-\tF\n"
          "-\ttoo.few.example\tIntel::DOMAIN\n",
      "folder/feed.intel");
  EXPECT_EQ(read.source.format, "zeek intel");
  EXPECT_EQ(read.source.rows, 10u);
  EXPECT_EQ(read.source.unusable, 3u);
  EXPECT_EQ(read.Rows(), (Texts{"url http://evil.example/gate,1", "domain evil.example", "ip 20.1.2.3",
                                "cidr 20.1.2.0/24", "user_agent Mozilla/4.0 evil", "cert.sha1 " + sha1, "ja3 " + md5}));
  EXPECT_EQ(read.Problems(), (Texts{"11: not a hash of 40 or 64 hexadecimal digits",
                                    "13: Zeek's type \"Intel::USER_NAME\" has no counterpart here",
                                    "14: 3 columns where #fields names 5; they are separated by tabs"}));
  EXPECT_EQ(read.set->at(0).source, "Feed");
  EXPECT_EQ(read.set->at(0).description, "Phish\ting");
  EXPECT_EQ(read.set->at(0).id, "feed.intel:3");
  EXPECT_EQ(read.set->at(1).source, "feed");
}

TEST(ReadIndicatorText, CountsProblemsByReason) {
  const Read read(
      "https://evil.example/a\nhttps://evil.example/b\n/gate.php?id=\nevil.qqzz\nevil.test\nsvchost.exe\n"
      "cmd.exe\n20.1.2.3:0\n");
  EXPECT_EQ(read.source.rows, 8u);
  EXPECT_EQ(read.source.unusable, 3u);
  EXPECT_EQ(read.source.warned, 4u);
  ASSERT_EQ(read.source.problems.size(), 5u);
  EXPECT_EQ(read.source.problems[0].rows, 2u);
  EXPECT_EQ(read.source.problems[0].first.line, 6u);
  EXPECT_FALSE(read.source.problems[1].used);
  EXPECT_TRUE(read.source.problems[2].used);
  EXPECT_EQ(read.source.problems[2].rows, 2u);
  EXPECT_EQ(read.source.problems[2].first.value, "https://evil.example/a");
  EXPECT_EQ(read.report.kinds.size(), 5u);
  EXPECT_EQ(read.report.problems_total, 7u);
  EXPECT_EQ(read.set->size(), 5u);
}

TEST(ReadCsv, KeepsTypedUrlsAndSaysWhatTheyCannotDo) {
  const Read read(
      "type,value\nurl,http://20.1.2.3\nurl,http://evil.example/\nurl,ftp://evil.example/a\ndomain,svchost.exe\n"
      "url,http://evil.example/a\n");
  EXPECT_EQ(read.Rows(), (Texts{"url http://20.1.2.3/", "url http://evil.example/", "url ftp://evil.example/a",
                                "domain svchost.exe", "url http://evil.example/a"}));
  EXPECT_EQ(read.source.unusable, 0u);
  EXPECT_EQ(read.source.warned, 4u);
  for (const IndicatorProblem& problem : read.report.problems) {
    EXPECT_TRUE(problem.used);
    EXPECT_EQ(problem.reason.substr(0, 6), "used, ") << problem.reason;
  }
}

TEST(ReadCsv, NeverIsNoEnd) {
  const Read read(
      "type,value,valid_from,valid_until\ndomain,a.example,0001-01-01T00:00:00Z,9999-12-31T23:59:59Z\n"
      "domain,b.example,,1960-01-01T00:00:00Z\ndomain,c.example,9999-12-31,\n");
  EXPECT_EQ(read.Problems(), (Texts{"3: used, but its valid_until has passed: it matches only earlier traffic",
                                    "4: used, but its valid_from is in the future: it matches only later traffic"}));
  EXPECT_EQ(read.set->at(0).valid_from_ns, std::nullopt);
  EXPECT_EQ(read.set->at(0).valid_until_ns, std::nullopt);
  EXPECT_LT(*read.set->at(1).valid_until_ns, 1);
  EXPECT_GT(*read.set->at(2).valid_from_ns, int64_t{1} << 62);
}

TEST(ReadIndicatorText, SaysWhatTheFileIsInstead) {
  const auto error = [](std::string_view text) { return Read(text, "feeds/x").source.error; };
  EXPECT_EQ(error(""), "feeds/x: is empty");
  EXPECT_EQ(error("# nothing\n\n"), "feeds/x: holds no indicator, only comments or blank lines");
  EXPECT_EQ(error(std::string_view("\x1f\x8b\x08\0", 4)), "feeds/x: is compressed with gzip: unpack it first (gunzip)");
  EXPECT_NE(error("PK\x03\x04zip").find("zip archive"), std::string::npos);
  EXPECT_NE(error(std::string_view("\xff\xfe"
                                   "e\0v\0",
                                   6))
                .find("UTF-16"),
            std::string::npos);
  EXPECT_NE(error(std::string_view("evil\0example", 12)).find("NUL bytes"), std::string::npos);
  EXPECT_NE(error(std::string_view("\xff\xfe\0\0e\0\0\0", 8)).find("UTF-32"), std::string::npos);
  EXPECT_NE(error(std::string_view("e\0v\0i\0l\0", 8)).find("apparently in UTF-16"), std::string::npos);
  EXPECT_NE(error(std::string_view("\0e\0v\0i\0l", 8)).find("apparently in UTF-16"), std::string::npos);
  for (const char* json : {"{\"value\": \"x\"}\n", "[\n {\"value\": 1}\n]\n", "[\"a b\"]\n"})
    EXPECT_NE(error(json).find("JSON, which is not read"), std::string::npos) << json;
  EXPECT_NE(error("<rss a=\"b\">\n</rss>\n").find("XML or HTML"), std::string::npos);
  EXPECT_EQ(error("[a b]\n").find("JSON"), std::string::npos);
}

TEST(ReadCsv, SaysWhatOthersCallATypeHere) {
  const Read read("type,value\nip-dst,20.1.2.3\nfqdn,evil.example\nsha256,x\nfoo,x\n20.1.2.4\nip,20.1.2.5,x\n");
  EXPECT_EQ(read.Problems(), (Texts{"2: unknown type \"ip-dst\"; here it is ip, with dst as direction",
                                    "3: unknown type \"fqdn\"; here it is hostname",
                                    "4: unknown type \"sha256\"; here it is file.sha256", "5: unknown type \"foo\"",
                                    "6: 1 columns where the header has 2", "7: 3 columns where the header has 2"}));
  EXPECT_EQ(read.report.problems[4].value, "20.1.2.4");
  EXPECT_EQ(read.report.problems[5].value, "20.1.2.5");
}

TEST(ReadIndicatorText, RemarksOnWhatClientsSendOtherwise) {
  const Read read("http://a.example/x?b=1&amp;c=2\n/x/../y\n/x?b=1&amp;c=2\n/x/..y\n");
  EXPECT_EQ(read.source.unusable, 0u);
  ASSERT_EQ(read.Problems().size(), 3u);
  EXPECT_NE(read.Problems()[0].find("&amp;"), std::string::npos);
  EXPECT_NE(read.Problems()[1].find("/../"), std::string::npos);
  EXPECT_NE(read.Problems()[2].find("&amp;"), std::string::npos);
  const Read typed("type,value\nurl,\"http://a.example/x\nhttp://b.example/y\"\n");
  ASSERT_EQ(typed.Problems().size(), 1u);
  EXPECT_NE(typed.Problems()[0].find("two URLs"), std::string::npos);
}

TEST(ReadIndicators, ReadsFilesAndFolders) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "inner");
  IndicatorSetBuilder builder;
  const std::vector<SourceReport> none = ReadIndicators(folder.path().string(), builder);
  ASSERT_EQ(none.size(), 1u);
  EXPECT_NE(none[0].error.find("holds no file"), std::string::npos) << none[0].error;
  std::ofstream(folder / "b.txt") << "20.1.2.3\n";
  std::ofstream(folder / "a.csv") << "type,value\ndomain,evil.example\n";
  std::ofstream(folder / "inner" / "c.txt") << "20.1.2.4\n";
  std::ofstream(folder / "LICENCE") << "Use it as you like.\n";
  std::ofstream(folder / "prose") << "Not one.\nIs a list.\n";
  // Left by editors and by rsync.
  for (const char* name : {"b.txt~", ".a.csv.swp", ".a.csv.Xk2f9Q"}) std::ofstream(folder / name) << "20.1.2.5\n";
  const std::vector<SourceReport> reports = ReadIndicators(folder.path().string(), builder);
  ASSERT_EQ(reports.size(), 5u);
  EXPECT_EQ(reports[0].path, (folder / "a.csv").string());
  EXPECT_EQ(reports[0].format, "csv");
  EXPECT_EQ(reports[1].format, "list of ip");
  EXPECT_EQ(reports[1].unused, "");
  EXPECT_EQ(reports[2].path, (folder / "inner" / "c.txt").string());
  EXPECT_EQ(reports[2].format, "list of ip");
  EXPECT_EQ(reports[3].error, "");
  EXPECT_EQ(reports[3].format, "not used");
  EXPECT_EQ(reports[3].unused.substr(0, 19), "none of its 2 lines");
  EXPECT_EQ(reports[4].path, (folder / "LICENCE").string());
  EXPECT_TRUE(reports[4].passed_over);
  EXPECT_EQ(reports[4].unused.substr(0, 9), "a licence");
  const std::vector<SourceReport> missing = ReadIndicators((folder / "missing.csv").string(), builder);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_NE(missing[0].error.find("cannot be opened"), std::string::npos) << missing[0].error;
  CompileReport report;
  EXPECT_EQ(builder.Compile(report)->size(), 3u);
  ASSERT_EQ(report.problems.size(), 4u);  // the two lines, the file, and the one that is missing
  EXPECT_EQ(report.problems[2].reason.substr(0, 19), "none of its 2 lines");
  EXPECT_EQ(report.problems[3].reason.substr(0, 16), "cannot be opened");
  for (const char* name : {"a.csv", "b.txt", "inner/c.txt"}) std::filesystem::remove(folder / name);
  const std::string error = ReadIndicators(folder.path().string(), builder).back().error;
  EXPECT_NE(error.find("none of its 1 files holds a usable indicator; " + (folder / "prose").string() + ": none of"),
            std::string::npos)
      << error;
  EXPECT_NE(ReadIndicators((folder / "LICENCE").string(), builder).back().error, "");
}

TEST(ReadIndicators, SaysWhyAFileGaveNone) {
  EXPECT_EQ(Read("type,value\ndomain,com\nip,x\n").source.unused.substr(0, 48),
            "none of its 2 rows can be used; line 2: a public");
  EXPECT_EQ(Read("type,value\n").source.unused, "has a header and no rows");
  EXPECT_EQ(Read("type,value\ndomain,com\ndomain,evil.example\n").source.unused, "");
}

TEST(AddFromText, TakesATypeOrGuessesIt) {
  IndicatorSetBuilder builder;
  std::string error;
  for (const char* text : {"evil.example", "hostname:evil.example", "ip:port:20.1.2.3:80", "ip:20.1.2.3", "2400::1",
                           "[2400::1]:80", "content:a:b", "http://evil.example/"}) {
    EXPECT_TRUE(AddFromText(text, builder, error)) << text << error;
  }
  for (const char* text : {"com", "file.md5:0123", "regex:a+", "10.0.0.1", ""}) {
    error.clear();
    EXPECT_FALSE(AddFromText(text, builder, error)) << text;
    EXPECT_NE(error, "");
  }
  CompileReport report;
  const auto set = builder.Compile(report);
  EXPECT_EQ(report.problems_total, 0u);
  ASSERT_EQ(set->size(), 8u);
  EXPECT_EQ(set->at(1).type, IndicatorType::kHostname);
  EXPECT_EQ(set->at(2).type, IndicatorType::kIpPort);
  EXPECT_EQ(set->at(2).id, "ip:port:20.1.2.3:80");
  EXPECT_EQ(set->at(4).type, IndicatorType::kIp);
  EXPECT_EQ(set->at(6).value, "a:b");
}

}  // namespace
}  // namespace vedette
