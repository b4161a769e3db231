// A ring that the kernel fills with the packets of one queue, mapped into this process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "parsers/base/file.h"
#include "sensor/capture/frame.h"
#include "sensor/capture/live/packet/frame_maker.h"

namespace vedette {

// Memory that the kernel shares (mmap of a packet socket).
class RingMemory {
 public:
  RingMemory() = default;
  ~RingMemory();
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;
  // False with errno.
  bool Map(int socket, size_t bytes);
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

// What the kernel counted of a queue. All that its filter let pass is in exactly one of the two.
struct RingStatistics {
  uint64_t received = 0;  // put into the ring, or to be put there within the time that it gathers
  uint64_t dropped = 0;   // no room
  uint64_t freezes = 0;   // how often no block was free (TPACKET_V3)
};

// One thread uses a ring.
class PacketRing {
 public:
  virtual ~PacketRing() = default;
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  // Up to out.size() frames, without their numbers; how many. They hold until the next call, which gives their memory
  // back to the kernel. Never waits.
  virtual size_t Next(std::span<Frame> out) = 0;
  // A packet is handed over at the latest so long after its stamp, on an idle machine.
  virtual uint32_t gather_ms() const = 0;

  // What poll(2) finds readable when Next may have something.
  int descriptor() const { return socket_.get(); }
  uint16_t link_type() const { return maker_.link_type(); }
  // Since the start. One thread at a time asks: the kernel's own count begins anew with each question.
  const RingStatistics& Statistics();

 protected:
  PacketRing(FileDescriptor socket, const FrameMaker& maker) : socket_(std::move(socket)), maker_(maker) {}
  const FileDescriptor socket_;
  const FrameMaker maker_;
  RingMemory memory_;

 private:
  RingStatistics statistics_;
};

// How a ring is laid out.
struct RingShape {
  uint32_t block_bytes = 0;  // the kernel takes them from its memory one by one
  uint32_t num_blocks = 0;
  uint32_t slot_bytes = 0;  // for one packet (TPACKET_V2)
};

}  // namespace vedette
