// Rows of a table that stand for alerts that repeat each other, until the table is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/render/render.h"

namespace vedette {

// Bounded: a table of kMaxRows is full, is written, and another begins.
class TableRows {
 public:
  static constexpr size_t kMaxRows = 100'000;  // 100 MB at most, and more than anybody reads

  void Add(TableRow row);
  bool full() const { return rows_.size() >= kMaxRows; }
  // All rows in the order of their first alerts; none are left. Returns how many alerts they stand for.
  uint64_t AppendTo(std::string& out);

 private:
  std::vector<TableRow> rows_;
  std::unordered_map<std::string, size_t> by_key_;
};

}  // namespace vedette
