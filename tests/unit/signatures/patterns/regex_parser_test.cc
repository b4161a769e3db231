#include "signatures/patterns/regex_parser.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "parsers/base/text.h"
#include "tests/unit/signatures/pcre.h"
#include "tests/unit/signatures/sets.h"

namespace vedette {
namespace {

using enum ObservableKind;

std::string Refusal(const std::string& value, ObservableMask in = {kHttpUri}) {
  Indicator indicator = MakeIndicator(IndicatorType::kRegex, value);
  indicator.in = in;
  return ReasonAgainst(indicator);
}
bool RefusedFor(const std::string& value, const std::string& part, ObservableMask in = {kHttpUri}) {
  const std::string reason = Refusal(value, in);
  EXPECT_NE(reason.find(part), std::string::npos) << value << ": \"" << reason << '"';
  return reason.find(part) != std::string::npos;
}

// Each expression, and texts that show how it is read. PCRE2 says what is right.
TEST(RegexParser, ReadsWhatPcreReads) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"evil[0-9]{1,3}\\.exe", {"evil12.exe", "xevil1.exey", "evil.exe", "evil1234.exe", "EVIL1.EXE"}},
      {"(?i)Evil\\.Exe", {"evil.exe", "EVIL.EXE", "evilxexe"}},
      {"ab(?i)cd|efg", {"abCD", "ABcd", "EFG", "efg"}},
      {"ab(?i:cd)ef", {"abCDef", "abcdEF"}},
      {"ab(?-i)cd", {"abcd", "abCD"}},
      {"one.two", {"one\ntwo", "one two"}},
      {"(?s)one.two", {"one\ntwo"}},
      {"one\\Ntwo", {"one\ntwo", "one-two"}},
      {"^/gate$", {"/gate", "/gate\n", "/gate\n\n", "x/gate", "/gatex"}},
      {"\\A/gate\\z", {"/gate", "/gate\n"}},
      {"/gate\\Z", {"/gate\n", "/gate\nx"}},
      {"(?m)^/gate$", {"a\n/gate\nb", "a /gate b", "\n/gate"}},
      {"\\bevil\\b", {"an evil name", "devil", "evil", "evil_", "evil-"}},
      {"\\Bevil", {"devil", "an evil"}},
      {"colou?rs*", {"color", "colours", "colourss"}},
      {"x{2,}yz{2}|abcd", {"xxyzz", "xyzz", "xxxxyzz", "abcd"}},
      {"a{x}bc", {"a{x}bc"}},
      {"x{2}}yz", {"xx}yz"}},
      {"(?:abc|abd|)efg", {"efg", "abcefg"}},
      {"(?<name>abc)(?P<other>def)(?'third'ghi)", {"abcdefghi"}},
      {"a(?#a comment)bcd", {"abcd"}},
      {"\\Qa.b*c\\E+d", {"a.b*cd", "a.b*cccd", "axbcd"}},
      {"[\\Q^]\\E]abc", {"^abc", "]abc"}},
      {"[]a]bcd", {"]bcd", "abcd", "xbcd"}},
      {"[^]a]bcd", {"]bcd", "xbcd"}},
      {"[a-]bcd[-z]", {"-bcd-", "abcdz"}},
      {"[\\w-]bcd", {"-bcd", "_bcd", " bcd"}},
      {"[[:alpha:]]bcd[[:^digit:]]", {"xbcdx", "1bcdx", "xbcd1"}},
      {"(?i)[[:upper:]]bcd", {"xBCD"}},
      {"(?i)x[[:^upper:]]bcd", {"xxBCD", "xXbcd", "x1bcd"}},
      {"(?i)x[[:^lower:]]bcd", {"xxBCD", "xXbcd", "x1bcd"}},
      {"(?i)[^a]bcd", {"Abcd", "bbcd"}},
      {"[\\b]abc", {"\babc"}},
      {"[\\x41-\\x43]xyz[\\n\\t]", {"Bxyz\n", "Dxyz\t"}},
      {"\\d\\D\\w\\W\\s\\Sabc", {"1xx- xabc", "1xx--xabc"}},
      {"\\h\\H\\v\\Vabc", {"\tx\nxabc", "\xa0x\x85xabc"}},
      {"\\a\\e\\f\\n\\r\\t\\0\\012\\x0a\\xA\\x{0a}abc", {std::string("\a\x1b\f\n\r\t\0\n\n\n\nabc", 14)}},
      {"a\\/b\\-c\\_d\\\"", {"a/b-c_d\""}},
      {"a.*?bcd.+?e", {"axbcdxe", "abcde"}},
      {"(a|b(c|d(e|f)))xyz", {"bdfxyz", "axyz", "bxyz"}},
      {"\xc3\xa9vil", {"\xc3\xa9vil", "\xa9vil"}},
  };
  for (const auto& [expression, texts] : cases) {
    ASSERT_EQ(Refusal(expression), "") << expression;
    Indicator indicator = MakeIndicator(IndicatorType::kRegex, expression, "x");
    indicator.in = {kHttpUri};
    TestSet test({indicator});
    EXPECT_EQ(test.report.problems_total, 0u) << expression << ": " << test.report.problems[0].reason;
    const Pcre pcre(expression);
    for (const std::string& text : texts) {
      EXPECT_EQ(!test.FindText(kHttpUri, text).empty(), pcre.IsIn(text)) << expression << " in " << Escaped(text);
    }
  }
}

