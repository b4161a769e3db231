#include "sensor/capture/files/pcap_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sensor/capture/files/pcapng_file.h"

namespace vedette {
namespace {

constexpr uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr uint32_t kMagicKuznetzov = 0xa1b2cd34;

constexpr uint32_t kRecordHeaderBytes = 16;
constexpr uint32_t kKuznetzovRecordHeaderBytes = 24;

// Writers exist whose packets are larger than the snap length that they state, so a stated length below the usual
// maximum of capture programs says nothing about damage.
constexpr uint32_t kUsualSnapLength = 262144;

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

bool IsMagic(uint32_t magic) {
  return magic == kMagicMicroseconds || magic == kMagicNanoseconds || magic == kMagicKuznetzov;
}

// Whether the header of a file is where that of a packet should be: of pcap magic, version, zone and accuracy, which
// are 0; of pcapng type, length and byte order. `header` has kRecordHeaderBytes.
[[gnu::noinline]] bool BeginsACapture(const uint8_t* header) {
  constexpr uint32_t kVersion24 = 0x0004'0002, kVersion24Big = 0x0002'0004, kPcapngOrder = 0x1a2b'3c4d;
  const auto is = [&](size_t at, uint32_t value) {
    return LoadU32<false>(header + at) == value || LoadU32<true>(header + at) == value;
  };
  if (PcapngReader::Recognises({header, kRecordHeaderBytes})) return is(8, kPcapngOrder);
  const bool pcap = IsMagic(LoadU32<false>(header)) || IsMagic(LoadU32<true>(header));
  return pcap && (is(4, kVersion24) || is(4, kVersion24Big)) && is(8, 0) && is(12, 0);
}

}  // namespace

bool PcapReader::Recognises(Bytes head) {
  if (head.size() < 4) return false;
  return IsMagic(LoadU32<false>(head.data())) || IsMagic(LoadU32<true>(head.data()));
}

PcapReader::PcapReader(Bytes file, uint32_t file_index, bool last) : PacketReader(file, file_index, last) {
  if (file.size() < kPcapFileHeaderBytes) {
    WaitFor(0, kPcapFileHeaderBytes);
    Damage(0, fmt::format("the file ends inside its header ({} of {} bytes)", file.size(), kPcapFileHeaderBytes));
  } else if (!Recognises(file)) {
    Damage(0, "not a pcap file");
  } else if (IsMagic(LoadU32<false>(file.data()))) {
    ReadFileHeader<false>();
  } else {
    swapped_ = true;
    ReadFileHeader<true>();
  }
}

template <bool kSwapped>
void PcapReader::ReadFileHeader() {
  const uint8_t* const header = file_.data();
  const uint32_t magic = LoadU32<kSwapped>(header);
  const uint16_t major = LoadU16<kSwapped>(header + 4);
  const uint16_t minor = LoadU16<kSwapped>(header + 6);
  const uint32_t snap_length = LoadU32<kSwapped>(header + 16);
  // Above the 16 bits of the link type: the length of the frame check sequence and reserved bits.
  link_type_ = static_cast<uint16_t>(LoadU32<kSwapped>(header + 20));

  // 543 was written by a tcpdump of the 1990s, with the lengths the other way round.
  if (major != 2 && major != 543) {
    Damage(4, fmt::format("pcap version {}.{} is not known; only version 2 is", major, minor));
    return;
  }
  if (major == 543 || minor < 3) {
    length_order_ = LengthOrder::kWireFirst;
  } else if (minor == 3) {
    length_order_ = LengthOrder::kSmallerIsCaptured;
  }
  if (magic == kMagicNanoseconds) fraction_ns_ = 1;
  header_bytes_ = magic == kMagicKuznetzov ? kKuznetzovRecordHeaderBytes : kRecordHeaderBytes;
  largest_packet_bytes_ = std::clamp(snap_length, kUsualSnapLength, kLargestPacketBytes);
  position_ = kPcapFileHeaderBytes;
}

template <bool kSwapped>
size_t PcapReader::ReadRecords(std::span<Frame> out, uint64_t until) {
  const uint8_t* const base = file_.data();
  const uint64_t size = file_.size();
  const uint64_t stop = std::min(until - offset_, size);
  const uint32_t header_bytes = header_bytes_, largest = largest_packet_bytes_, fraction_ns = fraction_ns_;
  const uint64_t first_number = num_frames_ + 1;
  const bool as_written = length_order_ == LengthOrder::kCapturedFirst;
  uint64_t at = position_ - offset_;  // in the window
  size_t num_read = 0;
  while (num_read < out.size() && at < stop) {
    if (size - at < header_bytes) [[unlikely]] {
      if (WaitFor(offset_ + at, header_bytes)) break;
      Damage(offset_ + at, fmt::format("the file ends inside the header of packet {} ({} of {} bytes)",
                                       first_number + num_read, size - at, header_bytes));
      break;
    }
    const uint8_t* const header = base + at;
    PrefetchFrom(at);
    uint32_t captured = LoadU32<kSwapped>(header + 8);
    uint32_t wire = LoadU32<kSwapped>(header + 12);
    if (!as_written) [[unlikely]] {
      if (length_order_ == LengthOrder::kWireFirst || captured > wire) std::swap(captured, wire);
    }
    if (captured - 1 >= largest && BeginsACapture(header)) [[unlikely]] {
      Damage(offset_ + at, kAnotherCapture);
      break;
    }
    if (captured > largest) [[unlikely]] {
      Damage(offset_ + at, fmt::format("the header of packet {} says {} bytes; the largest possible is {}",
                                       first_number + num_read, captured, largest));
      break;
    }
    if (size - at - header_bytes < captured) [[unlikely]] {
      if (WaitFor(offset_ + at, uint64_t{header_bytes} + captured)) break;
      Damage(offset_ + at, fmt::format("the file ends inside packet {} ({} of {} bytes)", first_number + num_read,
                                       size - at - header_bytes, captured));
      break;
    }
    Frame& frame = out[num_read];
    frame.data = header + header_bytes;
    frame.captured_bytes = captured;
    frame.wire_bytes = std::max(wire, captured);
    // A fraction of a second or more carries over: wrong on disk, but no reason to lose the packet.
    frame.time_ns = LoadU32<kSwapped>(header) * kNanosecondsPerSecond +
                    static_cast<uint64_t>(LoadU32<kSwapped>(header + 4)) * fraction_ns;
    frame.number = first_number + num_read;
    frame.file = file_index_;
    frame.link_type = link_type_;
    frame.interface = 0;
    ++num_read;
    at += header_bytes + captured;
  }
  num_frames_ += num_read;
  position_ = offset_ + at;
  if (at < size) return num_read;
  if (last_) {
    done_ = true;
  } else if (num_read == 0) {
    WaitFor(position_, header_bytes_);
  }
  return num_read;
}

size_t PcapReader::Read(std::span<Frame> out, uint64_t until) {
  if (done_ || position_ >= until) return 0;
  return swapped_ ? ReadRecords<true>(out, until) : ReadRecords<false>(out, until);
}

}  // namespace vedette
