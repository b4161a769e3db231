#include "sensor/config/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "exporter/feed/keys.h"
#include "signatures/indicator.h"

namespace vedette {
namespace {

constexpr size_t kMaxConfigBytes = size_t{4}
                                   << 20;  // some countries' networks as prefixes; more is another kind of file

constexpr size_t kMaxCountries = 250;  // all there are

// What went wrong and where; carried up to LoadConfig, which alone catches.
struct ConfigError {
  int line;  // 1-based; 0 where the file as a whole is meant
  std::string what;
};

int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// A mapping whose keys are known beforehand.
class Section {
 public:
  Section(const YAML::Node& node, std::string name, const std::vector<std::string>& keys)
      : node_(node), name_(std::move(name)) {
    if (!node.IsMap()) throw ConfigError{LineOf(node), "`" + name_ + "` has to be a mapping of keys to values"};
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>();
      if (!seen.insert(key).second) throw ConfigError{LineOf(entry.first), "`" + key + "` stands twice in " + Where()};
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      const auto nearest = std::min_element(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
        return EditDistance(key, a) < EditDistance(key, b);
      });
      throw ConfigError{LineOf(entry.first),
                        "unknown key `" + key + "` in " + Where() + "; the nearest known key is `" + *nearest + "`"};
    }
  }

  YAML::Node Find(const std::string& key) const { return node_[key]; }
  int line() const { return LineOf(node_); }

  template <class T>
  void Read(const std::string& key, T& out, const char* expected) const {
    const YAML::Node node = node_[key];
    if (!node) return;
    try {
      out = node.as<T>();
    } catch (const YAML::Exception&) {
      throw ConfigError{LineOf(node), "`" + key + "` has to be " + expected};
    }
  }
  void ReadNumber(const std::string& key, uint64_t low, uint64_t high, uint64_t& out) const {
    const YAML::Node node = node_[key];
    if (!node) return;
    const std::string range = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
    std::string text;
    Read(key, text, range.c_str());
    uint64_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size() || value < low || value > high) {
      throw ConfigError{LineOf(node), "`" + key + "` has to be " + range};
    }
    out = value;
  }
  void ReadNumber(const std::string& key, uint32_t low, uint32_t high, uint32_t& out) const {
    uint64_t value = out;
    ReadNumber(key, uint64_t{low}, uint64_t{high}, value);
    out = static_cast<uint32_t>(value);
  }
  // Gives each text of a list to `take`, whose answer is what is wrong with it; empty: nothing. `key` may be absent.
  template <class Take>
  void ForEachText(const std::string& key, size_t limit, Take&& take) const {
    const YAML::Node list = node_[key];
    if (!list) return;
    if (!list.IsSequence()) throw ConfigError{LineOf(list), "`" + key + "` has to be a list"};
    if (list.size() > limit) {
      throw ConfigError{LineOf(list), "`" + key + "` has " + std::to_string(list.size()) + " entries; at most " +
                                          std::to_string(limit) + " are taken"};
    }
    for (const YAML::Node& entry : list) {
      if (!entry.IsScalar()) throw ConfigError{LineOf(entry), "`" + key + "` has to be a list of single values"};
      const std::string problem = take(entry.Scalar());
      if (!problem.empty()) throw ConfigError{LineOf(entry), "`" + entry.Scalar() + "` in `" + key + "` " + problem};
    }
  }
  std::vector<std::string> ReadList(const std::string& key) const {
    std::vector<std::string> out;
    Read(key, out, "a list of texts");
    return out;
  }

 private:
  std::string Where() const { return name_.empty() ? "the top level" : "`" + name_ + "`"; }
  YAML::Node node_;
  std::string name_;
};

class Loader {
 public:
  Loader(const std::string& path, Config& config)
      : folder_(std::filesystem::path(path).parent_path()), config_(config) {}

