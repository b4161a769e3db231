// What is injected: one table of named variants. The same seed gives the same frames.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/injection/injector.h"

namespace vedette::injection {

enum class Expect : uint8_t {
  kKept,        // a real host ignores what was injected: it must hide nothing
  kKeptIfSeen,  // the same; but if only one side was captured, nobody can tell what the other accepted
  kReported,    // real hosts differ, or would accept it: only shown
};

struct Variant {
  std::string name;
  std::string about;  // what is injected, and why a real host ignores it
  Expect expect;
  std::function<void(const Trace&, Rng&, Injected&)> inject;
};

// In display order. Names end in the side that the injected frames claim to come from.
std::vector<Variant> AllVariants();

// The parts of the table.
void AddForgedControl(std::vector<Variant>& all);  // SYN, SYN-ACK, RST, FIN, ACK
void AddForgedData(std::vector<Variant>& all);     // far away, in the window, old
void AddCopies(std::vector<Variant>& all);         // other bytes at the position of real ones
void AddMixed(std::vector<Variant>& all);          // several of those at once, and with other times
void AddRearranged(std::vector<Variant>& all);     // doubled, cut, reordered, fragmented, with other times

// Helpers of those parts.
constexpr const char* kSideNames[2] = {"client", "server"};
std::vector<uint8_t> Noise(Rng& rng, size_t bytes);  // letters
// Calls before the frame at which a connection's places are known, and, with `middle`, in its middle, too.
std::function<void(const Trace&, Rng&, Injected&)> AtPlaces(bool behind_handshake, bool middle,
                                                            std::function<void(Injector&)> forge,
                                                            uint32_t max_connections = UINT32_MAX);
// Calls for each frame, and keeps it afterwards.
std::function<void(const Trace&, Rng&, Injected&)> BeforeFrames(std::function<void(Injector&, const Step&)> forge);

}  // namespace vedette::injection
