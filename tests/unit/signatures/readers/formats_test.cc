#include "signatures/readers/formats.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace vedette {
namespace {

TEST(Formats, AreToldFromTheContent) {
  EXPECT_EQ(FormatOf("type,value\nip,20.1.2.3\n").name, "csv");
  EXPECT_EQ(FormatOf("# a comment\nvalue;type\n").name, "csv");
  EXPECT_EQ(FormatOf("#fields\tindicator\tindicator_type\n").name, "zeek intel");
  EXPECT_EQ(FormatOf("20.1.2.3\n").name, "list");
  EXPECT_EQ(FormatOf("").name, "list");
}

// A header of Zeek's is a comment of CSV: the first of the two has it.
TEST(Formats, TheFirstOfTwoThatAreCertainReads) {
  EXPECT_EQ(FormatOf("#fields\tindicator\tindicator_type\ntype,value\n").name, "zeek intel");
}

TEST(Formats, HaveNamesOfTheirOwnAndOneThatReadsAnything) {
  std::set<std::string_view> names;
  for (const FormatEntry& format : AllFormats()) names.insert(format.name);
  EXPECT_EQ(names.size(), AllFormats().size());
  EXPECT_EQ(AllFormats().back().probe("anything"), Certainty::kPossible);
}

// Which holds for any beginning of a file.
TEST(Formats, AreCertainOnlyOfWhatTheyRead) {
  const std::string text = "#separator \\x09\n#fields\tindicator\tindicator_type\nx.example\tIntel::DOMAIN\n";
  for (size_t size = 0; size <= text.size(); ++size) {
    const std::string head = text.substr(0, size);
    EXPECT_EQ(FormatOf(head).name, size < text.find("_type") + 5 ? "list" : "zeek intel") << head;
  }
}

}  // namespace
}  // namespace vedette
