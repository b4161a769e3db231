// One queue of an interface, through a ring that is shared with the kernel (AF_PACKET).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/capture/frame.h"
#include "sensor/capture/live/interface_drops.h"
#include "sensor/capture/live/live_source.h"
#include "sensor/capture/live/packet/packet_queues.h"
#include "sensor/capture/live/packet/packet_ring.h"
#include "sensor/capture/packet_filter.h"

namespace vedette {

// One thread uses it. Frames point into the ring: nothing is copied.
class PacketQueue final : public LiveSource {
 public:
  // All queues of an interface; empty, with `failure`, where it cannot be opened. Needs CAP_NET_RAW; afterwards no right
  // is needed.
  static std::vector<std::unique_ptr<PacketQueue>> Open(const PacketQueueOptions& options, size_t num_queues,
                                                        OpenFailure& failure);

  // `filter`: applied to each frame, where the kernel cannot; may be null. `drops`: the interface's, of one of its
  // queues; null for the others.
  PacketQueue(const PacketQueueOptions& options, std::unique_ptr<PacketRing> ring, std::unique_ptr<PacketFilter> filter,
              std::unique_ptr<InterfaceDrops> drops);

  // An interface that is gone or down is idle.
  PollStatus PollNow(std::span<const Frame>& frames) override;
  // Waits for kWaitMs at most. While draining: what the kernel had counted when Drain was called.
  PollStatus Poll(std::span<const Frame>& frames) override;
  int descriptor() const override { return ring_->descriptor(); }
  uint64_t delay_ns() const override;
  uint32_t file() const override { return options_.file; }
  bool Drain() override;
  std::string_view FileName(uint32_t) const override { return options_.interface; }
  CaptureCounters counters() const override;
  std::span<const CaptureDamage> damage() const override { return {}; }
  void GoOnFrom(const CaptureCounters& before) override;

  uint16_t link_type() const { return ring_->link_type(); }

  static constexpr int kWaitMs = 20;
  // On a busy machine: what the kernel's timer is late, and what a packet takes from its stamp into the ring.
  static constexpr uint32_t kTimerSlackMs = 5, kPacketSlackMs = 1;

 private:
  bool Take(size_t limit, std::span<const Frame>& frames);
  size_t KeepMatching(size_t count);
  PollStatus PollWaiting(std::span<const Frame>& frames);

  const PacketQueueOptions options_;
  std::unique_ptr<PacketRing> ring_;
  const std::unique_ptr<PacketFilter> filter_;
  const std::unique_ptr<InterfaceDrops> drops_;
  uint64_t taken_ = 0;  // out of the ring; `filter_` takes from them
  bool draining_ = false;
  uint64_t drain_until_ = 0;  // so many were taken once all is handed out
  CaptureCounters before_;    // of the source whose place this one took
  std::array<Frame, kBurst> frames_;
  CaptureCounters counters_;
};

}  // namespace vedette
