#include "tests/injection/variants.h"

#include <utility>

namespace vedette::injection {
std::vector<Variant> AllVariants() {
  std::vector<Variant> all;
  AddForgedControl(all);
  AddForgedData(all);
  AddCopies(all);
  AddMixed(all);
  AddRearranged(all);
  return all;
}

std::vector<uint8_t> Noise(Rng& rng, size_t bytes) {
  std::vector<uint8_t> out(bytes);
  for (uint8_t& byte : out) byte = static_cast<uint8_t>('a' + rng.Below(26));
  return out;
}

std::function<void(const Trace&, Rng&, Injected&)> AtPlaces(bool behind_handshake, bool middle,
                                                            std::function<void(Injector&)> forge,
                                                            uint32_t max_connections) {
  return [=](const Trace& trace, Rng& rng, Injected& out) {
    const auto visit = [&](Injector& in, const Step& step) {
      if ((behind_handshake && step.forge_here) || (middle && step.middle_here)) forge(in);
      in.Keep();
    };
    Injector::Walk(trace, rng, out, visit, max_connections);
  };
}

std::function<void(const Trace&, Rng&, Injected&)> BeforeFrames(std::function<void(Injector&, const Step&)> forge) {
  return [=](const Trace& trace, Rng& rng, Injected& out) {
    Injector::Walk(trace, rng, out, [&](Injector& in, const Step& step) {
      forge(in, step);
      in.Keep();
    });
  };
}

}  // namespace vedette::injection
