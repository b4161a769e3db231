// Recall under injection: of what a worker finds in a capture, how much it still finds with something injected.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/injection/variants.h"

namespace vedette::injection {

// The part of each capture that is injected into: all of it; what one side sent; all but one in a hundred frames with
// data; and all of it, with each frame with data, forged or not, in two IP fragments.
enum class Base : uint8_t { kWhole, kClientOnly, kServerOnly, kLossy, kFragments, kCount };
constexpr size_t kBases = static_cast<size_t>(Base::kCount);
constexpr const char* kBaseNames[kBases] = {"whole", "client", "server", "lossy", "frags"};

// For one variant on one base. Findings are those of touched connections.
struct Tally {
  uint64_t captures = 0;  // with findings of connections that were touched
  uint64_t forged = 0;    // frames
  uint64_t expected = 0;  // findings without the injection
  uint64_t lost = 0;      // of them, not found with it
  uint64_t extra = 0;     // found with it only
  uint64_t turned = 0;    // found, but not in a direction in which they were found before

  void Add(const Tally& other);
  double recall() const { return expected == 0 ? 1 : 1 - static_cast<double>(lost) / static_cast<double>(expected); }
};

// Where a capture's findings changed.
struct Change {
  size_t variant;
  Base base;
  std::string capture;
  Tally tally;
  std::string lost, extra;  // one of each: "http.uri /index.html"
};

struct Result {
  std::vector<std::array<Tally, kBases>> tallies;  // by variant
  std::vector<Change> changes;
  uint64_t captures = 0;         // read
  uint64_t captures_judged = 0;  // with findings of TCP
  std::array<uint64_t, kBases> findings{};

  void Add(const Result& other);
};

struct JudgeOptions {
  uint64_t seed = 1;
  uint32_t lossy_one_in = 100;
  size_t max_literals = 0;  // looked for in payload; 0: fields are judged, as `vedette observe` finds them
};

// `name` goes into the changes and, with the seed, into what is injected.
Result JudgeCapture(const Trace& whole, const std::string& name, const std::vector<Variant>& variants,
                    const JudgeOptions& options);

}  // namespace vedette::injection
