// Where events go once they are in order: a file, a feed, a count.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "exporter/alert/event.h"

namespace vedette {

// Called by the exporter thread only.
class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // False where the event could not be delivered; error() says why, and what to do.
  virtual bool Accept(const Event& event) = 0;
  // Instead of Accept, once that has failed: the event is lost here, and counted by whoever counts.
  virtual void Miss() {}
  // Called between alerts, at least every millisecond while some arrive and every 100 ms otherwise.
  virtual void Idle() {}
  // After the last alert. False where something was lost; error() says what.
  virtual bool Close() { return true; }
  virtual const std::string& error() const = 0;
  // False for a sink that only counts: a run without any other has nowhere to send alerts.
  virtual bool delivers() const { return true; }
  // Which events are for it; workers tell of the ends of flows only where some sink takes EventKind::kClosed.
  virtual EventKinds takes() const { return EventKind::kAlert; }
};

// Whether any of them takes such events.
inline bool AnyTakes(std::span<AlertSink* const> sinks, EventKind kind) {
  return std::any_of(sinks.begin(), sinks.end(), [kind](const AlertSink* sink) { return sink->takes().Has(kind); });
}

}  // namespace vedette
