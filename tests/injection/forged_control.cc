#include <fmt/format.h>

#include "tests/injection/variants.h"

namespace vedette::injection {
namespace {

struct Distance {
  const char* name;
  uint32_t bytes;
};

// RFC 9293 section 3.10.7.4 and RFC 5961 section 4: a SYN in a synchronised state is answered with a challenge ACK.
constexpr Distance kSynDistances[] = {
    {"1000-ahead", 1000},           {"2^16-ahead", 1u << 16},         {"2^20-ahead", 1u << 20},
    {"2^24-ahead", 1u << 24},       {"2^29-ahead", 1u << 29},         {"2^30-ahead", 1u << 30},
    {"2^31-ahead", (1u << 31) - 1}, {"2^16-behind", 0u - (1u << 16)}, {"2^29-behind", 0u - (1u << 29)}};
constexpr Distance kOpeningDistances[] = {{"1000-higher", 1000},          {"900000-higher", 900'000},
                                          {"2^29-higher", 1u << 29},      {"1000-lower", 0u - 1000},
                                          {"900000-lower", 0u - 900'000}, {"2^29-lower", 0u - (1u << 29)}};

void ForgeAt(Injector& in, size_t side, uint8_t flags, uint32_t distance, uint32_t acknowledgment_distance = 0) {
  if (!in.CanForge(side)) return;
  Segment segment = in.Next(side);
  segment.sequence += distance;
  segment.acknowledgment += acknowledgment_distance;
  segment.flags = flags;
  if (in.of(1 - side).known || (flags & kAck) == 0) in.Forge(side, segment);
}

void AddSyns(std::vector<Variant>& all) {
  for (const size_t side : {kClient, kServer}) {
    for (const Distance& distance : kSynDistances) {
      all.push_back({fmt::format("syn-{}-{}", distance.name, kSideNames[side]),
                     "one SYN with another sequence number, behind the handshake", Expect::kKept,
                     AtPlaces(true, false, [=](Injector& in) { ForgeAt(in, side, kSyn, distance.bytes); })});
    }
    all.push_back({fmt::format("syn-2^29-ahead-middle-{}", kSideNames[side]), "the same in the middle of the data",
                   Expect::kKept, AtPlaces(false, true, [=](Injector& in) { ForgeAt(in, side, kSyn, 1u << 29); })});
    all.push_back({fmt::format("syn-ack-2^29-ahead-middle-{}", kSideNames[side]),
                   "a SYN-ACK with another number in the middle of the data", Expect::kKept,
                   AtPlaces(false, true, [=](Injector& in) { ForgeAt(in, side, kSyn | kAck, 1u << 29); })});
    all.push_back({fmt::format("syn-each-{}", kSideNames[side]),
                   "a SYN with any other number before each frame with data of that side", Expect::kKept,
                   BeforeFrames([=](Injector& in, const Step& step) {
                     if (!step.follows_known_place() || step.side != side) return;
                     ForgeAt(in, side, kSyn, 1000 + static_cast<uint32_t>(in.rng().Below(4'000'000'000)));
                   })});
  }
}

// Another SYN or SYN-ACK before or after the first real one: what the other side acknowledges is not its number.
void AddOtherOpenings(std::vector<Variant>& all) {
  for (const uint8_t flags : {kSyn, static_cast<uint8_t>(kSyn | kAck)}) {
    for (const bool before : {true, false}) {
      for (const Distance& distance : kOpeningDistances) {
        const auto visit = [=](Injector& in, const Step& step) {
          if (!before) in.Keep();
          if ((step.tcp.flags & (kSyn | kAck)) == flags && step.number == 0) {
            Segment segment;
            segment.sequence = step.tcp.sequence + distance.bytes;
            segment.acknowledgment = step.tcp.acknowledgment;
            segment.flags = flags;
            segment.options = Options::kKeep;
            in.Emit(Build(step.frame, step.tcp, false, segment));
          }
          if (before) in.Keep();
        };
        all.push_back({fmt::format("{}-{}-{}", flags == kSyn ? "other-syn" : "syn-ack", distance.name,
                                   before ? "before" : "after"),
                       fmt::format("another {} beside the real one, whose number nobody acknowledges",
                                   flags == kSyn ? "SYN" : "SYN-ACK"),
                       Expect::kKept,
                       [=](const Trace& trace, Rng& rng, Injected& out) { Injector::Walk(trace, rng, out, visit); }});
      }
    }
  }
}

void AddResetsAndFins(std::vector<Variant>& all) {
  struct Row {
    const char* name;
    uint8_t flags;
    uint32_t distance;
    Expect expect;
    const char* about;
  };
  constexpr uint32_t kInWindow = 0xffffffff;  // stands for a place within the window
  constexpr Row kRows[] = {
      {"rst-2^29-ahead", kRst, 1u << 29, Expect::kKept, "RST out of the window"},
      {"rst-2^20-behind", kRst | kAck, 0u - (1u << 20), Expect::kKept, "RST of old data"},
      {"rst-in-window", kRst, kInWindow, Expect::kKept, "RST in the window beside its place (RFC 5961: challenged)"},
      {"rst-exact", kRst | kAck, 0, Expect::kReported, "RST at its place, and the connection goes on"},
      {"fin-2^29-ahead", kFin | kAck, 1u << 29, Expect::kKept, "FIN out of the window"},
      {"fin-2^20-behind", kFin | kAck, 0u - (1u << 20), Expect::kKept, "FIN of old data"},
      {"fin-no-ack", kFin, 0, Expect::kKept, "FIN at its place without the ACK flag: the receiver drops it"},
      {"fin-in-window", kFin | kAck, kInWindow, Expect::kReported, "FIN ahead of its place, in the window"},
      {"fin-exact", kFin | kAck, 0, Expect::kReported, "FIN at its place, and the connection goes on"},
  };
  for (const Row& row : kRows) {
    for (const size_t side : {kClient, kServer}) {
      const auto forge = [=](Injector& in) {
        const uint32_t ahead = std::min<uint32_t>(in.WindowOf(side) / 2, 1000);
        if (row.distance != kInWindow) {
          ForgeAt(in, side, row.flags, row.distance);
        } else if (ahead > 10) {
          ForgeAt(in, side, row.flags, ahead);
        }
      };
      all.push_back(
          {fmt::format("{}-{}", row.name, kSideNames[side]), row.about, row.expect, AtPlaces(true, true, forge)});
    }
  }
}

// RFC 9293 section 3.10.7.4: an ACK of something not sent yet is answered and dropped; an old one is ignored.
void AddAcks(std::vector<Variant>& all) {
  constexpr Distance kDistances[] = {
      {"5000-beyond", 5000}, {"2^24-beyond", 1u << 24}, {"2^29-beyond", 1u << 29}, {"5000-old", 0u - 5000}};
  for (const Distance& distance : kDistances) {
    for (const size_t side : {kClient, kServer}) {
      all.push_back({fmt::format("ack-{}-{}", distance.name, kSideNames[side]),
                     "three forged acknowledgments, behind the handshake and in the middle", Expect::kKept,
                     AtPlaces(true, true, [=](Injector& in) {
                       for (uint32_t i = 0; i < 3; ++i) ForgeAt(in, side, kAck, 0, distance.bytes + i * 100);
                     })});
    }
  }
  for (const size_t side : {kClient, kServer}) {
    all.push_back({fmt::format("ack-5000-beyond-each-{}", kSideNames[side]),
                   "a forged acknowledgment before each frame with data of the other side", Expect::kKept,
                   BeforeFrames([=](Injector& in, const Step& step) {
                     if (step.follows_known_place() && step.side != side) ForgeAt(in, side, kAck, 0, 5000);
                   })});
    all.push_back(
        {fmt::format("window-zero-{}", kSideNames[side]),
         "an acknowledgment with a window of 0, and then one of 1, before each frame with data of the other side",
         Expect::kKept, BeforeFrames([=](Injector& in, const Step& step) {
           if (!step.follows_known_place() || step.side == side || !in.CanForge(side)) return;
           Segment segment = in.Next(side);
           for (segment.window = 0; segment.window < 2; ++segment.window) in.Forge(side, segment);
         })});
  }
}

}  // namespace

void AddForgedControl(std::vector<Variant>& all) {
  AddSyns(all);
  AddOtherOpenings(all);
  AddResetsAndFins(all);
  AddAcks(all);
}

}  // namespace vedette::injection
