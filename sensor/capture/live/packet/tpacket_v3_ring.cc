#include "sensor/capture/live/packet/tpacket_v3_ring.h"

#include <sys/socket.h>

#include <algorithm>

namespace vedette {
namespace {

// The kernel takes any; packets of a block lie behind each other whatever their sizes.
constexpr uint32_t kSlotBytes = 2048;

// As in a capture file (packet_reader.h): every cache line, a page ahead. One line per packet leaves the processor to
// wait for the others.
constexpr size_t kPrefetchAheadBytes = 4096;
constexpr size_t kCacheLineBytes = 64;

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

}  // namespace

std::unique_ptr<TpacketV3Ring> TpacketV3Ring::Make(FileDescriptor socket, const FrameMaker& maker,
                                                   const RingShape& shape, uint32_t gather_ms) {
  const int version = TPACKET_V3;
  const uint32_t reserve = FrameMaker::kReserve;
  tpacket_req3 request{};
  request.tp_block_size = shape.block_bytes;
  request.tp_block_nr = shape.num_blocks;
  request.tp_frame_size = kSlotBytes;
  request.tp_frame_nr = shape.block_bytes / kSlotBytes * shape.num_blocks;
  request.tp_retire_blk_tov = gather_ms;
  const int descriptor = socket.get();
  if (setsockopt(descriptor, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
      setsockopt(descriptor, SOL_PACKET, PACKET_RESERVE, &reserve, sizeof reserve) != 0 ||
      setsockopt(descriptor, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) != 0)
    return nullptr;
  std::unique_ptr<TpacketV3Ring> ring(new TpacketV3Ring(std::move(socket), maker, shape, gather_ms));
  if (!ring->memory_.Map(descriptor, size_t{shape.block_bytes} * shape.num_blocks)) return nullptr;
  return ring;
}

tpacket_block_desc& TpacketV3Ring::Block() const {
  return *reinterpret_cast<tpacket_block_desc*>(memory_.data() + size_t{block_} * shape_.block_bytes);
}

void TpacketV3Ring::PrefetchFrom(const uint8_t* at) {
  const uint8_t* const until = std::min(at + kPrefetchAheadBytes, end_);
  fetched_ = std::max(fetched_, at);
  for (; fetched_ < until; fetched_ += kCacheLineBytes) __builtin_prefetch(fetched_);
}

void TpacketV3Ring::OpenBlock() {
  tpacket_block_desc& block = Block();
  // The kernel writes the status last; what it wrote before holds once the status is seen.
  if ((__atomic_load_n(&block.hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) return;
  auto* const begin = reinterpret_cast<uint8_t*>(&block);
  open_ = true;
  left_ = block.hdr.bh1.num_pkts;
  next_ = begin + block.hdr.bh1.offset_to_first_pkt;
  end_ = begin + std::min(block.hdr.bh1.blk_len, shape_.block_bytes);
  fetched_ = next_;
}

void TpacketV3Ring::GiveBack() {
  __atomic_store_n(&Block().hdr.bh1.block_status, uint32_t{TP_STATUS_KERNEL}, __ATOMIC_RELEASE);
  open_ = false;
  block_ = block_ + 1 == shape_.num_blocks ? 0 : block_ + 1;
}

size_t TpacketV3Ring::Next(std::span<Frame> out) {
  if (open_ && left_ == 0) GiveBack();
  if (!open_) OpenBlock();
  if (!open_) return 0;
  const size_t count = std::min<size_t>(out.size(), left_);
  for (size_t i = 0; i < count; ++i) {
    PrefetchFrom(next_);
    const auto& header = *reinterpret_cast<const tpacket3_hdr*>(next_);
    RingPacket packet;
    packet.link = next_ + header.tp_mac;
    packet.network_offset = uint32_t{header.tp_net} - header.tp_mac;
    packet.captured_bytes = header.tp_snaplen;
    packet.wire_bytes = header.tp_len;
    packet.time_ns = header.tp_sec * kNanosecondsPerSecond + header.tp_nsec;
    if ((header.tp_status & TP_STATUS_VLAN_VALID) != 0) {
      packet.tag_protocol = header.hv1.tp_vlan_tpid;
      packet.tag = static_cast<uint16_t>(header.hv1.tp_vlan_tci);
    }
    packet.from = reinterpret_cast<const sockaddr_ll*>(next_ + TPACKET_ALIGN(sizeof(tpacket3_hdr)));
    maker_.Make(packet, out[i]);
    next_ += header.tp_next_offset;
  }
  left_ -= static_cast<uint32_t>(count);
  return count;
}

}  // namespace vedette
