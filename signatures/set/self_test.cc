#include "signatures/set/self_test.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "signatures/value.h"

namespace vedette {
namespace {

// The first kind of that form in which the row is looked for.
std::optional<ObservableKind> PlaceOf(const IndicatorRecord& record, ValueForm form) {
  for (size_t i = 0; i < static_cast<size_t>(kFirstContext); ++i) {
    const auto kind = static_cast<ObservableKind>(i);
    if (record.in.Has(kind) && FormOf(kind) == form) return kind;
  }
  return std::nullopt;
}

Direction DirectionOf(const IndicatorRecord& record) {
  return record.direction == IndicatorDirection::kDst ? Direction::kToClient : Direction::kToServer;
}

// Puts what the row looks for into the batch. False: nothing simple does.
bool Show(const IndicatorSet& set, const IndicatorRecord& record, MatchScratch& scratch, ObservableBatch& batch) {
  const Direction direction = DirectionOf(record);
  switch (record.type) {
    case IndicatorType::kIp: {
      const std::optional<IpAddress> address = IpAddress::Parse(record.value);
      if (!address) return false;
      if (const std::optional<ObservableKind> place = PlaceOf(record, ValueForm::kAddress)) {
        batch.AddAddress(*place, direction, *address, 0);
      } else if (const std::optional<ObservableKind> text = PlaceOf(record, ValueForm::kText)) {
        batch.AddText(*text, direction, record.value);
      }
      return batch.size() != 0;
    }
    case IndicatorType::kContent: {
      std::string bytes, reason;
      if (!DecodeContent(record.value, bytes, reason)) return false;
      if (!record.in.Has(ObservableKind::kPayload)) {
        const std::optional<ObservableKind> place = PlaceOf(record, ValueForm::kText);
        if (!place) return false;
        batch.AddText(*place, direction, bytes);
        return true;
      }
      std::vector<PayloadHit> hits;
      set.ScanPayload(AsBytes(bytes), direction, nullptr, scratch, hits);
      for (const PayloadHit& hit : hits) batch.AddPayloadHit(direction, hit.pattern, bytes);
      return true;
    }
    case IndicatorType::kDomain:
    case IndicatorType::kHostname:
    case IndicatorType::kUrl:
    case IndicatorType::kUri:
    case IndicatorType::kUserAgent:
    case IndicatorType::kJa3:
    case IndicatorType::kJa3s:
    case IndicatorType::kJa4:
    case IndicatorType::kCertSha1:
    case IndicatorType::kCertSha256: {
      const std::optional<ObservableKind> place = PlaceOf(record, ValueForm::kText);
      if (!place) return false;
      batch.AddText(*place, direction, record.value);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

bool SelfTest(const IndicatorSet& set, std::string& error) {
  MatchScratch scratch;
  if (!set.PrepareScratch(scratch)) {
    error = "no memory for the matcher";
    return false;
  }
  ObservableBatch batch;
  std::vector<Hit> hits;
  const auto rows = static_cast<uint32_t>(set.size());
  const uint32_t step = std::max(1u, rows / kSelfTestRows);
  for (uint32_t row = 0; row < rows; row += step) {
    const IndicatorRecord record = set.at(row);
    batch.Clear();
    batch.BeginMessage();
    if (!Show(set, record, scratch, batch)) continue;
    hits.clear();
    set.Find(batch, scratch, hits);
    if (std::any_of(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.indicator == row; })) continue;
    error = std::string(record.file) + ":" + std::to_string(record.line) +
            ": self-test: " + std::string(NameOf(record.type)) + " " + std::string(record.value) +
            " is not found by the compiled set";
    return false;
  }
  return true;
}

}  // namespace vedette
