// One queue of one interface, as a lane polls it beside others.
//
// An interface that is down, or was removed, is idle, and gives packets again once it is up, or its source is replaced
// (source_slot.h). Whoever keeps the interfaces looks at that (sensor/live/interface_keeper.h). kEnd is a failure that
// nothing else tells: the source cannot go on.
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
  // Takes the place of a source that counted so far: numbers of frames and all counts go on from there. Before its
  // first Poll.
  virtual void GoOnFrom(const CaptureCounters& before) = 0;
  // Any thread: captures from the interface with that number from now on, for the one that it captured from is gone.
  // Needs no privilege. False: this source cannot, and has to be replaced.
  virtual bool Rebind(unsigned interface_index) {
    static_cast<void>(interface_index);
    return false;
  }
};

}  // namespace vedette
