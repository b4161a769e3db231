// What is said of a row besides its value: where it looks, where it comes from, who may know it, how long it holds. Read
// here for every format, so that a mark that protects a row means the same in all of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "signatures/indicator.h"

namespace vedette {

// As texts of the file; empty: nothing is said. A format fills in what it has.
struct MetadataTexts {
  std::string_view in;         // names of observables, separated by blanks
  std::string_view direction;  // src, dst or any
  std::string_view id, source, originator, description, sharing_group, reference;
  std::string_view tlp, pap;                 // their names, in any case
  std::string_view confidence;               // a whole number, 0-100
  std::string_view valid_from, valid_until;  // RFC 3339
  // Either as a JSON array of texts or one by one.
  std::string_view tags, recipients;
  std::span<const std::string> tag_list, recipient_list;
};

// One for each file: rows mostly say what the row before said. Not thread safe.
class MetadataReader {
 public:
  // All of `out` but type, value, file and line. False, with `reason`: a text that is not understood. A row that asks
  // for more protection than is understood must not be shared as if it had not.
  [[nodiscard]] bool Read(const MetadataTexts& texts, Indicator& out, std::string& reason);

  // Not empty: why the row that was read last is shared with fewer than it says; begins with "used, ".
  std::string_view remark() const { return remark_; }

 private:
  // An array that was read, and what it was read from.
  struct Array {
    std::string_view name;
    std::string text;
  };
  bool ReadArray(std::string_view text, std::span<const std::string> list, Array& last, std::vector<std::string>& out,
                 std::string& reason) const;
  void HeedTags(Indicator& out);
  void RemarkOn(std::string_view tag);

  Array tags_{"tags", {}}, recipients_{"recipients", {}};
  std::string remark_;
};

}  // namespace vedette
