// Durations by upper bound, as Prometheus counts them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vedette {

struct HistogramCounts {
  // Seconds. From a batch's delay to a time at which nobody acts on an alert any more.
  static constexpr std::array<double, 16> kBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                     0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
  std::array<uint64_t, kBounds.size() + 1> counts{};  // the last: above all bounds
  uint64_t count = 0;
  double sum_seconds = 0;

  void Record(double seconds) {
    size_t i = 0;
    while (i < kBounds.size() && seconds > kBounds[i]) ++i;
    ++counts[i];
    ++count;
    sum_seconds += seconds;
  }
  void Add(const HistogramCounts& other) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    count += other.count;
    sum_seconds += other.sum_seconds;
  }
  // The upper bound under which the share `q` (0 to 1) of all lies; 0 without any. The last bound where it lies above
  // all.
  double Quantile(double q) const {
    const auto wanted = static_cast<double>(count) * q;
    uint64_t seen = 0;
    for (size_t i = 0; i < kBounds.size(); ++i) {
      seen += counts[i];
      if (count != 0 && static_cast<double>(seen) >= wanted) return kBounds[i];
    }
    return count == 0 ? 0 : kBounds.back();
  }
};

}  // namespace vedette
