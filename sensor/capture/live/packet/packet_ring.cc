#include "sensor/capture/live/packet/packet_ring.h"

#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace vedette {

RingMemory::~RingMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

bool RingMemory::Map(int socket, size_t bytes) {
  void* const at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket, 0);
  if (at == MAP_FAILED) return false;
  data_ = static_cast<uint8_t*>(at);
  bytes_ = bytes;
  return true;
}

const RingStatistics& PacketRing::Statistics() {
  // The short form of TPACKET_V2 is a prefix of it; `tp_packets` holds those that were dropped, too.
  tpacket_stats_v3 counted{};
  socklen_t size = sizeof counted;
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &counted, &size) == 0) {
    statistics_.received += counted.tp_packets - counted.tp_drops;
    statistics_.dropped += counted.tp_drops;
    statistics_.freezes += counted.tp_freeze_q_cnt;
  }
  return statistics_;
}

}  // namespace vedette
