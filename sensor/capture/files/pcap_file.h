// The classic capture format: draft-ietf-opsawg-pcap, drawn in README.md.
#pragma once

#include <memory>

#include "sensor/capture/files/packet_reader.h"

namespace vedette {

constexpr size_t kPcapFileHeaderBytes = 24;

// Both byte orders, micro- and nanoseconds, and Kuznetzov's variant of the 1990s with its longer packet headers.
class PcapReader final : public PacketReader {
 public:
  // `file` is the whole file and outlives the reader or, if it is not the `last` of it, its beginning, of at least
  // kPcapFileHeaderBytes. `file_index` goes into Frame::file.
  PcapReader(Bytes file, uint32_t file_index, bool last = true);

  // True where the first 4 bytes are a magic number of this format.
  static bool Recognises(Bytes head);

  size_t Read(std::span<Frame> out, uint64_t until) override;

 private:
  template <bool kSwapped>
  void ReadFileHeader();
  template <bool kSwapped>
  size_t ReadRecords(std::span<Frame> out, uint64_t until);

  bool swapped_ = false;
  // Swapped lengths: always before version 2.3; in 2.3, if the first is the larger one.
  enum class LengthOrder : uint8_t { kCapturedFirst, kWireFirst, kSmallerIsCaptured };
  LengthOrder length_order_ = LengthOrder::kCapturedFirst;
  uint16_t link_type_ = 0;
  uint32_t header_bytes_ = 16;
  uint32_t largest_packet_bytes_ = 0;
  uint32_t fraction_ns_ = 1000;
};

}  // namespace vedette
