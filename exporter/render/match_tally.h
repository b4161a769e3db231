// Alerts counted by the indicators that they hit, and by the feed that those came from, over all generations of
// indicators.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "exporter/alert/alert_sink.h"

namespace vedette {

// One of the sinks; exporter thread only.
class MatchTally : public AlertSink {
 public:
  // Indicators of forgotten generations that keep a count of their own; beyond them only their feed's count goes on.
  static constexpr size_t kMaxKept = 100'000;

  explicit MatchTally(IndicatorCatalogue indicators) { AddGeneration(std::move(indicators)); }

  bool Accept(const Event& event) override;
  const std::string& error() const override { return error_; }
  bool delivers() const override { return false; }

  // As of Catalogues.
  void AddGeneration(IndicatorCatalogue indicators);
  void ForgetBefore(uint64_t generation);

  uint64_t alerts() const { return alerts_; }
  const std::map<std::string, uint64_t, std::less<>>& by_source() const { return by_source_; }

  struct Key {
    std::string type, value, source, id;
    friend bool operator<(const Key& a, const Key& b) {
      return std::tie(a.type, a.value, a.source, a.id) < std::tie(b.type, b.value, b.source, b.id);
    }
  };
  struct Entry {
    Key key;
    uint64_t alerts;
  };
  // Most alerts first, then by type, value, source and id.
  std::vector<Entry> ByIndicator() const;

 private:
  struct Generation {
    IndicatorCatalogue indicators;
    std::vector<uint64_t> counts;  // by index
  };
  static void Fold(const Generation& generation, size_t limit, std::map<Key, uint64_t>& out);

  std::vector<Generation> generations_;  // in order
  std::map<Key, uint64_t> earlier_;
  std::map<std::string, uint64_t, std::less<>> by_source_;
  uint64_t alerts_ = 0;
  std::string error_;
};

}  // namespace vedette
