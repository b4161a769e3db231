#include "parsers/base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "parsers/base/text.h"

namespace vedette {
namespace {

using nlohmann::json;

std::string ObservedText(std::string_view value, size_t max_bytes = kMaxValueBytes) {
  std::string out;
  JsonWriter writer(out);
  writer.BeginObject();
  writer.Observed("v", value, max_bytes);
  writer.EndObject();
  return json::parse(out)["v"];
}

std::string PeoplesText(std::string_view value, size_t max_bytes = kMaxValueBytes) {
  std::string out;
  JsonWriter writer(out);
  writer.BeginObject();
  writer.Text("v", value, max_bytes);
  writer.EndObject();
  return json::parse(out)["v"];
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string out;
  JsonWriter writer(out);
  writer.BeginObject();
  writer.Number("a", 18'446'744'073'709'551'615u);
  writer.BeginObject("b");
  writer.EndObject();
  writer.BeginArray("c");
  writer.BeginObject();
  writer.Bool("d", true);
  writer.EndObject();
  writer.BeginObject();
  writer.EndObject();
  writer.EndArray();
  writer.BeginArray("e");
  writer.Number(1);
  writer.Number(2);
  writer.Plain("x");
  writer.EndArray();
  writer.Decimal("f", -1.25);
  writer.Decimal("g", std::numeric_limits<double>::infinity());
  writer.EndObject();
  EXPECT_EQ(out, R"({"a":18446744073709551615,"b":{},"c":[{"d":true},{}],"e":[1,2,"x"],"f":-1.25})");
}

TEST(JsonWriter, ObservedIsWhatContractTwoWrites) {
  using std::string_literals::operator""s;
  for (const std::string& value :
       {"plain"s, "quote\" back\\slash"s, "tab\there\nnewline\rreturn"s, "\0zero\x7f"s, "\xff\xfe"s,
        "b\xc3\xbc"s
        "cher"s,
        "cut \xe2\x82"s, "\xed\xa0\x80 surrogate"s, "\xf0\x9f\x98\x80"s, ""s}) {
    EXPECT_EQ(ObservedText(value), Escaped(value));
  }
}

TEST(JsonWriter, TextOfPeopleKeepsItsBackslashesAndLines) {
  EXPECT_EQ(PeoplesText("\\d+\\.exe \"x\"\n\tzwei\x01"), "\\d+\\.exe \"x\"\n\tzwei\x01");
  EXPECT_EQ(PeoplesText("M\xfcnchen"), "M\\xfcnchen");
  EXPECT_EQ(PeoplesText("M\xc3\xbcnchen"), "M\xc3\xbcnchen");
}

TEST(JsonWriter, CutsHugeValuesBetweenCharactersAndSaysSo) {
  EXPECT_EQ(ObservedText("abcdef", 6), "abcdef");
  EXPECT_EQ(ObservedText("abcdefg", 6), "abcdef\\...");
  EXPECT_EQ(ObservedText("abcd\xe2\x82\xac", 6), "abcd\\...");
  EXPECT_EQ(ObservedText("abcd\xe2\x82\xac", 7), "abcd\xe2\x82\xac");
  EXPECT_EQ(ObservedText("abc\xff\xff\xff\xff", 6), "abc\\xff\\xff\\xff\\...");
  EXPECT_EQ(PeoplesText("abcdefg", 6), "abcdef\xe2\x80\xa6");
  EXPECT_EQ(ObservedText(std::string(1'000'000, 'a')).size(), kMaxValueBytes + 4);
}

TEST(JsonWriter, AnyBytesGiveValidJson) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string value(random() % 40, '\0');
    for (char& c : value) c = static_cast<char>(random());
    const size_t limit = random() % 45;
    EXPECT_NO_THROW({
      EXPECT_EQ(ObservedText(value), Escaped(value));
      ObservedText(value, limit);
      PeoplesText(value, limit);
    });
  }
}

}  // namespace
}  // namespace vedette
