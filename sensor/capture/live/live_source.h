// One queue of one interface, as a lane polls it beside others.
#pragma once

#include <cstdint>
#include <span>

#include "sensor/capture/frame.h"

namespace vedette {

class LiveSource : public CaptureSource {
 public:
  // As Poll, without its wait: kIdle where nothing is there at this moment.
  virtual PollStatus PollNow(std::span<const Frame>& frames) = 0;
  // What poll(2) finds readable once PollNow may have something. -1: there is no such thing, and a lane with this
  // source never waits.
  virtual int descriptor() const = 0;
  // A packet is handed over at the latest so long after its stamp, unless the source is behind.
  virtual uint64_t delay_ns() const = 0;
  // What its frames have as Frame::file: the place of the interface in the sensor's list.
  virtual uint32_t file() const = 0;
};

}  // namespace vedette
