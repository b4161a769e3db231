#include "sensor/config/sections.h"

namespace vedette {
namespace {

void ReadResolvers(const Section& section, Config& config) {
  for (const std::string& text : section.ReadList("resolvers")) {
    const auto address = IpAddress::Parse(text);
    if (!address) {
      section.Fail("resolvers", "`" + text + "` in `resolvers` is not an IP address");
      continue;
    }
    config.resolvers.push_back(*address);
  }
}

}  // namespace

Key<Config> SensorSection() {
  return SectionKey<Config, Config>(
      "sensor", "",
      {
          TextKey("name", &Config::sensor_name, "a text", "the name of this sensor in alerts and feeds").InUse(),
          OwnKey<Config>({"resolvers", "a list of IP addresses", "[]",
                          "DNS resolvers of the network: neither suspect nor affected"},
                         &Config::resolvers, ReadResolvers),
      },
      std::identity());
}

}  // namespace vedette
