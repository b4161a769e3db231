#include "tests/injection/variants.h"

#include <string_view>
#include <utility>

namespace vedette::injection {
namespace {

// Where less than 0.99 remains as yet. A copy in the middle of a message: the second reading begins at the copy, and
// what came of the message before it is gone with the first reading.
struct KnownLoss {
  std::string_view prefix;
  double least;
};
constexpr KnownLoss kKnownLosses[] = {
    {"zeros-before-middle", 0.94},
    {"copy-before-middle", 0.94},
    {"copy-before-tenth", 0.88},
    {"copy-before-each", 0.95},
    {"altered-before-each", 0.95},
    {"copy-before-first-longer", 0.98},
    {"syn-ack-", 0.98},
    {"forged-ten-years-ahead", 0.98},
};

}  // namespace

std::vector<Variant> AllVariants() {
  std::vector<Variant> all;
  AddForgedControl(all);
  AddForgedData(all);
  AddCopies(all);
  AddMixed(all);
  AddRearranged(all);
  for (Variant& variant : all) {
    for (const KnownLoss& known : kKnownLosses) {
      if (variant.name.starts_with(known.prefix)) variant.least = known.least;
    }
  }
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
