#include "sensor/setup/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "sensor/setup/complain.h"

namespace vedette {

ProgressBar::ProgressBar(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1), begin_(std::chrono::steady_clock::now()) {
  if (!what_.empty()) what_ += ' ';
}

void ProgressBar::Show(const ProgressReport& report, const std::string& pace) {
  if (!terminal_) return;
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  const auto done = static_cast<double>(report.capture.input_bytes_read),
             total = static_cast<double>(report.capture.total_input_bytes);
  std::string line = fmt::format("{} packets, {}/s", Thousands(report.packets),
                                 ByteSize(static_cast<uint64_t>(done / std::max(elapsed, 1e-3))));
  if (total > 0) {
    const double share = std::min(done / total, 1.0);
    constexpr int kCells = 24;
    const int cells = static_cast<int>(share * kCells);
    line = fmt::format("[{}{}] {:3.0f} %  {}", std::string(static_cast<size_t>(cells), '#'),
                       std::string(static_cast<size_t>(kCells - cells), '.'), share * 100, line);
    if (share > 0.01 && pace.empty()) line += fmt::format(", {} left", Span(elapsed * (1 - share) / share));
  }
  if (!pace.empty()) line += ", " + pace;
  Say("\r\033[K{}{}", what_, line);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressBar::Clear() {
  if (shown_) Say("\r\033[K");
  shown_ = false;
}

std::string Thousands(uint64_t n) {
  const std::string digits = std::to_string(n);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

std::string ByteSize(uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{} B", bytes);
  const char* const units[] = {"kB", "MB", "GB", "TB", "PB"};
  double value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  while (value >= 1000 && unit < 4) {
    value /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, units[unit]);
}

std::string Span(double seconds) {
  if (seconds < 60) return fmt::format("{:.{}f} s", seconds, seconds < 10 ? 2 : 0);
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace vedette
