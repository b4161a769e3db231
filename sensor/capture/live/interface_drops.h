// Packets that a network card lost before the kernel saw them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "parsers/base/file.h"

namespace vedette {

// What the driver counts as missed (no buffer was free) and as lost in its own queue: /sys/class/net/NAME/statistics,
// rx_missed_errors and rx_fifo_errors. Not rx_dropped: that also holds packets that were captured and that the host
// itself had no use for.
//
// Opened with the interface, and read without any right, also where a confinement no longer lets open it. One thread.
class InterfaceDrops {
 public:
  explicit InterfaceDrops(const std::string& interface);
  // Since the constructor; 0 where the driver does not say. Never falls: a driver that begins anew is added up.
  uint64_t Count();

 private:
  struct Counter {
    FileDescriptor file;
    uint64_t last = 0;
  };
  std::array<Counter, 2> counters_;
  uint64_t sum_ = 0;
};

}  // namespace vedette
