#include "sensor/capture/files/pcapng_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace vedette {
namespace {

constexpr uint32_t kSectionHeader = 0x0a0d0d0a;  // a palindrome: the same in both byte orders
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kObsoletePacket = 2;
constexpr uint32_t kSimplePacket = 3;
constexpr uint32_t kEnhancedPacket = 6;

constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr uint32_t kMinBlockBytes = 12;

constexpr uint16_t kOptionEnd = 0;
constexpr uint16_t kOptionResolution = 9;
constexpr uint16_t kOptionOffset = 14;

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint8_t kNanosecondDigits = 9;

__extension__ using Uint128 = unsigned __int128;
__extension__ using Int128 = __int128;

std::string PacketTooLarge(uint64_t number, uint32_t captured) {
  return fmt::format("packet {} says {} bytes; the largest possible is {}", number, captured, kLargestPacketBytes);
}

// Neither read nor needed in one piece.
bool IsSkipped(uint32_t type) {
  return type != kSectionHeader && type != kInterfaceDescription && type != kObsoletePacket && type != kSimplePacket &&
         type != kEnhancedPacket;
}

std::string EndsInside(uint32_t type, uint64_t there, uint32_t bytes) {
  return fmt::format("the file ends inside a block of type 0x{:x} ({} of {} bytes)", type, there, bytes);
}

std::string TwoLengths(uint32_t type, uint32_t bytes, uint32_t again) {
  return fmt::format("block of type 0x{:x} says {} bytes at its start and {} at its end", type, bytes, again);
}

}  // namespace

void PcapngClock::SetResolution(uint8_t resolution) {
  const uint8_t exponent = resolution & 0x7f;
  if ((resolution & 0x80) != 0) {
    kind_ = Kind::kBinary;
    shift_ = exponent;
    return;
  }
  const bool finer = exponent > kNanosecondDigits;
  const int digits = finer ? exponent - kNanosecondDigits : kNanosecondDigits - exponent;
  kind_ = finer ? Kind::kDivide : Kind::kMultiply;
  factor_ = 1;
  // Beyond 19 digits every value that 64 bits hold is less than a nanosecond.
  for (int i = 0; i < digits; ++i) {
    if (__builtin_mul_overflow(factor_, uint64_t{10}, &factor_)) {
      factor_ = 0;
      return;
    }
  }
}

uint64_t PcapngClock::Nanoseconds(uint64_t units) const {
  if (kind_ == Kind::kMultiply && offset_seconds_ == 0) [[likely]] {
    uint64_t result;
    return __builtin_mul_overflow(units, factor_, &result) ? UINT64_MAX : result;
  }
  Int128 result = 0;
  switch (kind_) {
    case Kind::kMultiply:
      result = static_cast<Int128>(units) * factor_;
      break;
    case Kind::kDivide:
      result = factor_ == 0 ? 0 : units / factor_;
      break;
    case Kind::kBinary:
      // units < 2^64 and a second < 2^30 ns: the product fits.
      result = static_cast<Int128>((static_cast<Uint128>(units) * kNanosecondsPerSecond) >> shift_);
      break;
  }
  result += static_cast<Int128>(offset_seconds_) * static_cast<Int128>(kNanosecondsPerSecond);
  if (result < 0) return 0;
  return result > static_cast<Int128>(UINT64_MAX) ? UINT64_MAX : static_cast<uint64_t>(result);
}

bool PcapngReader::Recognises(Bytes head) { return head.size() >= 4 && LoadU32<false>(head.data()) == kSectionHeader; }

PcapngReader::PcapngReader(Bytes file, uint32_t file_index, bool last) : PacketReader(file, file_index, last) {
  if (file.size() < kPcapngSectionHeaderBytes) {
    WaitFor(0, kPcapngSectionHeaderBytes);
    Damage(0, fmt::format("the file ends inside its section header ({} bytes; the shortest has {})", file.size(),
                          kPcapngSectionHeaderBytes));
  } else if (!Recognises(file)) {
    Damage(0, "not a pcapng file");
  } else {
    ReadSectionHeader();
  }
}

