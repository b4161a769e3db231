// A progress bar on a terminal; nothing elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "sensor/pipeline/pipeline.h"

namespace vedette {

class ProgressBar {
 public:
  // On standard error; silent where that is no terminal. `what` stands before it: "carving".
  explicit ProgressBar(std::string what = {});
  ~ProgressBar() { Clear(); }

  // `pace`: of a run that takes as long as it should, whose bytes do not tell how much time is left.
  void Show(const ProgressReport& report, const std::string& pace = {});
  void Clear();

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point begin_;
};

// "1,234,567", "1.2 GB", "3 min 20 s".
std::string Thousands(uint64_t n);
std::string ByteSize(uint64_t bytes);
std::string Span(double seconds);

}  // namespace vedette
