#include <fmt/format.h>

#include "tests/injection/variants.h"

namespace vedette::injection {
namespace {

constexpr uint64_t kTenYearsNs = 315'360'000'000'000'000;
constexpr uint32_t kBeyondWindow = uint32_t{1} << 30;  // far from any place, ahead and behind

// One of what a real host ignores, from either side. No acknowledgment of what was not sent, and never three segments
// far away in a row: together they could make a stream of their own.
void ForgeAny(Injector& in) {
  const size_t side = in.rng().Below(2);
  if (!in.CanForge(side)) return;
  const std::vector<uint8_t> noise = Noise(in.rng(), 1 + in.rng().Below(1400));
  Segment segment = in.Next(side);
  const uint32_t far = kBeyondWindow + static_cast<uint32_t>(in.rng().Below(kBeyondWindow));
  switch (in.rng().Below(7)) {
    case 0:
      segment.flags = kSyn;
      segment.sequence += far;
      break;
    case 1:
      segment.flags = kRst;
      segment.sequence += far;
      break;
    case 2:
      segment.flags = kFin | kAck;
      segment.sequence += far;
      break;
    case 3:
      segment.sequence += far;
      segment.payload = noise;
      break;
    case 4:
      segment.sequence -= static_cast<uint32_t>(noise.size()) + 10;
      segment.payload = noise;
      break;
    case 5:
      segment.acknowledgment -= static_cast<uint32_t>(in.rng().Below(10'000));
      break;
    default:
      segment.sequence -= 1;
      segment.payload = Bytes(noise).first(1);
  }
  in.Forge(side, segment);
}

}  // namespace

void AddMixed(std::vector<Variant>& all) {
  for (const uint64_t one_in : {3u, 1u}) {
    all.push_back(
        {fmt::format("mixed-{}", one_in == 1 ? "each" : "third"),
         fmt::format("before {} frame with data one of: a SYN, RST, FIN or segment far away, old data, an old "
                     "acknowledgment, a keep-alive; from either side",
                     one_in == 1 ? "each" : "one in three"),
         Expect::kKept, BeforeFrames([=](Injector& in, const Step& step) {
           if (step.follows_known_place() && in.rng().OneIn(one_in)) ForgeAny(in);
         })});
  }
  for (const bool ahead : {true, false}) {
    for (const size_t side : {kClient, kServer}) {
      all.push_back({fmt::format("forged-ten-years-{}-{}", ahead ? "ahead" : "behind", kSideNames[side]),
                     "a forged segment of old data with a time that cannot be, before each frame with data",
                     Expect::kKept, BeforeFrames([=](Injector& in, const Step& step) {
                       if (!step.follows_known_place() || !in.CanForge(side)) return;
                       const std::vector<uint8_t> noise = Noise(in.rng(), 100);
                       Segment segment = in.Next(side);
                       segment.sequence -= 200;
                       segment.payload = noise;
                       in.Forge(side, segment);
                       const uint64_t now = step.frame.time_ns;
                       in.SetTime(ahead ? now + kTenYearsNs : now - std::min(now, kTenYearsNs));
                     })});
    }
  }
}

}  // namespace vedette::injection
