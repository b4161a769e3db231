// What a sensor works with: indicators, compiled patterns, geolocation.
#include "sensor/config/sections.h"

namespace vedette {
namespace {

std::function<void(const Section&, Config&)> ReadPaths(std::string name, std::vector<std::string> Config::*member) {
  return [=](const Section& section, Config& config) {
    for (const std::string& path : section.ReadList(name)) (config.*member).push_back(section.file().Resolve(path));
  };
}

void ReadCache(const Section& section, Config& config) {
  if (!section.Find("cache")) return;
  section.Read("cache", config.cache, "a folder's path, or off");
  config.cache_given = true;
  config.cache = config.cache == "off" ? "" : section.file().Resolve(config.cache);
}

}  // namespace

Keys<Config> InputKeys() {
  return {
      OwnKey<Config>({"indicators", "a list of paths", "[]",
                      "files and folders: CSV (signatures/indicators.md), or one value per line"},
                     &Config::indicators, ReadPaths("indicators", &Config::indicators))
          .Example("[indicators]")
          .InUse()
          .AtReload(),
      OwnKey<Config>({"cache", "a folder's path, or off", Config().cache,
                      "a folder of `user` for compiled patterns, from which the next start takes them; the default is "
                      "used only where it exists"},
                     &Config::cache, ReadCache)
          .AtReload(),
      OwnKey<Config>({"geo", "a list of paths", "[]",
                      "MMDB databases, the preferred one first; a database that is replaced by renaming is reloaded"},
                     &Config::geo, ReadPaths("geo", &Config::geo)),
  };
}

}  // namespace vedette
