// Which HTTP/1.x request a response answers.
#pragma once

#include <cstdint>

namespace vedette {

// The requests that wait for their response, oldest first: only what decides how a response's body is
// delimited. Beyond 64 waiting requests the newer ones count as ordinary.
class RequestQueue {
 public:
  enum class Kind : uint8_t {
    kOrdinary,
    kHead,     // its response has no body, whatever its fields say
    kConnect,  // a 2xx begins a tunnel
    kSimple,   // HTTP/0.9: the response may be a bare body
  };
  bool empty() const { return size_ == 0; }
  Kind front() const { return static_cast<Kind>((low_ & 1) | (high_ & 1) << 1); }  // empty: kOrdinary
  void Push(Kind kind) {
    if (size_ < kPlaces) {
      low_ |= (static_cast<uint64_t>(kind) & 1) << size_;
      high_ |= (static_cast<uint64_t>(kind) >> 1) << size_;
    }
    if (size_ < UINT32_MAX) ++size_;
  }
  Kind Pop() {
    const Kind kind = front();
    if (size_ > 0) --size_;
    low_ >>= 1;
    high_ >>= 1;
    return kind;
  }
  void Clear() { *this = {}; }

 private:
  static constexpr uint32_t kPlaces = 64;
  uint64_t low_ = 0, high_ = 0;  // bit i of each: the kind of the request at place i
  uint32_t size_ = 0;
};

}  // namespace vedette
