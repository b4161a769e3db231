// Any bytes as an indicator file: it is read and compiled within bounds, and what was taken is found again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "signatures/readers/read_indicators.h"
#include "signatures/value.h"

namespace {

using namespace vedette;

void Check(bool condition) {
  if (!condition) std::abort();
}

// An observable that the row has to match.
void AddWhatMatches(const IndicatorRecord& row, ObservableBatch& batch) {
  const Direction direction = row.direction == IndicatorDirection::kDst ? Direction::kToClient : Direction::kToServer;
  const auto add_text = [&](std::string_view text) {
    for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
      const auto kind = static_cast<ObservableKind>(i);
      if (!row.in.Has(kind) || FormOf(kind) != ValueForm::kText) continue;
      batch.AddText(kind, direction, text);
      return true;
    }
    return false;
  };
  switch (row.type) {
    case IndicatorType::kIp:
    case IndicatorType::kCidr:
      for (const ObservableKind kind : {ObservableKind::kIp, ObservableKind::kDnsAnswer}) {
        if (!row.in.Has(kind)) continue;
        const std::optional<IpAddress> address = IpAddress::Parse(row.value.substr(0, row.value.find('/')));
        Check(address.has_value());
        batch.AddAddress(kind, direction, *address);
        break;
      }
      break;
    case IndicatorType::kIpPort:
      if (row.in.Has(ObservableKind::kHttpUrl)) {
        batch.AddText(ObservableKind::kHttpUrl, direction, "http://" + std::string(row.value) + "/");
      }
      break;
    case IndicatorType::kContent: {
      std::string bytes, reason;
      Check(DecodeContent(row.value, bytes, reason));
      add_text("x" + bytes + "x");
      break;
    }
    case IndicatorType::kDomain:
      add_text("sub." + std::string(row.value));
      break;
    case IndicatorType::kRegex:  // fuzz_regex
      break;
    default:
      add_text(row.value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  IndicatorSetBuilder builder;
  SourceReport source;
  ReadIndicatorText("fuzz.txt", text, builder, source);
  std::string error;
  AddFromText(std::string_view(text).substr(0, 300), builder, error);
  CompileReport report;
  const std::shared_ptr<const IndicatorSet> set = builder.Compile(report);
  Check(set != nullptr);
  Check(source.unusable <= source.rows && set->size() >= report.loaded);
  Check(set->size() == report.loaded || report.problems_total > 0);
  MatchScratch scratch;
  Check(set->PrepareScratch(scratch));
  ObservableBatch batch;
  for (uint32_t i = 0; i < set->size() && i < 100; ++i) {
    const IndicatorRecord row = set->at(i);
    IndicatorType type = row.type;
    std::string normal;
    Check(NormaliseValue(type, row.value, normal, error) && type == row.type && normal == row.value);
    batch.Clear();
    AddWhatMatches(row, batch);
    if (batch.size() == 0) continue;
    std::vector<Hit> hits;
    set->Find(batch, scratch, hits);
    bool found = false;
    for (const Hit& hit : hits) found |= hit.indicator == i;
    Check(found || scratch.counters.hits_over_limit > 0);
  }
  Check(scratch.counters.scan_errors == 0);
  return 0;
}
