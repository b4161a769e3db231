// The sources of one lane, as one: queue k of every interface.
#pragma once

#include <poll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/capture/frame.h"
#include "sensor/capture/live/live_source.h"
#include "sensor/capture/live/source_slot.h"

namespace vedette {

// One source passes through. Of several the packets come in the order of their stamps, so that a question that comes
// over one interface is seen before its answer over another, although the kernel hands each interface's packets over
// in blocks of up to 20 ms:
//
//   - of each source one burst at most is at hand; the rest waits in the kernel's ring;
//   - the earliest packet at hand is next, once no source can have an earlier one: each has one at hand, or was found
//     empty later than that packet's stamp and the delay of that source;
//   - a burst that was held for kLongestHoldNs is passed on whatever its stamps, so that neither a clock that was set
//     nor a source that is far behind keeps another from being read.
//
// A source that fails, or is not there yet, keeps no other from being read. A new one in its slot takes its place once
// it is found empty.
//
// Waits only where nothing can be passed on.
class LiveSources final : public CaptureSource {
 public:
  // The longest wait: a lane looks for a stop and for new indicators in between.
  static constexpr int kWaitMs = 20;
  static constexpr uint64_t kLongestHoldNs = 100'000'000;

  struct Part {
    std::string name;                    // of the interface
    uint32_t file = 0;                   // its place in the sensor's list
    std::shared_ptr<SourceSlot> slot;    // not null
    std::unique_ptr<LiveSource> source;  // null: the interface is not there yet
  };
  // At least one.
  explicit LiveSources(std::vector<Part> parts);
  // Of sources that are never replaced.
  explicit LiveSources(std::vector<std::unique_ptr<LiveSource>> sources);

  // kEnd after Drain only.
  PollStatus Poll(std::span<const Frame>& frames) override;
  bool Drain() override;
  // Empty where no source has that number.
  std::string_view FileName(uint32_t file) const override;
  // Added up.
  CaptureCounters counters() const override;
  std::span<const CaptureDamage> damage() const override { return damage_; }

 private:
  struct Input {
    std::string name;
    uint32_t file = 0;
    std::shared_ptr<SourceSlot> slot;
    std::unique_ptr<LiveSource> source;  // may be null
    std::span<const Frame> held;         // of the last burst, what was not passed on yet; the source's
    uint64_t held_since_ns = 0;          // steady clock
    uint64_t empty_at_ns = 0;            // clock of the stamps: when it was last found empty
    bool was_empty = true;               // when it was last polled
    bool ended = false;                  // failed, or drained
    bool is_there() const { return source != nullptr && !ended; }
  };
  static std::vector<Part> PartsOf(std::vector<std::unique_ptr<LiveSource>> sources);
  PollStatus PassOne(std::span<const Frame>& frames);
  PollStatus Merge(std::span<const Frame>& frames);
  bool PassOverdue(std::span<const Frame>& frames);
  void TakeInOrder(uint64_t until_ns);
  void Refill(Input& input);
  static bool TakeOffer(Input& input);
  void RefillWhere(bool was_empty);
  bool AllEnded() const;
  uint64_t CompleteUntilNs() const;
  Input* Earliest();
  void Wait();

  std::vector<Input> inputs_;
  bool draining_ = false;
  size_t num_passed_ = 0;
  std::array<Frame, kBurst> passed_;
  std::vector<pollfd> waiting_;
  std::vector<CaptureDamage> damage_;
};

}  // namespace vedette