bool PcapngReader::EndsTooEarly(uint64_t num_bytes) {
  if (offset_ + file_.size() - position_ >= num_bytes) return false;
  waiting_ = WaitFor(position_, num_bytes);
  return true;
}

// Finds the byte order; leaves position_ at the block, which FindBlock then judges in that order.
bool PcapngReader::ReadSectionHeader() {
  const uint64_t offset = position_;
  if (EndsTooEarly(kPcapngSectionHeaderBytes)) {
    if (waiting_) return false;
    Damage(offset, fmt::format("the file ends inside a section header ({} bytes; the shortest has {})",
                               offset_ + file_.size() - offset, kPcapngSectionHeaderBytes));
    return false;
  }
  const uint8_t* const header = file_.data() + (offset - offset_);
  if (LoadU32<false>(header + 8) == kByteOrderMagic) {
    swapped_ = false;
  } else if (LoadU32<true>(header + 8) == kByteOrderMagic) {
    swapped_ = true;
  } else {
    Damage(offset,
           fmt::format("section header without a byte-order mark (it has 0x{:08x})", LoadU32<false>(header + 8)));
    return false;
  }
  const uint16_t major = swapped_ ? LoadU16<true>(header + 12) : LoadU16<false>(header + 12);
  const uint16_t minor = swapped_ ? LoadU16<true>(header + 14) : LoadU16<false>(header + 14);
  if (major != 1) {
    Damage(offset, fmt::format("pcapng version {}.{} is not known; only version 1 is", major, minor));
    return false;
  }
  const uint32_t bytes = swapped_ ? LoadU32<true>(header + 4) : LoadU32<false>(header + 4);
  if (bytes < kPcapngSectionHeaderBytes) {
    Damage(offset, fmt::format("section header says {} bytes; the shortest has {}", bytes, kPcapngSectionHeaderBytes));
    return false;
  }
  interfaces_.clear();
  return true;
}

template <bool kSwapped>
bool PcapngReader::FindBlock(Block& block) {
  const uint64_t offset = position_;
  const uint64_t left = offset_ + file_.size() - offset;
  if (EndsTooEarly(kMinBlockBytes)) [[unlikely]] {
    if (waiting_) return false;
    Damage(offset, fmt::format("the file ends inside the header of a block ({} of {} bytes)", left, kMinBlockBytes));
    return false;
  }
  const uint8_t* const header = file_.data() + (offset - offset_);
  block.offset = offset;
  block.type = LoadU32<kSwapped>(header);
  block.bytes = LoadU32<kSwapped>(header + 4);
  block.body = header + 8;
  if (block.bytes < kMinBlockBytes || block.bytes % 4 != 0) [[unlikely]] {
    Damage(offset, fmt::format("block of type 0x{:x} says {} bytes; it must be a multiple of 4 and at least {}",
                               block.type, block.bytes, kMinBlockBytes));
    return false;
  }
  if (block.bytes > kLargestRecordBytes && !IsSkipped(block.type)) [[unlikely]] {
    Damage(offset, fmt::format("block of type 0x{:x} says {} bytes; the largest possible is {}", block.type,
                               block.bytes, kLargestRecordBytes));
    return false;
  }
  if (EndsTooEarly(block.bytes)) [[unlikely]] {
    if (waiting_ && IsSkipped(block.type)) {
      BeginSkip(block);
    } else if (!waiting_) {
      Damage(offset, EndsInside(block.type, left, block.bytes));
    }
    return false;
  }
  const uint32_t again = LoadU32<kSwapped>(header + block.bytes - 4);
  if (again != block.bytes) [[unlikely]] {
    Damage(offset, TwoLengths(block.type, block.bytes, again));
    return false;
  }
  return true;
}

