// Views of untrusted bytes, and the one reader that checks bounds.
//
// Lifetime: a view never owns; whoever hands one out says how long it holds.
// Errors: every Read returns false and leaves the reader where it was when the bytes are not there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace vedette {

using Bytes = std::span<const uint8_t>;

inline std::string_view AsText(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes AsBytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// Reads integers in network byte order and length-prefixed parts. A part becomes a reader of its own that cannot leave
// its length.
class ByteReader {
 public:
  ByteReader() = default;
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  size_t remaining() const { return bytes_.size() - position_; }
  size_t position() const { return position_; }
  bool empty() const { return position_ == bytes_.size(); }
  Bytes rest() const { return bytes_.subspan(position_); }

  [[nodiscard]] bool ReadU8(uint8_t& out) {
    if (remaining() < 1) return false;
    out = bytes_[position_++];
    return true;
  }
  [[nodiscard]] bool ReadU16(uint16_t& out) {
    if (remaining() < 2) return false;
    out = static_cast<uint16_t>(bytes_[position_] << 8 | bytes_[position_ + 1]);
    position_ += 2;
    return true;
  }
  [[nodiscard]] bool ReadU24(uint32_t& out) {
    if (remaining() < 3) return false;
    out = static_cast<uint32_t>(bytes_[position_]) << 16 | static_cast<uint32_t>(bytes_[position_ + 1]) << 8 |
          bytes_[position_ + 2];
    position_ += 3;
    return true;
  }
  [[nodiscard]] bool ReadU32(uint32_t& out) {
    if (remaining() < 4) return false;
    out = static_cast<uint32_t>(bytes_[position_]) << 24 | static_cast<uint32_t>(bytes_[position_ + 1]) << 16 |
          static_cast<uint32_t>(bytes_[position_ + 2]) << 8 | bytes_[position_ + 3];
    position_ += 4;
    return true;
  }
  [[nodiscard]] bool ReadBytes(size_t count, Bytes& out) {
    if (remaining() < count) return false;
    out = bytes_.subspan(position_, count);
    position_ += count;
    return true;
  }
  [[nodiscard]] bool Skip(size_t count) {
    if (remaining() < count) return false;
    position_ += count;
    return true;
  }
  // A vector of RFC 8446 section 3.4: a length of 1, 2 or 3 bytes, then that many bytes.
  [[nodiscard]] bool ReadPrefixed8(ByteReader& body) {
    const size_t start = position_;
    uint8_t length = 0;
    return ReadU8(length) && ReadChild(start, length, body);
  }
  [[nodiscard]] bool ReadPrefixed16(ByteReader& body) {
    const size_t start = position_;
    uint16_t length = 0;
    return ReadU16(length) && ReadChild(start, length, body);
  }
  [[nodiscard]] bool ReadPrefixed24(ByteReader& body) {
    const size_t start = position_;
    uint32_t length = 0;
    return ReadU24(length) && ReadChild(start, length, body);
  }

 private:
  bool ReadChild(size_t start, size_t length, ByteReader& body) {
    Bytes bytes;
    if (!ReadBytes(length, bytes)) {
      position_ = start;
      return false;
    }
    body = ByteReader(bytes);
    return true;
  }

  Bytes bytes_;
  size_t position_ = 0;
};

}  // namespace vedette
