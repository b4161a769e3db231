// The rows of a set in little memory: 28 bytes a row, its value and id, and everything else shared between the rows
// that say the same.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "parsers/base/string_pool.h"
#include "signatures/indicator.h"

namespace vedette {

class IndicatorRows {
 public:
  static constexpr uint32_t kNone = 0xffffffff;
  static constexpr size_t kMaxRows = size_t{1} << 30;

  struct Row {
    StringPool::Ref value = 0;
    StringPool::Ref id = 0;
    StringPool::Ref shared = 0;  // the pool's text is a Shared
    uint32_t line = 0;
    uint32_t next = kNone;  // the next row with the same key; set when the set is compiled
    uint32_t audience = 0;  // number; set when the set is compiled
    IndicatorType type = IndicatorType::kIp;
    IndicatorDirection direction = IndicatorDirection::kAny;
    bool id_given = false;          // else the id was made from file and line
    Tlp tlp_at_least = Tlp::kNone;  // another row says so of this indicator; kNone: none does
  };

  size_t size() const { return rows_.size(); }
  Row& row(uint32_t index) { return rows_[index]; }
  const Row& row(uint32_t index) const { return rows_[index]; }
  // Ahead of reading a row, and of reading its value and places.
  void PrefetchRow(uint32_t index) const { __builtin_prefetch(&rows_[index]); }
  void PrefetchTexts(uint32_t index) const {
    pool_.Prefetch(rows_[index].value);
    pool_.Prefetch(rows_[index].shared);
  }
  std::string_view value(uint32_t index) const { return pool_.at(rows_[index].value); }
  ObservableMask places(uint32_t index) const;
  // Of two rows with the same value. The same type, direction, places, id (or file, where the ids were made) and,
  // besides the TLP, audience: where it comes from, and who may know it.
  bool SameBesidesValue(uint32_t a, uint32_t b) const;
  // Of two that are the same besides the value: what stays has the stricter mark; one without any takes the other's.
  void TakeTlp(uint32_t kept, uint32_t dropped);
  // The strictest mark of an indicator holds for each of its rows, whatever their values and types and wherever they
  // were read: rows with the same given id of the same originator (or source, where none is named). A row without any
  // mark is no laxer for it: it stays so (amber+strict, and its source has to be listed) unless another is red.
  void ShareTlps();
  // A hash of all that SameBesidesValue compares.
  uint64_t HashBesidesValue(uint32_t index) const;
  // Gives each row the number of its audience, by the marks that hold now.
  void FindAudiences();
  const std::vector<Audience>& audiences() const { return audiences_; }
  // A text that names the originator; equal references are equal originators.
  StringPool::Ref OriginatorOf(uint32_t index) const { return SharedOf(rows_[index].shared).originator; }
  IndicatorRecord Record(uint32_t index) const;
  // Lower-case hex SHA-256 of all that the first `count` rows say, in order; not of where they were read.
  std::string Digest(size_t count) const;

  void Truncate(size_t size);                           // keeps the first `size` rows
  void Remove(const std::vector<uint32_t>& ascending);  // the rows behind them move up
  size_t memory_bytes() const { return pool_.memory_bytes() + rows_.capacity() * sizeof(Row); }

 private:
  friend class IndicatorRowsBuilder;

  // Byte for byte comparable: no padding.
  struct Shared {
    ObservableMask in;
    int64_t valid_from_ns = 0, valid_until_ns = 0;
    StringPool::Ref source = 0, originator = 0, description = 0, pap = 0, sharing_group = 0, reference = 0, file = 0;
    StringPool::Ref tags = 0, recipients = 0;  // the pool's text is an array of references
    uint8_t tlp = 0;
    uint8_t confidence = 0;
    uint8_t present = 0;  // kHas…
    uint8_t unused = 0;
  };
  static_assert(sizeof(Shared) == 72);
  static constexpr uint8_t kHasConfidence = 1, kHasFrom = 2, kHasUntil = 4;

  Shared SharedOf(StringPool::Ref ref) const;
  Tlp TlpOf(uint32_t index) const;
  std::string AudienceText(const Shared& shared, Tlp tlp) const;
  std::vector<std::string_view> ListOf(StringPool::Ref ref) const;
  void AppendForDigest(const Shared& shared, std::string& out) const;

  StringPool pool_;
  std::vector<Row> rows_;
  std::vector<Audience> audiences_;
};

// Appends to rows; dropped when the set is complete.
class IndicatorRowsBuilder {
 public:
  // A quarter of the pool, so that nobody's rows take all others' room.
  static constexpr uint64_t kMaxTextOfOriginator = StringPool::kMaxBytes / 4;

  // `max_text_of_originator`: bytes.
  explicit IndicatorRowsBuilder(uint64_t max_text_of_originator = kMaxTextOfOriginator)
      : interner_(rows_.pool_), max_text_of_originator_(max_text_of_originator) {}

  // False, with `reason`: no room.
  [[nodiscard]] bool Append(const Indicator& indicator, IndicatorType type, ObservableMask places,
                            std::string_view normal, std::string& reason);
  size_t size() const { return rows_.size(); }
  IndicatorRows Take() { return std::move(rows_); }  // once

 private:
  // The last text of each column, which the next row mostly repeats.
  struct Column {
    std::string text;
    StringPool::Ref ref = 0;
  };
  bool InternColumn(size_t column, std::string_view text, StringPool::Ref& ref);
  bool InternList(const std::vector<std::string>& texts, StringPool::Ref& ref);

  IndicatorRows rows_;
  StringInterner interner_;
  uint64_t max_text_of_originator_;
  std::unordered_map<StringPool::Ref, uint64_t> text_of_;  // bytes of each originator's rows
  std::array<Column, 7> columns_;
  std::string buffer_;
  std::string last_shared_;
  StringPool::Ref last_shared_ref_ = 0;
};

// Who shared a row: as it says, else its source, else the name of its file without the ending.
std::string_view SourceOf(const Indicator& indicator);
std::string_view OriginatorOf(const Indicator& indicator);

// "feeds/bad.csv" -> "bad.csv"; and without its ending, "bad".
std::string_view BaseName(std::string_view path);
std::string_view Stem(std::string_view path);

}  // namespace vedette
