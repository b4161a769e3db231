// A mute: an operator's word that hits of one indicator are not to be told for a while. README.md beside this file says
// what it hides and what becomes of what it hid.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

// A noisy indicator is muted; a thousand of them are a feed to be mended.
constexpr size_t kMaxMutes = 1000;
// A mute is an exception that somebody looks at again.
constexpr int64_t kMaxMuteDays = 90;
constexpr size_t kMaxMuteTextBytes = 1024;  // of each text

struct MuteRequest {
  std::string indicator = {};  // its id …
  std::string value = {};      // … or its value, in any form that an indicator file may have it in
  std::string source = {};     // only that source's; empty: of all
  std::string network = {};    // only where one of the alert's addresses lies in it; empty: everywhere
  std::string reason = {};
  std::string by = {};     // who asks
  int64_t until_ns = 0;    // since 1970
  int64_t created_ns = 0;  // 0: not known
};

struct Mute {
  std::string id = {};         // "m-" and twelve hex digits, of what it hides: the same again renews it
  std::string indicator = {};  // exactly one of the two is set
  std::string value = {};
  std::string source = {};
  std::string network = {};  // normal form
  std::string reason = {};
  std::string by = {};
  int64_t until_ns = 0, created_ns = 0;

  friend bool operator==(const Mute&, const Mute&) = default;
};

// nullopt with `error` saying what is missing or wrong. `now_ns`: by which the longest time is judged; a mute that has
// expired is one nevertheless.
std::optional<Mute> MakeMute(const MuteRequest& request, int64_t now_ns, std::string& error);

// "id t-1 of cert-a in 192.0.2.0/24"
std::string Describe(const Mute& mute);

// The file of mutes: {"version":1,"mutes":[{"id":…,"indicator":…,"reason":…,"by":…,"created":…,"until":…},…]}, times as
// RFC 3339. Strict: nothing is passed over in silence, because a mute that is lost lets alerts out again, and one that
// is misread hides others. The longest time is judged by `created`; where that is not known, not at all. False with
// `error`.
bool ReadMutes(std::string_view json, std::vector<Mute>& mutes, std::string& error);
std::string WriteMutes(const std::vector<Mute>& mutes);

}  // namespace vedette
