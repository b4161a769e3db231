#include "signatures/readers/row_sink.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "signatures/readers/format.h"

namespace vedette {
namespace {

// A format as README.md shows one: "NETWORK ; ID ; TLP", and nothing else.
struct DropFormat {
  static constexpr std::string_view kName = "drop";
  static Certainty Probe(std::string_view head) {
    return head.starts_with("; drop") ? Certainty::kCertain : Certainty::kNo;
  }
  static void Read(TextSource& text, RowSink& rows) {
    LineReader lines(text, LineReader::Ends::kNewline, 100);
    while (lines.Next()) {
      const std::string_view line = lines.line();
      if (line.starts_with(';')) continue;
      rows.Begin(lines.number());
      const size_t id = line.find(" ; "), tlp = line.rfind(" ; ");
      if (id == std::string_view::npos || id == tlp) {
        rows.Refuse(line, "three columns are needed");
        continue;
      }
      rows.SetValue(IndicatorType::kCidr, line.substr(0, id));
      MetadataTexts texts;
      texts.id = line.substr(id + 3, tlp - id - 3);
      texts.tlp = line.substr(tlp + 3);
      std::string reason;
      if (rows.SetMetadata(texts, reason)) {
        rows.Use();
      } else {
        rows.Refuse(line.substr(0, id), reason);
      }
    }
    rows.EndOfTable();
  }
};
static_assert(IndicatorFormat<DropFormat>);

struct Dropped {
  explicit Dropped(std::string_view text) {
    source.path = "folder/drop.txt";
    TextSource in_memory(TextSource::InMemory{text});
    RowSink rows(builder, source);
    DropFormat::Read(in_memory, rows);
    set = builder.Compile(report);
  }
  IndicatorSetBuilder builder;
  SourceReport source;
  CompileReport report;
  std::shared_ptr<const IndicatorSet> set;
};

TEST(RowSink, UsesOrRefusesEachRow) {
  const Dropped drop(
      "; drop\n20.1.2.0/24 ; SBL1 ; green\n10.0.0.0/8 ; SBL2 ; green\n20.2.0.0/16 ; SBL3 ; purple\nnothing\n");
  EXPECT_EQ(drop.source.rows, 4U);
  EXPECT_EQ(drop.source.unusable, 3U);
  EXPECT_EQ(drop.source.unused, "");
  ASSERT_EQ(drop.set->size(), 1U);
  const IndicatorRecord row = drop.set->at(0);
  EXPECT_EQ(row.value, "20.1.2.0/24");
  EXPECT_EQ(row.id, "SBL1");
  EXPECT_EQ(row.source, "drop");
  EXPECT_EQ(row.tlp, Tlp::kGreen);
  EXPECT_EQ(row.line, 2U);
  std::vector<std::string> problems;
  for (const IndicatorProblem& problem : drop.report.problems)
    problems.push_back(std::to_string(problem.line) + ' ' + problem.value);
  EXPECT_EQ(problems, (std::vector<std::string>{"3 10.0.0.0/8", "4 20.2.0.0/16", "5 nothing"}));
}

TEST(RowSink, SaysThatAFileGaveNothing) {
  EXPECT_EQ(Dropped("; drop\n").source.unused, "has a header and no rows");
  EXPECT_EQ(Dropped("; drop\nnothing\nelse\n").source.unused,
            "none of its 2 rows can be used; line 2: three columns are needed");
}

}  // namespace
}  // namespace vedette
