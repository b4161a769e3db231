// Splits a fuzzer's bytes into values. Once they have run out, everything is zero or empty.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "parsers/base/address.h"

namespace vedette {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.remove_prefix(1);
    return byte;
  }
  uint16_t Number16() {
    const uint16_t high = Byte();
    return static_cast<uint16_t>(high << 8 | Byte());
  }
  uint64_t Number() {
    uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = number << 8 | Byte();
    return number;
  }
  // At most this many bytes.
  std::string_view Take(size_t wanted) {
    const std::string_view text = rest_.substr(0, wanted);
    rest_.remove_prefix(text.size());
    return text;
  }
  // A length of one or two bytes, and that many bytes.
  std::string_view Text() { return Take(Byte()); }
  std::string_view LongText() { return Take(Number16()); }
  std::string_view Rest() { return Take(rest_.size()); }
  IpAddress Address() {
    uint8_t wire[16];
    for (uint8_t& byte : wire) byte = Byte();
    return (wire[0] & 1) != 0 ? IpAddress::V4(wire) : IpAddress::V6(wire);
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// Names the failed check: without line numbers, the stack does not.
inline void Check(bool holds, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (holds) return;
  std::fprintf(stderr, "%s:%d: this does not hold\n", file, line);
  std::abort();
}

// For readers that need a path: a file in memory, rewritten for each input.
class FuzzFile {
 public:
  explicit FuzzFile(const char* name) : descriptor_(memfd_create(name, 0)) {}
  ~FuzzFile() { close(descriptor_); }
  FuzzFile(const FuzzFile&) = delete;
  FuzzFile& operator=(const FuzzFile&) = delete;
  void Write(std::string_view bytes) const {
    Check(descriptor_ >= 0 && ftruncate(descriptor_, 0) == 0 && fchmod(descriptor_, 0600) == 0 &&
          pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace vedette
