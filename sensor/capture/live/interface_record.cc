#include "sensor/capture/live/interface_record.h"

#include <array>

namespace vedette {
namespace {

uint64_t Between(InterfaceRecord::Now from, InterfaceRecord::Now to) {
  return to.steady_ns > from.steady_ns ? to.steady_ns - from.steady_ns : 0;
}

// Of the states that an outage went through, the one that says most. On its way up an interface has no carrier for a
// moment, and on its way out it is down.
int Rank(InterfaceState state) {
  switch (state) {
    case InterfaceState::kFailed:
      return 3;
    case InterfaceState::kAbsent:
      return 2;
    case InterfaceState::kDown:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

std::string_view NameOf(InterfaceState state) {
  constexpr std::array<std::string_view, 6> kNames = {"up", "down", "no carrier", "absent", "renamed", "failed"};
  return kNames[static_cast<size_t>(state)];
}

std::optional<InterfaceRecord::Outage> InterfaceRecord::Set(InterfaceState state, Now now) {
  if (state == state_) return std::nullopt;
  state_ = state;
  since_ = now;
  if (!IsSeen(state)) {
    if (!blind_since_ || Rank(state) > Rank(why_)) why_ = state;
    if (!blind_since_) {
      blind_since_ = now;
      ++num_outages_;
    }
    return std::nullopt;
  }
  if (!blind_since_) return std::nullopt;
  const uint64_t lasted = Between(*blind_since_, now);
  blind_ns_ += lasted;
  const Outage outage = {.from_ns = blind_since_->unix_ns,
                         .until_ns = now.unix_ns,
                         .seconds = static_cast<double>(lasted) * 1e-9,
                         .why = why_};
  outages_.push_back(outage);
  if (outages_.size() > kMaxOutages) outages_.pop_front();
  blind_since_.reset();
  return outage;
}

double InterfaceRecord::BlindSeconds(Now now) const {
  return static_cast<double>(blind_ns_ + (blind_since_ ? Between(*blind_since_, now) : 0)) * 1e-9;
}

}  // namespace vedette
