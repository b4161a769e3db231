// Rows of a table that stand for alerts that repeat each other, until the table is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/policy/view.h"

namespace vedette {

// What a person is shown of one alert, or of several of the same indicator, place, value and pair of hosts.
struct TableRow {
  std::string key;  // the same for those that repeat each other
  uint64_t first_ns = 0, last_ns = 0, count = 1;
  std::string indicator, source, field;
  std::string matched;  // the value in the traffic, where it is not the indicator's
  std::string client, client_without_port, client_place, server, server_place;
  std::string capture;
};
TableRow TableRowOf(const View& view);
void AppendTableRow(const TableRow& row, std::string& out);

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
