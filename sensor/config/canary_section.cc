#include "sensor/config/sections.h"

namespace vedette {
namespace {

void ReadInject(const Section& section, CanaryConfig& canary) {
  std::string inject = "source";
  section.Read("inject", inject, "source or wire");
  if (inject == "wire") {
    canary.inject = CanaryConfig::Inject::kWire;
  } else if (inject != "source") {
    section.Fail("inject", "`inject` has to be source (nothing is sent) or wire (a frame on the captured interface)");
  }
}

}  // namespace

Key<Config> CanarySection() {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  using C = CanaryConfig;
  return SectionKey<Config, C>(
      "canary", "a test packet through the whole sensor, to the feed's other end",
      {
          DurationKey("interval", &C::interval, seconds(1), hours(24), true,
                      "off: only when `vedette canary` asks for one"),
          DurationKey("time_out", &C::time_out, seconds(1), minutes(5), false, "after which it is missed"),
          OwnKey<C>({"inject", "source or wire", "source",
                     "into the sensor; wire: as a frame sent on the interface, on each in turn"},
                    &C::inject, ReadInject),
      },
      &Config::canary);
}

}  // namespace vedette
