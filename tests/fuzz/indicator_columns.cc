// What stands in the columns of indicator files: rows of CSV against a second way of reading them, lines of lists, JSON
// arrays, times, values. The first byte chooses.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "parsers/base/text.h"
#include "parsers/base/time_text.h"
#include "signatures/readers/csv.h"
#include "signatures/readers/list_reader.h"
#include "signatures/readers/string_array.h"
#include "signatures/value.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

bool Within(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

std::string Quoted(std::string_view field) {
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

void ReadCsv(std::string_view text) {
  TextSource source(TextSource::InMemory{text});
  CsvReader reader(source);
  uint32_t line = 0;
  size_t rows = 0;
  for (CsvReader::Result result; (result = reader.Next()) != CsvReader::Result::kEnd; ++rows) {
    Check(rows <= text.size());  // every row takes something
    Check(reader.line() > line);
    line = reader.line();
    if (result == CsvReader::Result::kMalformed) {
      Check(!reader.error().empty());
      continue;
    }
    Check(!reader.fields().empty() && reader.fields().size() <= CsvReader::kMaxFields);
    // Written again with every field quoted, the row reads the same.
    std::string again;
    std::vector<std::string> fields;
    for (const std::string_view field : reader.fields()) {
      Check(field.size() <= CsvReader::kMaxFieldBytes);
      again += (again.empty() ? "" : ",") + Quoted(field);
      fields.emplace_back(field);
    }
    if (again.size() > CsvReader::kMaxRowBytes) continue;
    TextSource again_source(TextSource::InMemory{again});
    CsvReader second(again_source);
    Check(second.Next() == CsvReader::Result::kRow && second.fields().size() == fields.size());
    for (size_t i = 0; i < fields.size(); ++i) Check(second.fields()[i] == fields[i]);
  }
}

void ReadList(std::string_view text) {
  ListLine line;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    ReadListLine(one, line);
    for (const std::string_view value : line.values) Check(!value.empty() && Within(value, one));
    Check(line.note.empty() || Within(line.note, one));
  }
}

void ReadArray(std::string_view text) {
  const std::optional<std::vector<std::string>> values = ParseStringArray(text);
  if (!values) return;
  Check(values->size() <= kMaxArrayElements);
  // Bytes that are not UTF-8 are taken as they are, and written as \xhh in alerts; other readers refuse them.
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = Utf8Length(rest);
    if (length == 0) return;
    rest.remove_prefix(length);
  }
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  Check(json.is_array() && json.get<std::vector<std::string>>() == *values);
}

void ReadTime(std::string_view text) {
  const std::optional<int64_t> time = ParseTimestamp(text);
  if (!time) return;
  Check(*time >= 0);
  // Less the fraction and in UTC, it is written and read again.
  const std::time_t seconds = *time / 1'000'000'000;
  std::tm date{};
  Check(gmtime_r(&seconds, &date) != nullptr);
  char written[32];
  Check(std::strftime(written, sizeof(written), "%Y-%m-%dT%H:%M:%SZ", &date) != 0);
  Check(ParseTimestamp(written) == seconds * 1'000'000'000);
}

void ReadValue(uint8_t kind, std::string_view text) {
  IndicatorType type = static_cast<IndicatorType>(kind % static_cast<uint8_t>(IndicatorType::kCount));
  std::string normal, again, reason;
  if (!NormaliseValue(type, text, normal, reason)) {
    Check(!reason.empty());
    return;
  }
  IndicatorType same = type;
  Check(NormaliseValue(same, normal, again, reason) && same == type && again == normal);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  switch (input.Byte() % 5) {
    case 0:
      ReadCsv(input.Rest());
      break;
    case 1:
      ReadList(input.Rest());
      break;
    case 2:
      ReadArray(input.Rest());
      break;
    case 3:
      ReadTime(input.Rest());
      break;
    default: {
      const uint8_t type = input.Byte();
      ReadValue(type, input.Rest());
    }
  }
  return 0;
}
