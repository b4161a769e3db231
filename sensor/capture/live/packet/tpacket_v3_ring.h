// TPACKET_V3: the kernel gathers packets in blocks and hands whole blocks over. For throughput.
#pragma once

#include <linux/if_packet.h>

#include <memory>

#include "sensor/capture/live/packet/packet_ring.h"

namespace vedette {

//   block ─┬─ header: status, number of packets, where the first one is
//          ├─ packet: header (next, lengths, stamp, VLAN tag), address, room for FrameMaker, bytes
//          ├─ packet …
//          └─ free
//
// A block is handed over when the next packet does not fit, or gather_ms after its beginning. Frames point into the
// block: nothing is copied. It goes back to the kernel with the call of Next after that which handed out its last
// packet. Up to num_blocks - 1 of them wait while workers are busy.
class TpacketV3Ring final : public PacketRing {
 public:
  // `socket`: bound to no protocol yet. nullptr with errno.
  static std::unique_ptr<TpacketV3Ring> Make(FileDescriptor socket, const FrameMaker& maker, const RingShape& shape,
                                             uint32_t gather_ms);
  size_t Next(std::span<Frame> out) override;
  uint32_t gather_ms() const override { return gather_ms_; }

 private:
  TpacketV3Ring(FileDescriptor socket, const FrameMaker& maker, const RingShape& shape, uint32_t gather_ms)
      : PacketRing(std::move(socket), maker), shape_(shape), gather_ms_(gather_ms) {}
  tpacket_block_desc& Block() const;
  void OpenBlock();
  void GiveBack();
  void PrefetchFrom(const uint8_t* at);

  const RingShape shape_;
  const uint32_t gather_ms_;
  uint32_t block_ = 0;                // the one that is read, or waited for
  bool open_ = false;                 // it is this process's
  uint32_t left_ = 0;                 // packets in it that were not handed out yet
  uint8_t* next_ = nullptr;           // header of the first of them
  const uint8_t* end_ = nullptr;      // of what the block holds
  const uint8_t* fetched_ = nullptr;  // up to there the cache was told
};

}  // namespace vedette