  void Load(const YAML::Node& root) {
    const Section top(root, "",
                      {"sensor", "capture", "indicators", "cache", "geo", "output", "limits", "metrics", "hardening",
                       "state", "control", "feed"});
    if (const YAML::Node node = top.Find("sensor")) ReadSensor(Section(node, "sensor", {"name", "resolvers"}));
    if (const YAML::Node node = top.Find("capture")) {
      ReadCapture(
          Section(node, "capture", {"interface", "filter", "promiscuous", "snap_bytes", "buffer_mebibytes", "user"}));
    }
    for (const std::string& path : top.ReadList("indicators")) config_.indicators.push_back(Resolve(path));
    if (top.Find("cache")) {
      top.Read("cache", config_.cache, "a folder's path, or off");
      config_.cache_given = true;
      config_.cache = config_.cache == "off" ? "" : Resolve(config_.cache);
    }
    for (const std::string& path : top.ReadList("geo")) config_.geo.push_back(Resolve(path));
    std::string output;
    top.Read("output", output, "a file's path, or - for standard output");
    if (!output.empty()) config_.output = output == "-" ? output : Resolve(output);
    if (const YAML::Node node = top.Find("limits")) {
      ReadLimits(Section(node, "limits",
                         {"flows", "reassembly_mebibytes", "parser_mebibytes", "fragment_mebibytes", "payload_depth"}));
    }
    if (const YAML::Node node = top.Find("metrics")) ReadMetrics(Section(node, "metrics", {"listen", "log_seconds"}));
    if (const YAML::Node node = top.Find("hardening"))
      ReadHardening(Section(node, "hardening", {"landlock", "seccomp", "required"}));
    if (top.Find("state")) {
      top.Read("state", config_.state, "the path of a folder");
      config_.state_given = true;
      config_.state = Resolve(config_.state);
    }
    if (top.Find("control")) {
      top.Read("control", config_.control, "the path of a socket, or off");
      config_.control_given = true;
      config_.control = config_.control == "off" ? "" : Resolve(config_.control);
    }
    if (const YAML::Node node = top.Find("feed")) {
      ReadFeed(Section(node, "feed",
                       {"endpoint", "secret_key", "partners", "unmarked_sources", "heartbeat_seconds", "batch_alerts",
                        "batch_microseconds", "high_water_mark"}));
    }
  }

 private:
  std::string Resolve(const std::string& path) const {
    return std::filesystem::path(path).is_absolute() ? path : (folder_ / path).lexically_normal().string();
  }

  void ReadSensor(const Section& section) {
    section.Read("name", config_.sensor_name, "a text");
    for (const std::string& text : section.ReadList("resolvers")) {
      const auto address = IpAddress::Parse(text);
      if (!address)
        throw ConfigError{LineOf(section.Find("resolvers")), "`" + text + "` in `resolvers` is not an IP address"};
      config_.resolvers.push_back(*address);
    }
  }

