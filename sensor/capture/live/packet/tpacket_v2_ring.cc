#include "sensor/capture/live/packet/tpacket_v2_ring.h"

#include <net/ethernet.h>
#include <sys/socket.h>

#include <algorithm>

namespace vedette {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// Link headers with a tag that the kernel did not take off; radio links have longer ones.
constexpr uint32_t kLinkHeaderBytes = 64;

// Merged packets that wait while a worker is busy. The kernel takes as much of it as net.core.rmem_max allows.
constexpr int kWholeBytes = 16 << 20;

}  // namespace

uint32_t TpacketV2Ring::SlotBytes(uint32_t mtu) {
  return TPACKET_ALIGN(static_cast<uint32_t>(TPACKET2_HDRLEN) + FrameMaker::kReserve + kLinkHeaderBytes + mtu);
}

TpacketV2Ring::TpacketV2Ring(FileDescriptor socket, const FrameMaker& maker, const RingShape& shape)
    : PacketRing(std::move(socket), maker),
      shape_(shape),
      slots_per_block_(shape.block_bytes / shape.slot_bytes),
      num_slots_(slots_per_block_ * shape.num_blocks) {}

std::unique_ptr<TpacketV2Ring> TpacketV2Ring::Make(FileDescriptor socket, const FrameMaker& maker,
                                                   const RingShape& shape) {
  const int version = TPACKET_V2, copy_longer = 1;
  const uint32_t reserve = FrameMaker::kReserve;
  tpacket_req request{};
  request.tp_block_size = shape.block_bytes;
  request.tp_block_nr = shape.num_blocks;
  request.tp_frame_size = shape.slot_bytes;
  request.tp_frame_nr = shape.block_bytes / shape.slot_bytes * shape.num_blocks;
  const int descriptor = socket.get();
  if (setsockopt(descriptor, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
      setsockopt(descriptor, SOL_PACKET, PACKET_RESERVE, &reserve, sizeof reserve) != 0 ||
      setsockopt(descriptor, SOL_PACKET, PACKET_COPY_THRESH, &copy_longer, sizeof copy_longer) != 0 ||
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &kWholeBytes, sizeof kWholeBytes) != 0 ||
      setsockopt(descriptor, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
    return nullptr;
  std::unique_ptr<TpacketV2Ring> ring(new TpacketV2Ring(std::move(socket), maker, shape));
  if (!ring->memory_.Map(descriptor, size_t{shape.block_bytes} * shape.num_blocks)) return nullptr;
  return ring;
}

tpacket2_hdr& TpacketV2Ring::Slot(uint32_t slot) const {
  const size_t at =
      size_t{slot / slots_per_block_} * shape_.block_bytes + size_t{slot % slots_per_block_} * shape_.slot_bytes;
  return *reinterpret_cast<tpacket2_hdr*>(memory_.data() + at);
}

void TpacketV2Ring::GiveBack() {
  for (; to_give_ != 0; --to_give_) {
    const uint32_t slot = slot_ >= to_give_ ? slot_ - to_give_ : slot_ + num_slots_ - to_give_;
    __atomic_store_n(&Slot(slot).tp_status, uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
  }
}

// The whole packet from the socket's buffer. One at a time: there is one copy.
bool TpacketV2Ring::TakeWhole(RingPacket& packet) {
  if (whole_ == nullptr) whole_.reset(new uint8_t[FrameMaker::kReserve + kLongestBytes]);
  uint8_t* const to = whole_.get() + FrameMaker::kReserve;
  const ssize_t size = recv(socket_.get(), to, kLongestBytes, MSG_DONTWAIT);
  if (size <= 0) return false;
  packet.link = to;
  packet.captured_bytes = static_cast<uint32_t>(size);
  return true;
}

void TpacketV2Ring::Describe(tpacket2_hdr& header, RingPacket& packet) {
  auto* const begin = reinterpret_cast<uint8_t*>(&header);
  packet.link = begin + header.tp_mac;
  packet.network_offset = uint32_t{header.tp_net} - header.tp_mac;
  packet.captured_bytes = header.tp_snaplen;
  packet.wire_bytes = header.tp_len;
  packet.time_ns = header.tp_sec * kNanosecondsPerSecond + header.tp_nsec;
  if ((header.tp_status & TP_STATUS_VLAN_VALID) != 0) {
    packet.tag_protocol = header.tp_vlan_tpid;
    packet.tag = header.tp_vlan_tci;
  }
  packet.from = reinterpret_cast<const sockaddr_ll*>(begin + TPACKET_ALIGN(sizeof(tpacket2_hdr)));
}

size_t TpacketV2Ring::Next(std::span<Frame> out) {
  GiveBack();
  size_t count = 0;
  while (count < out.size() && count < num_slots_) {
    tpacket2_hdr& header = Slot(slot_);
    const uint32_t status = __atomic_load_n(&header.tp_status, __ATOMIC_ACQUIRE);
    if ((status & TP_STATUS_USER) == 0) break;
    const bool is_longer = (status & TP_STATUS_COPY) != 0;
    if (is_longer && count != 0) break;
    slot_ = slot_ + 1 == num_slots_ ? 0 : slot_ + 1;
    __builtin_prefetch(&Slot(slot_));
    RingPacket packet;
    Describe(header, packet);
    if (is_longer) TakeWhole(packet);
    maker_.Make(packet, out[count]);
    ++count;
    ++to_give_;
    if (is_longer) break;
  }
  return count;
}

}  // namespace vedette
