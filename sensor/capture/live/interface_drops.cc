#include "sensor/capture/live/interface_drops.h"

#include <fcntl.h>

#include <charconv>
#include <optional>

namespace vedette {
namespace {

constexpr const char* kNames[] = {"rx_missed_errors", "rx_fifo_errors"};

std::optional<uint64_t> ReadNumber(int file) {
  char text[32];
  const std::optional<size_t> size = file < 0 ? std::nullopt : ReadUpToAt(file, text, sizeof text, 0);
  uint64_t value = 0;
  if (!size || std::from_chars(text, text + *size, value).ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

InterfaceDrops::InterfaceDrops(const std::string& interface) {
  for (size_t i = 0; i < counters_.size(); ++i) {
    const std::string path = "/sys/class/net/" + interface + "/statistics/" + kNames[i];
    counters_[i].file = FileDescriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    counters_[i].last = ReadNumber(counters_[i].file.get()).value_or(0);
  }
}

uint64_t InterfaceDrops::Count() {
  for (Counter& counter : counters_) {
    const std::optional<uint64_t> now = ReadNumber(counter.file.get());
    if (!now) continue;  // the interface is gone
    sum_ += *now >= counter.last ? *now - counter.last : *now;
    counter.last = *now;
  }
  return sum_;
}

}  // namespace vedette