void PcapngReader::BeginSkip(const Block& block) {
  skipped_ = block;
  position_ = block.offset + block.bytes - 4;
  WaitFor(position_, 4);
}

template <bool kSwapped>
bool PcapngReader::EndSkip() {
  const uint64_t end = offset_ + file_.size();
  const Block block = std::exchange(skipped_, {});
  if (end < position_ + 4) {
    if (WaitFor(position_, 4)) {
      skipped_ = block;
      waiting_ = true;
    } else {
      Damage(block.offset, EndsInside(block.type, end - block.offset, block.bytes));
    }
    return false;
  }
  const uint32_t again = LoadU32<kSwapped>(file_.data() + (position_ - offset_));
  position_ += 4;
  if (again == block.bytes) return true;
  Damage(block.offset, TwoLengths(block.type, block.bytes, again));
  return false;
}

template <bool kSwapped>
bool PcapngReader::ReadInterface(const Block& block) {
  if (block.BodyBytes() < 8) {
    Damage(block.offset, fmt::format("interface description of {} bytes; the shortest has 20", block.bytes));
    return false;
  }
  if (interfaces_.size() == kMaxInterfaces) {
    Damage(block.offset, fmt::format("more than {} interfaces in one section", kMaxInterfaces));
    return false;
  }
  Interface interface;
  interface.link_type = LoadU16<kSwapped>(block.body);
  interface.snap_length = LoadU32<kSwapped>(block.body + 4);
  if (!ReadInterfaceOptions<kSwapped>(block, interface)) return false;
  interfaces_.push_back(interface);
  return true;
}

template <bool kSwapped>
bool PcapngReader::ReadInterfaceOptions(const Block& block, Interface& interface) {
  const uint32_t end = block.BodyBytes();
  uint32_t at = 8;
  for (uint32_t num_options = 0; end - at >= 4; ++num_options) {
    const uint16_t code = LoadU16<kSwapped>(block.body + at);
    const uint16_t bytes = LoadU16<kSwapped>(block.body + at + 2);
    if (code == kOptionEnd) break;
    at += 4;
    const uint32_t padded = (bytes + 3u) & ~3u;
    if (padded > end - at || num_options == kMaxOptions) {
      Damage(block.offset,
             num_options == kMaxOptions
                 ? fmt::format("interface description with more than {} options", kMaxOptions)
                 : fmt::format("interface description with an option of {} bytes where {} are left", bytes, end - at));
      return false;
    }
    if (code == kOptionResolution && bytes == 1) interface.clock.SetResolution(block.body[at]);
    if (code == kOptionOffset && bytes == 8) {
      interface.clock.SetOffset(static_cast<int64_t>(LoadU64<kSwapped>(block.body + at)));
    }
    at += padded;
  }
  return true;
}

bool PcapngReader::FillFrame(const Block& block, uint32_t interface, uint32_t header_bytes, uint32_t captured,
                             uint32_t wire, Frame& frame) {
  if (captured > kLargestPacketBytes) [[unlikely]] {
    Damage(block.offset, PacketTooLarge(num_frames_ + 1, captured));
    return false;
  }
  if (captured > block.BodyBytes() - header_bytes) [[unlikely]] {
    Damage(block.offset, fmt::format("packet {} says {} bytes; its block holds {}", num_frames_ + 1, captured,
                                     block.BodyBytes() - header_bytes));
    return false;
  }
  frame.data = block.body + header_bytes;
  frame.captured_bytes = captured;
  frame.wire_bytes = std::max(wire, captured);
  frame.time_ns = last_time_ns_;
  frame.number = ++num_frames_;
  frame.file = file_index_;
  frame.link_type = interfaces_[interface].link_type;
  frame.interface = static_cast<uint16_t>(interface);
  return true;
}

