// What a parser writes to: values, its protocol's named counters, and content.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "parsers/base/content.h"
#include "parsers/base/observable.h"
#include "parsers/base/protocol_id.h"

namespace vedette {

// The counters that protocols name in their descriptions (protocol.h); one per worker.
class ProtocolCounters {
 public:
  static constexpr size_t kMaxProtocols = 32;
  static constexpr size_t kMaxCounters = 8;  // of one protocol

  void Count(ProtocolId protocol, size_t counter, uint64_t count) { RowOf(protocol)[counter] += count; }
  uint64_t Of(ProtocolId protocol, size_t counter) const { return counts_[static_cast<size_t>(protocol)][counter]; }
  void Add(const ProtocolCounters& part) {
    for (size_t i = 0; i < kMaxProtocols; ++i) {
      for (size_t j = 0; j < kMaxCounters; ++j) counts_[i][j] += part.counts_[i][j];
    }
  }

 private:
  std::array<uint64_t, kMaxCounters>& RowOf(ProtocolId protocol) { return counts_[static_cast<size_t>(protocol)]; }

  std::array<std::array<uint64_t, kMaxCounters>, kMaxProtocols> counts_{};
};

class ParserOutput {
 public:
  // Both outlive it.
  ParserOutput(ObservableBatch& values, ProtocolCounters& counters) : values_(values), counters_(counters) {}

  ObservableBatch& values() { return values_; }

  // One of the counters in the protocol's description. A parser within another's counts for its own protocol.
  template <class Protocol>
  void Count(typename Protocol::Counter counter, uint64_t count = 1) {
    counters_.Count(Protocol::kId, static_cast<size_t>(counter), count);
  }

  // False: there is no need to find out what ContentInfo holds.
  bool WantsContent(ContentKind kind) const { return wanted_.Has(kind); }
  ContentStream BeginContent(const ContentInfo& info) {
    if (!wanted_.Has(info.kind)) return {};
    return ContentStream(consumers_->Begin(info, values_));
  }

  // From here on content goes to these, which outlive its streams; null: to nobody.
  void UseConsumers(ContentConsumers* consumers) {
    consumers_ = consumers;
    wanted_ = consumers != nullptr ? consumers->wanted() : ContentKinds();
  }

 private:
  ObservableBatch& values_;
  ProtocolCounters& counters_;
  ContentConsumers* consumers_ = nullptr;
  ContentKinds wanted_;
};

}  // namespace vedette
