// From one lane to the thread that writes: packets, copied into a ring of bytes.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>

#include "parsers/base/bytes.h"
#include "sensor/keep/kept_packet.h"

namespace vedette {

// One producer, one consumer, no locks; neither ever waits.
class KeptQueue {
 public:
  // Rounded up to a power of two.
  explicit KeptQueue(size_t bytes) {
    size_t size = kLeastBytes;
    while (size < bytes) size *= 2;
    mask_ = size - 1;
    memory_ = std::make_unique_for_overwrite<uint8_t[]>(size);
  }
  KeptQueue(const KeptQueue&) = delete;
  KeptQueue& operator=(const KeptQueue&) = delete;

  // Producer. False: no room, and nothing happened. A packet larger than half of the queue may never find room.
  bool TryPush(const KeptPacket& packet, Bytes bytes) {
    const size_t need = SizeOf(bytes.size());
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    // Records are in one piece: what is too long for the rest of the ring begins at its start.
    const size_t rest = mask_ + 1 - (tail & mask_);
    const size_t skip = rest < need ? rest : 0;
    if (mask_ + 1 - (tail - head_.load(std::memory_order_acquire)) < skip + need) return false;
    if (skip != 0) Put(tail, Header{kSkip, {}});
    Put(tail + skip, Header{bytes.size(), packet});
    if (!bytes.empty()) std::memcpy(At(tail + skip) + sizeof(Header), bytes.data(), bytes.size());
    tail_.store(tail + skip + need, std::memory_order_release);
    return true;
  }
  // Producer: whether a packet of so many bytes would be taken.
  bool HasRoom(size_t num_bytes) const {
    const size_t need = SizeOf(num_bytes);
    const uint64_t tail = tail_.load(std::memory_order_relaxed);
    const size_t rest = mask_ + 1 - (tail & mask_);
    return mask_ + 1 - (tail - head_.load(std::memory_order_acquire)) >= (rest < need ? rest : 0) + need;
  }
  size_t capacity() const { return mask_ + 1; }

  // Consumer. False: empty. What is found is valid until Pop.
  bool Front(KeptPacket& packet, Bytes& bytes) {
    uint64_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_.load(std::memory_order_acquire)) return false;
    Header header = Get(head);
    if (header.num_bytes == kSkip) {
      head += mask_ + 1 - (head & mask_);
      head_.store(head, std::memory_order_release);
      header = Get(head);  // it was published together with what it makes room for
    }
    packet = header.packet;
    bytes = {At(head) + sizeof(Header), header.num_bytes};
    return true;
  }
  // Consumer, after a Front that was true.
  void Pop() {
    const uint64_t head = head_.load(std::memory_order_relaxed);
    head_.store(head + SizeOf(Get(head).num_bytes), std::memory_order_release);
  }

 private:
  struct Header {
    uint64_t num_bytes = 0;  // or kSkip: the rest of the ring is empty
    KeptPacket packet;
  };
  static constexpr uint64_t kSkip = UINT64_MAX;
  static constexpr size_t kLeastBytes = 4096;
  static constexpr size_t kUnit = 64;
  static_assert(sizeof(Header) <= kUnit, "a header fits wherever a record may begin");
  static constexpr size_t SizeOf(uint64_t num_bytes) {
    return (sizeof(Header) + num_bytes + kUnit - 1) / kUnit * kUnit;
  }

  uint8_t* At(uint64_t position) const { return memory_.get() + (position & mask_); }
  void Put(uint64_t position, const Header& header) { std::memcpy(At(position), &header, sizeof header); }
  Header Get(uint64_t position) const {
    Header header;
    std::memcpy(&header, At(position), sizeof header);
    return header;
  }

  size_t mask_ = 0;
  std::unique_ptr<uint8_t[]> memory_;
  alignas(64) std::atomic<uint64_t> head_{0};
  alignas(64) std::atomic<uint64_t> tail_{0};
};

}  // namespace vedette