template <bool kSwapped>
bool PcapngReader::ReadPacket(const Block& block, Frame& frame) {
  // Enhanced packet:  interface (4) | time, upper half (4) | time, lower (4) | captured (4) | on the wire (4) | bytes
  // Obsolete packet:  interface (2) drops (2) | and on as above
  // Simple packet:    on the wire (4) | bytes
  const bool simple = block.type == kSimplePacket;
  const uint32_t header_bytes = simple ? 4 : 20;
  if (block.BodyBytes() < header_bytes) [[unlikely]] {
    Damage(block.offset,
           fmt::format("packet block of {} bytes; the shortest has {}", block.bytes, header_bytes + kBlockOverhead));
    return false;
  }
  uint32_t interface = 0;
  if (block.type == kEnhancedPacket) {
    interface = LoadU32<kSwapped>(block.body);
  } else if (block.type == kObsoletePacket) {
    interface = LoadU16<kSwapped>(block.body);
  }
  if (interface >= interfaces_.size()) [[unlikely]] {
    Damage(block.offset, fmt::format("packet {} is of interface {}; the section describes {}", num_frames_ + 1,
                                     interface, interfaces_.size()));
    return false;
  }
  uint32_t captured = 0;
  uint32_t wire = 0;
  if (simple) {
    // It states neither what was captured nor when: the former follows from the snap length.
    wire = LoadU32<kSwapped>(block.body);
    const uint32_t snap_length = interfaces_[0].snap_length;
    captured = snap_length != 0 ? std::min(wire, snap_length) : wire;
    captured = std::min(captured, block.BodyBytes() - header_bytes);
  } else {
    const uint64_t units = uint64_t{LoadU32<kSwapped>(block.body + 4)} << 32 | LoadU32<kSwapped>(block.body + 8);
    last_time_ns_ = interfaces_[interface].clock.Nanoseconds(units);
    captured = LoadU32<kSwapped>(block.body + 12);
    wire = LoadU32<kSwapped>(block.body + 16);
  }
  return FillFrame(block, interface, header_bytes, captured, wire, frame);
}

// Ends early at a section header whose byte order is the other one.
template <bool kSwapped>
size_t PcapngReader::ReadBlocks(std::span<Frame> out, uint64_t until) {
  const uint64_t end = offset_ + file_.size();
  const uint64_t stop = std::min<uint64_t>(until, end);
  size_t num_read = 0;
  if (skipped_.bytes != 0 && !EndSkip<kSwapped>()) return num_read;
  while (num_read < out.size() && position_ < stop) {
    const uint64_t at = position_ - offset_;
    PrefetchFrom(at);
    if (end - position_ >= 4 && LoadU32<false>(file_.data() + at) == kSectionHeader) [[unlikely]] {
      if (!ReadSectionHeader() || swapped_ != kSwapped) return num_read;
    }
    Block block;
    if (!FindBlock<kSwapped>(block)) return num_read;
    switch (block.type) {
      case kEnhancedPacket:
      case kSimplePacket:
      case kObsoletePacket:
        if (!ReadPacket<kSwapped>(block, out[num_read])) return num_read;
        ++num_read;
        break;
      case kInterfaceDescription:
        if (!ReadInterface<kSwapped>(block)) return num_read;
        break;
      default:
        break;
    }
    position_ += block.bytes;
  }
  return num_read;
}

size_t PcapngReader::Read(std::span<Frame> out, uint64_t until) {
  const uint64_t end = offset_ + file_.size();
  size_t num_read = 0;
  waiting_ = false;
  while (!done_ && !waiting_ && num_read < out.size() && position_ < until) {
    num_read +=
        swapped_ ? ReadBlocks<true>(out.subspan(num_read), until) : ReadBlocks<false>(out.subspan(num_read), until);
    if (skipped_.bytes == 0 && position_ >= end && !damaged()) {
      if (!last_) {
        waiting_ = WaitFor(position_, kMinBlockBytes);
      } else {
        done_ = true;
      }
    }
  }
  return num_read;
}

}  // namespace vedette