// PCRE2 read it so before 10.43, and reads {0,2} since; what an expression means must not depend on a library's
// version.
TEST(RegexParser, BracesWithoutALowerBoundAreText) {
  Indicator indicator = MakeIndicator(IndicatorType::kRegex, "ab{,2}c", "x");
  indicator.in = {kHttpUri};
  TestSet test({indicator});
  EXPECT_FALSE(test.FindText(kHttpUri, "ab{,2}c").empty());
  EXPECT_TRUE(test.FindText(kHttpUri, "abbc").empty());
}

TEST(RegexParser, ACharacterOfSeveralBytesIsRepeatedAsAWhole) {
  Indicator indicator = MakeIndicator(IndicatorType::kRegex, "x\xc3\xa9{2}y", "x");
  indicator.in = {kHttpUri};
  TestSet test({indicator});
  EXPECT_FALSE(test.FindText(kHttpUri, "x\xc3\xa9\xc3\xa9y").empty());
  EXPECT_TRUE(test.FindText(kHttpUri, "x\xc3\xa9\xa9y").empty());
}

TEST(RegexParser, RefusesWhatOnePassCannotAnswer) {
  EXPECT_TRUE(RefusedFor("(abc)\\1", "back-reference"));
  EXPECT_TRUE(RefusedFor("(?<n>abc)\\k<n>", "back-reference"));
  EXPECT_TRUE(RefusedFor("(?P<n>abc)(?P=n)", "back-reference"));
  EXPECT_TRUE(RefusedFor("(abc)\\g1", "back-reference"));
  EXPECT_TRUE(RefusedFor("abc(?=def)", "look-ahead"));
  EXPECT_TRUE(RefusedFor("abc(?!def)", "look-ahead"));
  EXPECT_TRUE(RefusedFor("(?<=abc)def", "look-behind"));
  EXPECT_TRUE(RefusedFor("(?<!abc)def", "look-behind"));
  EXPECT_TRUE(RefusedFor("(?>abc)def", "atomic group"));
  EXPECT_TRUE(RefusedFor("abc++def", "possessive"));
  EXPECT_TRUE(RefusedFor("(abc)(?R)", "recursion"));
  EXPECT_TRUE(RefusedFor("(abc)(?1)", "recursion"));
  EXPECT_TRUE(RefusedFor("(a)?(?(1)bcd|efg)", "condition"));
  EXPECT_TRUE(RefusedFor("(*UTF8)abcd", "(*"));
  EXPECT_TRUE(RefusedFor("abc\\Kdef", "\\K"));
  EXPECT_TRUE(RefusedFor("\\p{L}abc", "\\p"));
  EXPECT_TRUE(RefusedFor("abc\\R", "\\R"));
  EXPECT_TRUE(RefusedFor("(?x)abc # [", "(?x"));
  EXPECT_TRUE(RefusedFor("[\xc3\xa9]vil.exe", "no ASCII in []"));
  EXPECT_TRUE(RefusedFor("abc\\x{20ac}", "more than a byte"));
}

