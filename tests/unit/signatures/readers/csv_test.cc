#include "signatures/readers/csv.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace vedette {
namespace {

// Every row as "line: field|field", a malformed one as "line! reason".
std::vector<std::string> Rows(std::string_view text, char separator = ',') {
  TextSource source(TextSource::InMemory{text});
  CsvReader reader(source, separator);
  std::vector<std::string> out;
  for (;;) {
    const CsvReader::Result result = reader.Next();
    if (result == CsvReader::Result::kEnd) return out;
    std::string row = std::to_string(reader.line());
    if (result == CsvReader::Result::kMalformed) {
      out.push_back(row + "! " + reader.error());
      continue;
    }
    row += ": ";
    for (size_t i = 0; i < reader.fields().size(); ++i) row.append(i > 0 ? "|" : "").append(reader.fields()[i]);
    out.push_back(row);
  }
}
using Texts = std::vector<std::string>;

TEST(Csv, ReadsEveryLineEnd) {
  EXPECT_EQ(Rows("a,b\nc,d\r\ne,f\rg,h"), (Texts{"1: a|b", "2: c|d", "3: e|f", "4: g|h"}));
  EXPECT_EQ(Rows("a,\n,b\n,\n"), (Texts{"1: a|", "2: |b", "3: |"}));
  EXPECT_EQ(Rows(""), Texts{});
}

TEST(Csv, SkipsByteOrderMarkBlankLinesAndComments) {
  EXPECT_EQ(Rows("\xef\xbb\xbf"
                 "a,b\n\n\n# a comment, with commas and \" marks\nc,d\n\r\n"),
            (Texts{"1: a|b", "5: c|d"}));
}

TEST(Csv, ReadsQuotedFields) {
  EXPECT_EQ(Rows("\"a,b\",\"say \"\"so\"\"\",\"\",x\n\"two\nlines\r\n\",y\nz,\"\"\"\""),
            (Texts{"1: a,b|say \"so\"||x", "2: two\nlines\r\n|y", "5: z|\""}));
  EXPECT_EQ(Rows("a;\"b;c\"\n", ';'), Texts{"1: a|b;c"});
}

TEST(Csv, AMalformedRowCostsOneRow) {
  EXPECT_EQ(Rows("a,b\"c\nd,e\n").back(), "2: d|e");
  EXPECT_EQ(Rows("\"a\"b,c\nd,e\n").back(), "2: d|e");
  const Texts unclosed = Rows("a,b\nc,\"never closed\nd,e\nf,g\n");
  ASSERT_EQ(unclosed.size(), 4u);
  EXPECT_EQ(unclosed[1].substr(0, 2), "2!");
  EXPECT_EQ(unclosed[2], "3: d|e");
  EXPECT_EQ(unclosed[3], "4: f|g");
}

TEST(Csv, BoundsFieldsRowsAndColumns) {
  EXPECT_EQ(Rows(std::string(CsvReader::kMaxFieldBytes + 1, 'a') + "\nb,c\n").back(), "2: b|c");
  EXPECT_EQ(Rows('"' + std::string(CsvReader::kMaxFieldBytes + 1, '\n') + "\"\nb,c\n").back(), "32771: b|c");
  const std::string field(CsvReader::kMaxFieldBytes, 'a');
  EXPECT_EQ(Rows(field + ',' + field + ',' + field + "\nb,c\n").back(), "2: b|c");
  std::string doubled = "\"";
  for (size_t i = 0; i < CsvReader::kMaxFieldBytes; i += 2) doubled += "\"\"";
  doubled += '"';
  EXPECT_EQ(Rows(doubled + ',' + doubled + ',' + doubled + "\nb,c\n").back(), "2: b|c");
  EXPECT_EQ(Rows(std::string(CsvReader::kMaxFields, ',') + "\nb,c\n").back(), "2: b|c");
}

TEST(Csv, ReadsBackWhatWasWritten) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 500; ++round) {
    std::vector<Texts> rows(1 + random() % 5);
    std::string text;
    for (Texts& row : rows) {
      row.resize(1 + random() % 5);
      for (size_t i = 0; i < row.size(); ++i) {
        for (size_t n = random() % 8; n > 0; --n) row[i] += "ab,\"\n\r# "[random() % 8];
        if (i == 0) row[i].insert(0, 1, 'x');  // neither a blank line nor a comment
        std::string quoted;
        for (const char c : row[i]) quoted.append(c == '"' ? 2 : 1, c);
        const bool plain = row[i].find_first_of(",\"\n\r") == std::string::npos && random() % 2 == 0;
        text.append(i > 0 ? "," : "").append(plain ? row[i] : '"' + quoted + '"');
      }
      text += random() % 2 == 0 ? "\n" : "\r\n";
    }
    TextSource source(TextSource::InMemory{text});
    CsvReader reader(source);
    for (const Texts& row : rows) {
      ASSERT_EQ(reader.Next(), CsvReader::Result::kRow) << text;
      EXPECT_EQ(Texts(reader.fields().begin(), reader.fields().end()), row);
    }
    EXPECT_EQ(reader.Next(), CsvReader::Result::kEnd);
  }
}

}  // namespace
}  // namespace vedette
