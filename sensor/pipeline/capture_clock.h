// What time it is, by the stamps of a capture's frames: tells time that passed from stamps that are wrong.
//
// A stamp near the one before is the time. One that is farther away, forwards or backwards, is only the time where the
// frames that follow agree: the next two (fewer where the file ends) are nearer to it than to the time before. Else it
// was that frame's alone, and the time before goes on. A file may begin at any time.
//
// Captures of two interfaces whose clocks differ, merged into one, go to and fro between two times. That is no passing
// of time: once the stamps have come back to where they had left, or one and the same difference was seen
// kSeenBeside times, the two clocks are known to run beside each other until the file ends, and times are compared
// without their difference.
//
// The answer depends on the frames alone, not on how they are cut into bursts. Not thread safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>

#include "sensor/capture/frame.h"

namespace vedette {

class CaptureClock {
 public:
  // Frames that may have to be known behind one before its time can be told.
  static constexpr size_t kLookAhead = 2;

  // `near_ns`: how far a stamp may be from the one before without doubt; at most the shortest idle time-out.
  // kBelieveAll where stamps are made by the kernel as the packets come.
  static constexpr uint64_t kBelieveAll = UINT64_MAX;
  explicit CaptureClock(uint64_t near_ns) : near_ns_(near_ns) {}

  // The time at which the first of these frames was captured: its stamp, or the time before where that is not
  // believed. Each frame once, in order. `last`: no frames follow these for now. Nothing: frames that follow have to be
  // known; ask again with them.
  std::optional<uint64_t> Judge(std::span<const Frame> frames, bool last) {
    return CountNear(frames.first(1)) == 1 ? now_ns_ : JudgeFar(frames, last);
  }
  // Judges the first frames, as many as have their stamps for their times without doubt.
  size_t CountNear(std::span<const Frame> frames) {
    if (!begun_) return 0;
    size_t count = 0;
    uint64_t now = now_ns_;
    for (; count < frames.size(); ++count) {
      const Frame& frame = frames[count];
      if (frame.file != file_ || Distance(frame.time_ns, now) > near_ns_) break;
      now = frame.time_ns;
    }
    now_ns_ = now;
    return count;
  }

  // Of the last frame.
  uint64_t now_ns() const { return now_ns_; }
  // By how much two clocks differ that run beside each other where the last frame stands; 0: there is one.
  uint64_t difference_ns() const { return beside_ ? difference_ns_ : 0; }
  // How much time lies between two times that were judged, in either order, where clocks differ by that.
  static uint64_t Between(uint64_t a, uint64_t b, uint64_t difference_ns) {
    const uint64_t distance = Distance(a, b);
    return std::min(distance, Distance(distance, difference_ns));
  }
  // Frames whose stamp was not believed.
  uint64_t disbelieved() const { return disbelieved_; }

 private:
  static constexpr int kSeenBeside = 3;

  static uint64_t Distance(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }
  std::optional<uint64_t> JudgeFar(std::span<const Frame> frames, bool last);
  uint64_t Begin(const Frame& frame, uint64_t time_ns);

  uint64_t near_ns_;
  bool begun_ = false;
  uint32_t file_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t disbelieved_ = 0;
  // A second clock, or what may be one: how far it is from the one that gave now_ns_, and on which side.
  uint64_t difference_ns_ = 0;
  bool other_ahead_ = false;
  int seen_ = 0;         // how often in a row a stamp that is not believed showed this difference
  bool left_ = false;    // the capture went from that clock to this one
  bool beside_ = false;  // both go on
};

}  // namespace vedette
