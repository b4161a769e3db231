#include "exporter/render/table_rows.h"

#include <algorithm>
#include <utility>

namespace vedette {

void TableRows::Add(TableRow row) {
  const auto [at, is_new] = by_key_.try_emplace(row.key, rows_.size());
  if (is_new) {
    rows_.push_back(std::move(row));
    return;
  }
  TableRow& known = rows_[at->second];
  known.count += row.count;
  known.first_ns = std::min(known.first_ns, row.first_ns);
  known.last_ns = std::max(known.last_ns, row.last_ns);
  if (known.client != row.client) known.client = known.client_without_port;
  if (!row.capture.empty() && known.capture != row.capture && !known.capture.ends_with(" …")) known.capture += " …";
}

uint64_t TableRows::AppendTo(std::string& out) {
  uint64_t alerts = 0;
  for (const TableRow& row : rows_) {
    AppendTableRow(row, out);
    alerts += row.count;
  }
  rows_.clear();
  by_key_.clear();
  return alerts;
}

}  // namespace vedette
