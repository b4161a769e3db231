// Collects every observable of a capture, matched or not: what `vedette observe` prints.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "sensor/pipeline/burst_consumer.h"

namespace vedette {

class ObserveConsumer : public BurstConsumer {
 public:
  void OnBurst(const ObservableBatch& batch, std::span<const EmissionContext>, std::span<const EndedFlow>) override;
  void OnProgress(uint32_t, uint64_t) override {}

  void MergeFrom(const ObserveConsumer& other);
  // (name, escaped value), unique, sorted by bytes.
  std::vector<std::pair<std::string_view, std::string>> Sorted() const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::array<std::unordered_set<std::string, TextHash, std::equal_to<>>, kObservableKinds> texts_;
  std::array<std::unordered_set<IpAddress>, kObservableKinds> addresses_;
};

}  // namespace vedette
