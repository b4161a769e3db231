// TPACKET_V2: the kernel hands each packet over as it comes. For low latency.
#pragma once

#include <linux/if_packet.h>

#include <memory>

#include "sensor/capture/live/packet/packet_ring.h"

namespace vedette {

//   slot ─┬─ header (status, lengths, stamp, VLAN tag), address, room for FrameMaker
//         └─ bytes of one packet
//
// A slot holds a packet of the interface's MTU. A longer one, merged by the network card, waits whole in the socket's
// own buffer and is copied from there; where that buffer is full, what fits into the slot is handed out, as if a snap
// length had cut it.
class TpacketV2Ring final : public PacketRing {
 public:
  // `socket`: bound to no protocol yet. nullptr with errno.
  static std::unique_ptr<TpacketV2Ring> Make(FileDescriptor socket, const FrameMaker& maker, const RingShape& shape);
  // The least that a slot has to have for packets of that MTU: a multiple of 16.
  static uint32_t SlotBytes(uint32_t mtu);

  size_t Next(std::span<Frame> out) override;
  uint32_t gather_ms() const override { return 0; }

 private:
  TpacketV2Ring(FileDescriptor socket, const FrameMaker& maker, const RingShape& shape);
  tpacket2_hdr& Slot(uint32_t slot) const;
  void GiveBack();
  bool TakeWhole(RingPacket& packet);
  void Describe(tpacket2_hdr& header, RingPacket& packet);

  // Longer than any packet (BIG TCP: 512 KiB).
  static constexpr size_t kLongestBytes = 1u << 20;

  const RingShape shape_;
  const uint32_t slots_per_block_;
  const uint32_t num_slots_;
  uint32_t slot_ = 0;                 // next to be read
  uint32_t to_give_ = 0;              // slots before it that were handed out and not given back
  std::unique_ptr<uint8_t[]> whole_;  // the last packet that was longer than its slot, behind FrameMaker's room
};

}  // namespace vedette
