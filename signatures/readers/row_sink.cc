#include "signatures/readers/row_sink.h"

#include <utility>

namespace vedette {
namespace {

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

RowSink::RowSink(IndicatorSetBuilder& builder, SourceReport& report)
    : builder_(builder), report_(report), now_ns_(NowNs()) {
  row_.file = report.path;
}

bool RowSink::Use(std::string_view shown) {
  if (!builder_.TryAdd(row_, reason_)) {
    Refuse(shown, std::move(reason_));
    return false;
  }
  if (!metadata_.remark().empty()) Remark(row_.line, shown, metadata_.remark());
  if (const std::string_view remark = RemarkOnTimes(); !remark.empty()) Remark(row_.line, shown, remark);
  return true;
}

std::string_view RowSink::RemarkOnTimes() const {
  if (row_.valid_until_ns && *row_.valid_until_ns < now_ns_)
    return "used, but its valid_until has passed: it matches only earlier traffic";
  if (row_.valid_from_ns && *row_.valid_from_ns > now_ns_)
    return "used, but its valid_from is in the future: it matches only later traffic";
  return {};
}

void RowSink::Refuse(std::string_view shown, std::string reason) {
  if (++report_.unusable == 1) first_problem_ = "line " + std::to_string(row_.line) + ": " + reason;
  builder_.AddProblem({row_.file, row_.line, std::string(shown), std::move(reason), false});
}

void RowSink::Remark(uint32_t line, std::string_view shown, std::string_view reason) {
  builder_.AddProblem({row_.file, line, std::string(shown), std::string(reason), true});
}

void RowSink::EndOfTable() {
  if (!none_used()) return;
  report_.unused = rows() == 0 ? "has a header and no rows"
                               : "none of its " + std::to_string(rows()) + " rows can be used; " + first_problem_;
}

void RowSink::GaveNothing(std::string_view reason) { report_.error = row_.file + ": " + std::string(reason); }

}  // namespace vedette
