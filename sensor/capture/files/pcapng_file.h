// The block format of Wireshark: draft-ietf-opsawg-pcapng, drawn in README.md.
#pragma once

#include <vector>

#include "sensor/capture/files/packet_reader.h"

namespace vedette {

constexpr size_t kPcapngSectionHeaderBytes = 28;  // without options

// Timestamps of an interface, in units of its if_tsresol since its if_tsoffset, to nanoseconds since 1970.
class PcapngClock {
 public:
  PcapngClock() = default;  // microseconds since 1970
  // `resolution` is the option's byte: 10 to the power of minus its value or, with the top bit set, 2 to the power of
  // minus the rest.
  void SetResolution(uint8_t resolution);
  void SetOffset(int64_t seconds) { offset_seconds_ = seconds; }
  // Times before 1970 become 0; times after 2554, the largest value.
  uint64_t Nanoseconds(uint64_t units) const;

 private:
  enum class Kind : uint8_t { kMultiply, kDivide, kBinary };
  Kind kind_ = Kind::kMultiply;
  uint8_t shift_ = 0;
  uint64_t factor_ = 1000;
  int64_t offset_seconds_ = 0;
};

// Several sections, each in its own byte order and with its own interfaces; enhanced, simple and obsolete packet
// blocks. Every other block is skipped.
class PcapngReader final : public PacketReader {
 public:
  // `file` is the whole file and outlives the reader or, if it is not the `last` of it, its beginning, of at least
  // kPcapngSectionHeaderBytes. `file_index` goes into Frame::file.
  PcapngReader(Bytes file, uint32_t file_index, bool last = true);

  static bool Recognises(Bytes head);

  size_t Read(std::span<Frame> out, uint64_t until) override;

  // Frame::interface has 16 bits, and no capture program comes close: they write one description per device.
  static constexpr size_t kMaxInterfaces = 65536;
  // Options of one interface description. The format defines fewer than 20; the others are skipped unread, and no
  // writer repeats comments by the hundred.
  static constexpr uint32_t kMaxOptions = 1024;

 private:
  struct Interface {
    PcapngClock clock;
    uint32_t snap_length = 0;  // 0: no limit
    uint16_t link_type = 0;
  };
  struct Block {
    uint64_t offset = 0;  // in the file
    uint32_t type = 0;
    uint32_t bytes = 0;             // in all, with both lengths and padding
    const uint8_t* body = nullptr;  // of BodyBytes()
    uint32_t BodyBytes() const { return bytes - kBlockOverhead; }
  };
  static constexpr uint32_t kBlockOverhead = 12;  // type, length, length again

  // Each is false after damage, and if the window ends too early, which sets `waiting_`.
  bool ReadSectionHeader();
  template <bool kSwapped>
  size_t ReadBlocks(std::span<Frame> out, uint64_t until);
  template <bool kSwapped>
  bool FindBlock(Block& block);
  bool EndsTooEarly(uint64_t num_bytes);
  // A block of no interest that began in this window and ends after it.
  void BeginSkip(const Block& block);
  template <bool kSwapped>
  bool EndSkip();
  template <bool kSwapped>
  bool ReadInterface(const Block& block);
  template <bool kSwapped>
  bool ReadInterfaceOptions(const Block& block, Interface& interface);
  template <bool kSwapped>
  bool ReadPacket(const Block& block, Frame& frame);
  bool FillFrame(const Block& block, uint32_t interface, uint32_t header_bytes, uint32_t captured, uint32_t wire,
                 Frame& frame);

  std::vector<Interface> interfaces_;  // of the section that position_ is in
  uint64_t last_time_ns_ = 0;
  bool swapped_ = false;  // in this section
  bool waiting_ = false;
  Block skipped_;  // of 0 bytes: none. Otherwise position_ is that of its second length
};

}  // namespace vedette
