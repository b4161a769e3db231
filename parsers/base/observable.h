// What a packet or stream shows of itself: a name (contract 2), a direction and a value.
//
// Parsers write observables into an ObservableBatch; the batch is matched as a whole at the end of a burst. Values live
// in the batch's arena until Clear. One batch per worker; not thread safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/address.h"
#include "parsers/base/arena.h"
#include "parsers/base/bytes.h"
#include "parsers/base/observable_kind.h"

namespace vedette {

// Which end of the flow sent it. The client is the end that opened the flow, as far as the capture shows.
enum class Direction : uint8_t { kToServer = 0, kToClient = 1 };
constexpr Direction Opposite(Direction direction) {
  return direction == Direction::kToServer ? Direction::kToClient : Direction::kToServer;
}

struct Observable {
  ObservableKind kind;
  Direction direction;  // the direction in which the packet that carried it went
  uint16_t port = 0;    // for kIp: the port at that address, 0 where the protocol has none
  uint32_t message =
      0;  // observables of one message (a DNS message, an HTTP request) share this number within the batch
  uint32_t context = 0;   // index of the flow snapshot that was current at emission; set by the batch
  uint32_t pattern = 0;   // for kPayload: the pattern that was found, as the indicator set numbers it
  std::string_view text;  // kText: normalised value; kPayload: the bytes around the hit
  IpAddress address;      // kAddress
};

class ObservableBatch {
 public:
  // A fresh batch wants every kind.
  bool Wants(ObservableKind kind) const { return wanted_.Has(kind); }
  ObservableMask wanted() const { return wanted_; }
  void set_wanted(ObservableMask wanted) { wanted_ = wanted; }

  // Parsers call BeginMessage before the first observable of each message.
  void BeginMessage() { ++message_; }
  // Copies `text`, which has to be in the normal form of its kind already. Empty text is not an observable.
  void AddText(ObservableKind kind, Direction direction, std::string_view text) {
    if (text.empty() || !wanted_.Has(kind)) return;
    Add(kind, direction).text = arena_.Copy(text);
  }
  // As AddText for a text that lives in arena() already.
  void AddStored(ObservableKind kind, Direction direction, std::string_view text) {
    if (text.empty() || !wanted_.Has(kind)) return;
    Add(kind, direction).text = text;
  }
  void AddAddress(ObservableKind kind, Direction direction, const IpAddress& address, uint16_t port = 0) {
    if (!wanted_.Has(kind)) return;
    Observable& observable = Add(kind, direction);
    observable.address = address;
    observable.port = port;
  }
  // A pattern found in the stream or datagram itself. `excerpt` is copied.
  void AddPayloadHit(Direction direction, uint32_t pattern, std::string_view excerpt) {
    Observable& observable = Add(ObservableKind::kPayload, direction);
    observable.pattern = pattern;
    observable.text = arena_.Copy(excerpt);
  }

  // For the worker: everything added from here on belongs to this snapshot.
  void set_context(uint32_t context) { context_ = context; }
  uint32_t size() const { return static_cast<uint32_t>(observables_.size()); }
  const std::vector<Observable>& observables() const { return observables_; }
  Arena& arena() { return arena_; }
  void Clear() {
    observables_.clear();
    arena_.Reset();
    message_ = 0;
    context_ = 0;
  }

 private:
  Observable& Add(ObservableKind kind, Direction direction) {
    Observable& observable = observables_.emplace_back();
    observable.kind = kind;
    observable.direction = direction;
    observable.message = message_;
    observable.context = context_;
    return observable;
  }

  ObservableMask wanted_ = ObservableMask::All();
  std::vector<Observable> observables_;
  Arena arena_;
  uint32_t message_ = 0;
  uint32_t context_ = 0;
};

}  // namespace vedette
