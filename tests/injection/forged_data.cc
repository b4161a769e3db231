#include <fmt/format.h>

#include "tests/injection/variants.h"

namespace vedette::injection {
namespace {

constexpr uint32_t kMegabyte = 1'000'000;
constexpr uint32_t kTinySegments = 1100;   // more than one direction holds
constexpr uint32_t kTinyConnections = 32;  // of a capture: each costs as many frames
constexpr uint32_t kFarSegmentBytes = 1000;

void ForgeData(Injector& in, size_t side, uint32_t distance, Bytes payload) {
  if (!in.CanForge(side)) return;
  Segment segment = in.Next(side);
  segment.sequence += distance;
  segment.payload = payload;
  in.Forge(side, segment);
}

void ForgeRun(Injector& in, size_t side, uint32_t distance, uint32_t segments) {
  for (uint32_t i = 0; i < segments; ++i) {
    ForgeData(in, side, distance + i * kFarSegmentBytes, Noise(in.rng(), kFarSegmentBytes));
  }
}

void AddTiny(std::vector<Variant>& all) {
  struct Row {
    uint32_t megabytes, step;
  };
  for (const Row row : {Row{2, 2}, Row{20, 2}, Row{100, 2}, Row{200, 1}}) {
    for (const size_t side : {kClient, kServer}) {
      all.push_back({fmt::format("tiny-{}mb-ahead-{}", row.megabytes, kSideNames[side]),
                     fmt::format("1,100 segments of one byte {} MB ahead, {}: outside any window that was opened",
                                 row.megabytes, row.step == 1 ? "contiguous" : "with holes"),
                     row.step == 1 ? Expect::kKeptIfSeen : Expect::kKept,
                     AtPlaces(
                         true, false,
                         [=](Injector& in) {
                           const uint8_t byte = 'x';
                           for (uint32_t i = 0; i < kTinySegments; ++i) {
                             ForgeData(in, side, row.megabytes * kMegabyte + i * row.step, {&byte, 1});
                           }
                         },
                         kTinyConnections)});
    }
  }
}

void AddFar(std::vector<Variant>& all) {
  for (const uint32_t segments : {1u, 3u, 8u, 64u}) {
    for (const size_t side : {kClient, kServer}) {
      all.push_back(
          {fmt::format("far-{}-{}", segments, kSideNames[side]),
           fmt::format("{} contiguous segments 100 MB ahead, behind the handshake and in the middle", segments),
           segments < 3 ? Expect::kKept : Expect::kKeptIfSeen,
           AtPlaces(true, true, [=](Injector& in) { ForgeRun(in, side, 100 * kMegabyte, segments); })});
    }
  }
  struct Row {
    const char* name;
    uint32_t distance;
  };
  for (const Row row : {Row{"far-8-2mb", 2 * kMegabyte}, Row{"far-8-20mb", 20 * kMegabyte},
                        Row{"far-8-1gb", 1000 * kMegabyte}, Row{"far-8-100mb-behind", 0u - 100 * kMegabyte}}) {
    for (const size_t side : {kClient, kServer}) {
      all.push_back({fmt::format("{}-{}", row.name, kSideNames[side]), "eight contiguous segments at another distance",
                     Expect::kKeptIfSeen,
                     AtPlaces(true, true, [=](Injector& in) { ForgeRun(in, side, row.distance, 8); })});
    }
  }
  for (const size_t side : {kClient, kServer}) {
    all.push_back({fmt::format("far-3-each-{}", kSideNames[side]),
                   "three more contiguous segments 100 MB ahead before each frame with data of that side",
                   Expect::kKeptIfSeen, BeforeFrames([=](Injector& in, const Step& step) {
                     if (step.follows_known_place() && step.side == side) ForgeRun(in, side, 100 * kMegabyte, 3);
                   })});
  }
  for (const size_t side : {kClient, kServer}) {
    all.push_back({fmt::format("far-8-acknowledged-{}", kSideNames[side]),
                   "eight segments 100 MB ahead, and two forged acknowledgments into them", Expect::kReported,
                   AtPlaces(true, false, [=](Injector& in) {
                     ForgeRun(in, side, 100 * kMegabyte, 8);
                     for (const uint32_t bytes : {3000u, 6000u}) {
                       if (!in.CanForge(1 - side)) return;
                       Segment segment = in.Next(1 - side);
                       segment.acknowledgment += 100 * kMegabyte + bytes;
                       in.Forge(1 - side, segment);
                     }
                   })});
  }
}

void AddNear(std::vector<Variant>& all) {
  for (const size_t side : {kClient, kServer}) {
    all.push_back({fmt::format("beyond-window-{}", kSideNames[side]),
                   "a segment right behind the window: the receiver drops it", Expect::kKept,
                   AtPlaces(true, true, [=](Injector& in) {
                     ForgeData(in, side, in.WindowOf(side) + 1000, Noise(in.rng(), 100));
                   })});
    all.push_back({fmt::format("in-window-{}", kSideNames[side]),
                   "a segment of other bytes ahead of its turn, in the window: receivers hold it", Expect::kReported,
                   AtPlaces(true, true, [=](Injector& in) {
                     const uint32_t ahead = std::min<uint32_t>(in.WindowOf(side) / 2, 2000);
                     if (ahead > 10) ForgeData(in, side, ahead, Noise(in.rng(), 100));
                   })});
    all.push_back({fmt::format("old-{}", kSideNames[side]), "400 other bytes where data came already", Expect::kKept,
                   AtPlaces(false, true, [=](Injector& in) { ForgeData(in, side, 0u - 500, Noise(in.rng(), 400)); })});
    all.push_back({fmt::format("keep-alive-{}", kSideNames[side]),
                   "one byte of garbage right before the place (RFC 9293 section 3.8.4), before each frame with data",
                   Expect::kKept, BeforeFrames([=](Injector& in, const Step& step) {
                     const uint8_t byte = 0;
                     if (step.follows_known_place() && step.side == side) ForgeData(in, side, 0u - 1, {&byte, 1});
                   })});
  }
}

}  // namespace

void AddForgedData(std::vector<Variant>& all) {
  AddTiny(all);
  AddFar(all);
  AddNear(all);
}

}  // namespace vedette::injection