TEST(RegexParser, RefusesWhatIsNotWellFormed) {
  EXPECT_TRUE(RefusedFor("abc(def", "( is not closed"));
  EXPECT_TRUE(RefusedFor("abc)def", ") without"));
  EXPECT_TRUE(RefusedFor("abc[def", "[ is not closed"));
  EXPECT_TRUE(RefusedFor("abc[]", "[ is not closed"));
  EXPECT_TRUE(RefusedFor("*.evil.example", "nothing stands before"));
  EXPECT_TRUE(RefusedFor("abc**", "quantifier behind a quantifier"));
  EXPECT_TRUE(RefusedFor("abc{3,2}", "smaller bound first"));
  EXPECT_TRUE(RefusedFor("abc{0}", "1 to 512"));
  EXPECT_TRUE(RefusedFor("abc{600}", "1 to 512"));
  EXPECT_TRUE(RefusedFor("^*abc", "cannot be repeated"));
  EXPECT_TRUE(RefusedFor("abc\\", "single \\"));
  EXPECT_TRUE(RefusedFor("abc\\x", "hexadecimal"));
  EXPECT_TRUE(RefusedFor("abc\\y", "\\y is not supported"));
  EXPECT_TRUE(RefusedFor("[z-a]bcd", "backwards"));
  EXPECT_TRUE(RefusedFor("[a-\\d]bcd", "ends in a class"));
  EXPECT_TRUE(RefusedFor("[[:nope:]]bcd", "is no class"));
  EXPECT_TRUE(RefusedFor("(?i", "(?flags"));
  EXPECT_TRUE(RefusedFor(std::string(60, '(') + "abc" + std::string(60, ')'), "deep"));
  EXPECT_TRUE(RefusedFor("", "no value"));
}

TEST(RegexParser, RefusesWhatWouldBeFoundEverywhereOrSlowsTheScan) {
  EXPECT_TRUE(RefusedFor("a*", "empty text"));
  EXPECT_TRUE(RefusedFor("|abcd", "empty text"));
  EXPECT_TRUE(RefusedFor("^$", "empty text"));
  EXPECT_TRUE(RefusedFor("ab", "shorter than 3"));
  EXPECT_TRUE(RefusedFor("ab|abcd", "shorter than 3"));
  EXPECT_TRUE(RefusedFor(".*abc?", "shorter than 3"));
  EXPECT_TRUE(RefusedFor(".{5,}", "so general"));
  EXPECT_TRUE(RefusedFor("^.*$.{3}", "so general"));
  EXPECT_TRUE(RefusedFor("\\w{10}", "so general"));
  EXPECT_TRUE(RefusedFor("[^a]{100}", "so general"));
  EXPECT_TRUE(RefusedFor("abcd|[a-z]{4}", "so general"));
  EXPECT_TRUE(RefusedFor("\\x00{8}abc", "equal bytes"));
  EXPECT_TRUE(RefusedFor("abc(\\x00\\x00){4}", "equal bytes"));
  EXPECT_TRUE(RefusedFor("(?i)xaAaAaAaA", "equal bytes"));
  EXPECT_TRUE(RefusedFor("(abc|" + std::string(9, 'a') + ")", "equal bytes"));
  EXPECT_TRUE(RefusedFor("evil[a-z]{500}[0-9]{20}", "512 bytes"));
  EXPECT_TRUE(RefusedFor("(((a{100}b){100}c){100}d){100}", "512 bytes"));
  EXPECT_TRUE(RefusedFor(std::string(3000, 'a'), "longer than 2048"));
  EXPECT_EQ(Refusal("^ab$"), "");
  EXPECT_EQ(Refusal("\\x00{7}abc"), "");
  EXPECT_EQ(Refusal("^[a-z]{12}\\.com$"), "");
  EXPECT_EQ(Refusal("[a-f0-9]{32}"), "");
}

