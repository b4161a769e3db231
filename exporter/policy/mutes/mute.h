// A mute: an operator's decision to hide hits of one indicator for a while. README.md in this folder says
// what it hides and what happens to hidden hits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

// A noisy indicator is muted; a thousand of them mean that the feed needs fixing.
constexpr size_t kMaxMutes = 1000;
// A mute is an exception that somebody has to review.
constexpr int64_t kMaxMuteDays = 90;
constexpr size_t kMaxMuteTextBytes = 1024;  // of each text

struct MuteRequest {
  std::string indicator = {};  // the indicator's id …
  std::string value = {};      // … or its value, in any notation that an indicator file may use
  std::string source = {};     // only the indicator of this source; empty: of any
  std::string network = {};    // only if one of the alert's addresses is in it; empty: everywhere
  std::string reason = {};
  std::string by = {};     // who muted it
  int64_t until_ns = 0;    // since 1970
  int64_t created_ns = 0;  // 0: not known
};

struct Mute {
  std::string id = {};         // "m-" and twelve hex digits, of what it hides: muting the same again renews it
  std::string indicator = {};  // exactly one of the two is set
  std::string value = {};
  std::string source = {};
  std::string network = {};  // normal form
  std::string reason = {};
  std::string by = {};
  int64_t until_ns = 0, created_ns = 0;

  friend bool operator==(const Mute&, const Mute&) = default;
};

// nullopt with `error` saying what is missing or wrong. `now_ns`: the start of the longest duration; an expired mute
// is still valid.
std::optional<Mute> MakeMute(const MuteRequest& request, int64_t now_ns, std::string& error);

// "id t-1 of cert-a in 192.0.2.0/24"
std::string Describe(const Mute& mute);

// The file of mutes: {"version":1,"mutes":[{"id":…,"indicator":…,"reason":…,"by":…,"created":…,"until":…},…]}, times as
// RFC 3339. Strict: nothing is silently ignored, because a lost mute lets alerts out again, and one that
// is misread hides others. The longest duration counts from `created`; if that is unknown, it is not checked. False
// with `error`.
bool ReadMutes(std::string_view json, std::vector<Mute>& mutes, std::string& error);
std::string WriteMutes(const std::vector<Mute>& mutes);

}  // namespace vedette
