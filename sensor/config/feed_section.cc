#include "sensor/config/sections.h"

namespace vedette {
namespace {

void ReadEndpoint(const Section& section, Config& config) {
  section.Read("endpoint", config.feed.endpoint, "a ZeroMQ endpoint such as tcp://192.0.2.1:5577");
  if (config.feed.endpoint.empty()) section.Fail("`feed` needs an `endpoint` such as tcp://127.0.0.1:5577");
}

void ReadSecretKey(const Section& section, Config& config) {
  std::string& file = config.feed.secret_key_file;
  section.Read("secret_key", file, "the path of a key file");
  if (file.empty()) {
    section.Fail("`feed` needs a `secret_key`: the file that `vedette keygen` writes");
  } else {
    file = section.file().Resolve(file);
  }
}

// One list for all partners, which have it; those of a file without partners differ in nothing.
void CompareUnmarked(const Config& before, const Config& now, const std::string& path,
                     std::vector<std::string>& changed) {
  if (before.feed.partners.empty() || now.feed.partners.empty()) return;
  if (before.feed.partners[0].clearance.unmarked_sources != now.feed.partners[0].clearance.unmarked_sources)
    changed.push_back(path);
}

// A key of FeedConfig as one of Config.
Key<Config> OfFeed(Key<FeedConfig> key) {
  return {
      key.text, [read = key.read](const Section& section, Config& config) { read(section, config.feed); },
      [compare = key.compare](const Config& before, const Config& now, const std::string& path,
                              std::vector<std::string>& changed) { compare(before.feed, now.feed, path, changed); }};
}

Keys<Config> FeedKeys() {
  using F = FeedConfig;
  const auto endpoint = [](const Config& config) { return config.feed.endpoint; };
  const auto secret_key = [](const Config& config) { return config.feed.secret_key_file; };
  const auto ignore = [](const Section&, Config&) {};  // `partners` reads it, for each of them
  return {
      OwnKey<Config>({"endpoint", "a ZeroMQ endpoint such as tcp://192.0.2.1:5577", "", "where partners connect"},
                     endpoint, ReadEndpoint)
          .Example("tcp://127.0.0.1:5577")
          .InUse(),
      OwnKey<Config>({"secret_key", "the path of a key file", "", "made by `vedette keygen sensor`; mode 0600"},
                     secret_key, ReadSecretKey)
          .Example("sensor.key")
          .InUse(),
      OfFeed(NumberKeyOf<std::chrono::seconds>("heartbeat_seconds", &F::heartbeat, 1, 3600,
                                               "between two heartbeats to each partner")),
      OfFeed(NumberKey("batch_alerts", &F::batch_alerts, 1, 4096, "a message leaves at that many alerts …")),
      OfFeed(NumberKeyOf<std::chrono::microseconds>("batch_microseconds", &F::batch_delay, 0, 1'000'000,
                                                    "… or after that long")),
      OfFeed(NumberKey("high_water_mark", &F::high_water_mark, 1, 10'000'000,
                       "messages waiting for one partner before it loses some")),
      {{"unmarked_sources", "a list of texts", "[]",
        "sources whose indicators without TLP may be exported, as amber+strict: to partners with max_tlp amber+strict "
        "or red"},
       ignore,
       CompareUnmarked},
      PartnersKey(),
  };
}

}  // namespace

Key<Config> FeedSection() {
  const Keys<Config> keys = FeedKeys();
  Key<Config> section = SectionKey<Config, Config>("feed", "", keys, std::identity());
  section.read = [keys](const Section& top, Config& config) {
    const YAML::Node node = top.Find("feed");
    if (!node) return;
    config.has_feed = true;
    ReadKeys(Section(node, "feed", NamesOf(keys), top.file()), keys, config);
  };
  section.compare = [keys](const Config& before, const Config& now, const std::string& path,
                           std::vector<std::string>& changed) {
    if (before.has_feed != now.has_feed) return changed.push_back(path);
    CompareKeys(keys, before, now, path + ": ", changed);
  };
  return section;
}

}  // namespace vedette
