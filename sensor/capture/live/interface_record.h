// How one interface was and is: since when, how often it was out, and for how long nothing of it was captured.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace vedette {

// The numbers are those of the figure vedette_interface_state.
enum class InterfaceState : uint8_t {
  kUp = 0,
  kDown = 1,       // set down: `ip link set … up` brings it up
  kNoCarrier = 2,  // up, and nothing at the other end: a cable that is out, a port that is off
  kAbsent = 3,     // there is none of that name
  kRenamed = 4,    // the one that was opened has another name now; its packets are captured all the same
  kFailed = 5,     // it is there and cannot be captured from
};
// "down", "no carrier": a word or two of a sentence.
std::string_view NameOf(InterfaceState state);
// Whether packets of it could be captured in that state.
constexpr bool IsSeen(InterfaceState state) {
  return state == InterfaceState::kUp || state == InterfaceState::kRenamed;
}

// Not thread safe.
class InterfaceRecord {
 public:
  struct Now {
    uint64_t steady_ns;  // by which spans are measured
    uint64_t unix_ns;    // by which they are told
  };
  struct Outage {
    uint64_t from_ns = 0, until_ns = 0;  // since 1970
    double seconds = 0;
    InterfaceState why = InterfaceState::kNoCarrier;  // the worst state in it: failed, absent, down, no carrier
  };

  explicit InterfaceRecord(Now start) : since_(start) {}

  // How it is from now on. The outage that ends with it, where one does.
  std::optional<Outage> Set(InterfaceState state, Now now);

  InterfaceState state() const { return state_; }
  uint64_t since_unix_ns() const { return since_.unix_ns; }
  // From the first moment at which it could not be captured, as long as that lasts; nothing: it is captured.
  std::optional<Now> blind_since() const { return blind_since_; }
  uint64_t num_outages() const { return num_outages_; }
  // In all, the outage that lasts included.
  double BlindSeconds(Now now) const;
  // The last ones that ended, the newest last.
  const std::deque<Outage>& outages() const { return outages_; }
  static constexpr size_t kMaxOutages = 16;

 private:
  InterfaceState state_ = InterfaceState::kUp;
  Now since_;
  std::optional<Now> blind_since_;
  InterfaceState why_ = InterfaceState::kNoCarrier;
  uint64_t num_outages_ = 0;
  uint64_t blind_ns_ = 0;
  std::deque<Outage> outages_;
};

}  // namespace vedette
