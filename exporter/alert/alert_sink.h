// Where alerts go once they are in order: a file, a feed, a count.
#pragma once

#include <string>

#include "exporter/alert/alert.h"

namespace vedette {

// Called by the exporter thread only.
class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // False where the alert could not be delivered; error() says why, and what to do.
  virtual bool Accept(const Alert& alert) = 0;
  // Instead of Accept, once that has failed: the alert is lost here, and counted by whoever counts.
  virtual void Miss() {}
  // Called between alerts, at least every millisecond while some arrive and every 100 ms otherwise.
  virtual void Idle() {}
  // After the last alert. False where something was lost; error() says what.
  virtual bool Close() { return true; }
  virtual const std::string& error() const = 0;
  // False for a sink that only counts: a run without any other has nowhere to send alerts.
  virtual bool delivers() const { return true; }
  // Whether the sensor's tests of itself (Alert::canary) are for it.
  virtual bool takes_canaries() const { return false; }
};

}  // namespace vedette