TEST(RegexParser, PayloadTakesOnlyWhatAStreamCutAnywhereCanAnswer) {
  const ObservableMask payload = {kPayload};
  for (const char* assertion : {"^abcd", "abcd$", "\\Aabcd", "abcd\\z", "abcd\\Z", "\\babcd", "abcd\\B", "(?m)^abcd"}) {
    EXPECT_TRUE(RefusedFor(assertion, "a stream may be cut anywhere", payload));
    EXPECT_EQ(Refusal(assertion), "") << assertion;
  }
  EXPECT_TRUE(RefusedFor("abc.*def", "of any length", payload));
  EXPECT_TRUE(RefusedFor("abc+", "of any length", payload));
  EXPECT_TRUE(RefusedFor("abc.{10,}def", "name fields in `in`, such as http.uri", payload));
  EXPECT_TRUE(RefusedFor("abcd.{57}efgh", "up to 65 bytes", payload));
  EXPECT_EQ(Refusal("abcd.{56}efgh", payload), "");
  EXPECT_TRUE(RefusedFor("[a-f0-9]{32}", "given bytes in a row", payload));
  EXPECT_TRUE(RefusedFor("abc|[a-f0-9]{32}", "given bytes in a row", payload));
  EXPECT_TRUE(RefusedFor("(ab.){8}", "given bytes in a row", payload));
  EXPECT_EQ(Refusal("(ab){2}[0-9]{8}", payload), "");
  EXPECT_EQ(Refusal("(?i)evil[0-9]{1,8}\\.exe", payload), "");
  EXPECT_EQ(Refusal("MZ\\x90\\x00.{0,50}", {}), "");  // payload where nothing is said
  EXPECT_TRUE(RefusedFor("abc.*def", "of any length", {kPayload, kHttpUri}));
}

TEST(RegexParser, TakesTheSlashesOfOtherTools) {
  const auto normal = [](const std::string& value) {
    IndicatorSetBuilder builder;
    Indicator indicator = MakeIndicator(IndicatorType::kRegex, value);
    indicator.in = {kHttpUri};
    std::string reason;
    if (!builder.TryAdd(indicator, reason)) return reason;
    CompileReport report;
    return std::string(builder.Compile(report)->at(0).value);
  };
  EXPECT_EQ(normal("/evil\\d+/i"), "(?i)evil\\d+");
  EXPECT_EQ(normal("/evil\\d+/sim"), "(?sim)evil\\d+");
  EXPECT_EQ(normal("/evil\\/gate/ "), "evil\\/gate");
  EXPECT_EQ(normal("/evil/gate.php"), "/evil/gate.php");
  EXPECT_EQ(normal("/evil/gate/"), "/evil/gate/");
  EXPECT_EQ(normal("/evil\\/"), "/evil\\/");
  EXPECT_EQ(normal("/evil"), "/evil");
  EXPECT_EQ(normal(" evil "), " evil ");
  EXPECT_TRUE(RefusedFor("/evil gate/x", "the flag x"));
  EXPECT_TRUE(RefusedFor("/evilgate/Ui", "`in`"));
  EXPECT_TRUE(RefusedFor("//", "empty text"));
}

}  // namespace
}  // namespace vedette
