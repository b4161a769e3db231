#include <gtest/gtest.h>

#include <string>

#include "tests/unit/signatures/read.h"

namespace vedette {
namespace {

TEST(ReadList, GuessesEveryLine) {
  const Read read(
      "# comment\n; comment\n\n20.1.2.3\n20.2.0.0/16\t# scanner\r\n20.1.2.3:443\nevil.example # C2; seen\n"
      "hxxp://evil[.]example/a;b#c\n/gate.php\n.bad.example\n20.9.9.9\t10\n",
      "feeds/list.txt");
  EXPECT_EQ(read.Problems(), Texts{});
  EXPECT_EQ(read.Rows(), (Texts{"ip 20.1.2.3", "cidr 20.2.0.0/16", "ip:port 20.1.2.3:443", "domain evil.example",
                                "url http://evil.example/a;b", "uri /gate.php", "domain bad.example", "ip 20.9.9.9"}));
  EXPECT_EQ(read.source.format, "list of ip (2), cidr (1), ip:port (1), domain (2), url (1), uri (1)");
  EXPECT_EQ(read.source.rows, 8u);
  EXPECT_EQ(read.set->at(1).description, "scanner");
  EXPECT_EQ(read.set->at(3).description, "C2; seen");
  EXPECT_EQ(read.set->at(7).description, "10");
  EXPECT_EQ(read.set->at(7).id, "list.txt:11");
  EXPECT_EQ(Read("evil.example\nbad.example").source.format, "list of domain");
}

// A URL is as much a row as a name: what stands behind it must not become part of it.
TEST(ReadList, RefusesColumnsBehindAUrl) {
  const Read read(
      "http://evil.example/tab\tIntel::URL\tsrc\n"
      "http://evil.example/blank malware 2026\n"
      "evil.example/path phish\n"
      "http://evil.example/pipe|malware\n"
      "http://evil.example/one,comma\n");
  EXPECT_EQ(read.Rows(), Texts{"url http://evil.example/one,comma"});
  EXPECT_EQ(read.source.rows, 5u);
  EXPECT_EQ(read.source.unusable, 4u);
  ASSERT_EQ(read.Problems().size(), 5u);
  EXPECT_EQ(read.Problems()[0].substr(0, 21), "1: not a single value");
  EXPECT_EQ(read.Problems()[4].substr(0, 14), "5: used whole,");

  // Commas may stand in a URL, but not as many in each.
  const Read table("# url,type\nhttp://evil.example/a,malware\nhttp://evil.example/b,phish\nplain.example\n");
  EXPECT_EQ(table.Rows(), Texts{"domain plain.example"});
  EXPECT_EQ(table.source.unusable, 2u);
  // One with more of them makes it no list.
  const Read uneven(
      "http://evil.example/a,2026-11-01,malware\nevil.example/b,c,2026-11-02,malware\nhttp://evil.example/d\n");
  EXPECT_EQ(uneven.Rows(), Texts{"url http://evil.example/d"});
  const Read list("http://evil.example/a,b\nhttp://evil.example/c\n");
  EXPECT_EQ(list.Rows(), (Texts{"url http://evil.example/a,b", "url http://evil.example/c"}));
}

TEST(ReadList, ReadsHostsFiles) {
  const Read read("127.0.0.1 localhost\n::1 ip6-localhost ip6-loopback\n0.0.0.0 bad.example www.bad.example # ads\n");
  EXPECT_EQ(read.Rows(), (Texts{"hostname bad.example", "hostname www.bad.example"}));
  EXPECT_EQ(read.Problems(), Texts{});
  // Other spellings of where they send names, a comment behind a name without a blank, and the name of a file.
  const Read other(
      "0 a.example\n0:0:0:0:0:0:0:1 b.example\n::ffff:0.0.0.0 c.example\n0.0.0.0 d.example#ads x.example\n"
      "0.0.0.0 svchost.exe\n0.0.0.0 # nothing\n0 7\n");
  EXPECT_EQ(other.Rows(),
            (Texts{"hostname a.example", "hostname b.example", "hostname c.example", "hostname d.example"}));
  ASSERT_EQ(other.Problems().size(), 3u);
  EXPECT_EQ(other.Problems()[0].substr(0, 21), "5: the name of a file");
}

TEST(ReadList, ReadsCommentsBehindAValueAndItsMark) {
  const Read read(
      "20.1.2.0/24; SBL1\n20.1.2.3; SBL2\n20.1.2.3:443; SBL3\n2400:1::/32; SBL4\nevil.example; a note\n"
      "bad.example# a note, https://a.example/\n20.1.4.0/24;; x\n");
  EXPECT_EQ(read.Rows(), (Texts{"cidr 20.1.2.0/24", "ip 20.1.2.3", "ip:port 20.1.2.3:443", "cidr 2400:1::/32",
                                "domain evil.example", "domain bad.example", "cidr 20.1.4.0/24"}));
  EXPECT_EQ(read.Problems(), Texts{});
  EXPECT_EQ(read.set->at(0).description, "SBL1");
  // What may be a second value, a port or a part of a URL is none.
  const Read none(
      "a.example; b.example\n20.1.2.3; 20.1.2.4\n20.1.2.3; 443\nhttp://a.example/x; y\na.example/x; y\n"
      "a.example,b.example; y\nlast.example\n");
  EXPECT_EQ(none.Rows(), Texts{"domain last.example"});
  EXPECT_EQ(none.source.unusable, 6u);
}

// A number behind an address may be a prefix length where nothing of the address lies behind it.
TEST(ReadList, RefusesNumbersThatMayBePrefixLengths) {
  const Read read(
      "20.1.2.0 24\n20.1.2.128 25\n20.1.2.64\t26\n20.1.0.0 16\n20.0.0.0 8\n2400:1:: 32\n20.1.2.0/ 24\n20.1.2.3: 443\n"
      "20.1.2.3 .\n");
  EXPECT_EQ(read.source.rows, 9u);
  EXPECT_EQ(read.source.unusable, 9u);
  const Read scores("20.1.2.0 9\n20.1.2.3 25\n20.1.2.128 100\n2400:1::9 64\n20.1.2.4 0.5\n");
  EXPECT_EQ(scores.source.unusable, 0u);
}

TEST(ReadList, UsesTheRestOfALineThatFails) {
  const Read read("10.0.0.1\nevil.example\nevil.example:8080\ncom\n" + std::string(40'000, 'a') +
                  "\n20.1.2.3,botnet\nlast.example");
  EXPECT_EQ(read.Rows(), (Texts{"domain evil.example", "domain last.example"}));
  EXPECT_EQ(read.source.error, "");
  EXPECT_EQ(read.source.unusable, 5u);
  ASSERT_EQ(read.report.problems.size(), 5u);
  EXPECT_EQ(read.report.problems[0].line, 1u);
  EXPECT_EQ(read.report.problems[4].line, 6u);
}

TEST(ReadList, AFileWithoutAnIndicatorSaysSo) {
  const Read read("This is a licence.\nIt has many lines.\n");
  EXPECT_EQ(read.report.problems_total, 2u);
  EXPECT_NE(read.source.error.find("none of its 2 lines is a usable indicator; line 1: not a single value"),
            std::string::npos)
      << read.source.error;
}

// By reason, for whoever reads thousands of rows.
}  // namespace
}  // namespace vedette