  void ReadCapture(const Section& section) {
    CaptureConfig& capture = config_.capture;
    section.Read("interface", capture.interface, "an interface's name");
    section.Read("filter", capture.filter, "a BPF filter");
    section.Read("promiscuous", capture.promiscuous, "true or false");
    section.ReadNumber("snap_bytes", uint32_t{64}, uint32_t{262'144}, capture.snap_bytes);
    section.ReadNumber("buffer_mebibytes", uint32_t{1}, uint32_t{2047}, capture.buffer_mebibytes);
    section.Read("user", capture.user, "a user's name");
  }

  void ReadLimits(const Section& section) {
    LimitsConfig& limits = config_.limits;
    section.ReadNumber("flows", uint32_t{1000}, uint32_t{100'000'000}, limits.flows);
    section.ReadNumber("reassembly_mebibytes", uint32_t{1}, uint32_t{1'000'000}, limits.reassembly_mebibytes);
    section.ReadNumber("parser_mebibytes", uint32_t{1}, uint32_t{1'000'000}, limits.parser_mebibytes);
    section.ReadNumber("fragment_mebibytes", uint32_t{1}, uint32_t{100'000}, limits.fragment_mebibytes);
    section.ReadNumber("payload_depth", uint64_t{0}, UINT64_MAX, limits.payload_depth);
  }

  void ReadMetrics(const Section& section) {
    MetricsConfig& metrics = config_.metrics;
    section.ReadNumber("log_seconds", uint32_t{0}, uint32_t{86'400}, metrics.log_seconds);
    const YAML::Node listen = section.Find("listen");
    if (!listen) return;
    section.Read("listen", metrics.listen, "an address and port such as 127.0.0.1:9477, or off");
    metrics.listen_given = true;
    if (metrics.listen == "off") {
      metrics.listen.clear();
    } else if (metrics.listen.find(':') == std::string::npos) {
      throw ConfigError{LineOf(listen), "`listen` has to be an address and port such as 127.0.0.1:9477, or off"};
    }
  }

  void ReadHardening(const Section& section) {
    HardeningConfig& hardening = config_.hardening;
    section.Read("landlock", hardening.landlock, "true or false");
    section.Read("seccomp", hardening.seccomp, "true or false");
    section.Read("required", hardening.required, "true or false");
  }

  void ReadFeed(const Section& section) {
    config_.has_feed = true;
    FeedConfig& feed = config_.feed;
    section.Read("endpoint", feed.endpoint, "a ZeroMQ endpoint such as tcp://192.0.2.1:5577");
    if (feed.endpoint.empty())
      throw ConfigError{section.line(), "`feed` needs an `endpoint` such as tcp://127.0.0.1:5577"};
    section.Read("secret_key", feed.secret_key_file, "the path of a key file");
    if (feed.secret_key_file.empty()) {
      throw ConfigError{section.line(), "`feed` needs a `secret_key`: the file that `vedette keygen` writes"};
    }
    feed.secret_key_file = Resolve(feed.secret_key_file);
    uint64_t heartbeat = static_cast<uint64_t>(feed.heartbeat.count()) / 1000, batch = feed.batch_alerts,
             delay = static_cast<uint64_t>(feed.batch_delay.count()),
             mark = static_cast<uint64_t>(feed.high_water_mark);
    section.ReadNumber("heartbeat_seconds", uint64_t{1}, uint64_t{3600}, heartbeat);
    section.ReadNumber("batch_alerts", uint64_t{1}, uint64_t{4096}, batch);
    section.ReadNumber("batch_microseconds", uint64_t{0}, uint64_t{1'000'000}, delay);
    section.ReadNumber("high_water_mark", uint64_t{1}, uint64_t{10'000'000}, mark);
    feed.heartbeat = std::chrono::seconds(heartbeat);
    feed.batch_alerts = batch;
    feed.batch_delay = std::chrono::microseconds(delay);
    feed.high_water_mark = static_cast<int>(mark);
    const std::vector<std::string> unmarked = section.ReadList("unmarked_sources");
    const YAML::Node partners = section.Find("partners");
    if (!partners) return;
    if (!partners.IsSequence()) throw ConfigError{LineOf(partners), "`partners` has to be a list"};
    for (const YAML::Node& node : partners) {
      const Section partner(
          node, "partners",
          {"name", "public_key", "originators", "max_tlp", "sharing_groups", "scope", "constituency"});
      PartnerConfig entry;
      partner.Read("name", entry.name, "a name");
      if (entry.name.empty()) throw ConfigError{partner.line(), "a partner needs a `name`"};
      for (const PartnerConfig& other : feed.partners) {
        if (other.name == entry.name) throw ConfigError{partner.line(), "two partners are named `" + entry.name + "`"};
      }
      std::string key;
      partner.Read("public_key", key, "40 characters of Z85, or the path of a .pub file");
      if (key.empty())
        throw ConfigError{partner.line(), "partner `" + entry.name +
                                              "` needs a `public_key`: its .pub file, or the 40 characters in it"};
      if (key.size() != 40 || key.find('/') != std::string::npos)
        key = std::filesystem::exists(Resolve(key)) ? Resolve(key) : key;
      if (std::filesystem::exists(key)) config_.public_key_files.push_back(key);
      std::string error;
      if (!ReadPublicKey(key, entry.public_key, error)) throw ConfigError{LineOf(partner.Find("public_key")), error};
      Clearance clearance;
      clearance.partner = entry.name;
      clearance.originators = partner.ReadList("originators");
      clearance.unmarked_sources = unmarked;
      clearance.sharing_groups = partner.ReadList("sharing_groups");
      std::string tlp;
      partner.Read("max_tlp", tlp, "clear, green, amber, amber+strict or red");
      if (!tlp.empty()) {
        const auto parsed = TlpOf(tlp);
        if (!parsed)
          throw ConfigError{LineOf(partner.Find("max_tlp")),
                            "`" + tlp + "` is no TLP; write clear, green, amber, amber+strict or red"};
        clearance.max_tlp = *parsed;
      }
      ReadScope(partner, clearance);
      feed.partners.push_back(std::move(entry));
      config_.clearances.push_back(std::move(clearance));
    }
  }

  void ReadScope(const Section& partner, Clearance& clearance) {
    if (const YAML::Node node = partner.Find("constituency")) {
      ReadConstituency(Section(node, "constituency", {"prefixes", "asns", "countries"}), clearance.constituency);
      if (clearance.constituency.empty())
        throw ConfigError{LineOf(node), "`constituency` needs `prefixes`, `asns` or `countries` that are not empty"};
    }
    std::string scope = "all";
    partner.Read("scope", scope, "all or constituency");
    clearance.only_constituency = scope == "constituency";
    if (!clearance.only_constituency && scope != "all")
      throw ConfigError{LineOf(partner.Find("scope")), "`" + scope + "` is no scope; write all or constituency"};
    if (clearance.only_constituency && clearance.constituency.empty()) {
      throw ConfigError{LineOf(partner.Find("scope")), "partner `" + clearance.partner +
                                                           "` has the scope constituency and no `constituency`: it "
                                                           "would receive nothing"};
    }
  }

  void ReadConstituency(const Section& section, Constituency& out) {
    section.ForEachText("prefixes", Constituency::kMaxPrefixes, [&out](const std::string& text) -> std::string {
      std::string reason;
      const std::optional<IpPrefix> prefix = ParseIpPrefix(text, reason);
      if (prefix) out.prefixes.push_back(*prefix);
      return reason;
    });
    section.ForEachText("asns", Constituency::kMaxAsns, [&out](const std::string& text) -> std::string {
      uint32_t number = 0;
      const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (status != std::errc() || end != text.data() + text.size() || number == 0)
        return "is no AS number: a whole number such as 3333";
      out.asns.push_back(number);
      return {};
    });
    section.ForEachText("countries", kMaxCountries, [&out](const std::string& text) -> std::string {
      if (!IsCountryCode(text)) return "is no country: two capital letters of ISO 3166-1, such as NL (and GB, not UK)";
      out.countries.push_back(text);
      return {};
    });
  }

  std::filesystem::path folder_;
  Config& config_;
};

}  // namespace

bool LoadConfig(const std::string& path, Config& config, std::string& error) {
  std::error_code status;
  const auto size = std::filesystem::file_size(path, status);
  if (status) {
    error = path + ": cannot be read: " + status.message() + "; deploy/vedette.example.yaml shows what it should hold";
    return false;
  }
  if (size > kMaxConfigBytes) {
    error = path + ": larger than 4 MiB, which no configuration is";
    return false;
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    error = path + ": cannot be read; check its permissions";
    return false;
  }
  config.path = path;
  try {
    const YAML::Node root = YAML::Load(text.str());
    if (!root.IsDefined() || root.IsNull())
      throw ConfigError{0, "is empty; deploy/vedette.example.yaml shows what it should hold"};
    Loader(path, config).Load(root);
    return true;
  } catch (const ConfigError& problem) {
    error = path + (problem.line > 0 ? ":" + std::to_string(problem.line) : "") + ": " + problem.what;
  } catch (const YAML::Exception& problem) {
    error = path + ":" + std::to_string(problem.mark.line + 1) + ": not YAML: " + problem.msg;
  }
  return false;
}

}  // namespace vedette
