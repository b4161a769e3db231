#include "sensor/config/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "exporter/feed/keys.h"
#include "parsers/base/time_text.h"
#include "sensor/config/section.h"
#include "signatures/canary.h"
#include "signatures/indicator.h"

namespace vedette {
namespace {

constexpr size_t kMaxConfigBytes = size_t{4}
                                   << 20;  // some countries' networks as prefixes; more is another kind of file

constexpr size_t kMaxCountries = 250;  // all there are

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Why an address and port cannot be listened at; empty: they can be, as far as their form goes.
std::string NotAnAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  if (colon == std::string::npos || host.empty())
    return "names no address; write 127.0.0.1:9477, or 0.0.0.0:9477 for all there are";
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data() + colon + 1, end, port);
  if (rest != end || status != std::errc() || colon + 1 == text.size()) return "has no port from 0 to 65535";
  if (host.find(':') != std::string::npos) return "is an IPv6 address, which the metrics endpoint cannot listen at";
  return {};
}

class Loader {
 public:
  Loader(const std::string& path, Config& config, ConfigProblems& problems)
      : folder_(std::filesystem::path(path).parent_path()), config_(config), problems_(problems) {}

  void Load(const YAML::Node& root) {
    const Section top(root, "",
                      {"sensor", "capture", "indicators", "cache", "geo", "output", "limits", "metrics", "hardening",
                       "state", "control", "control_group", "feed", "alarms", "canary", "mutes"},
                      problems_);
    if (const YAML::Node node = top.Find("sensor")) {
      ReadSensor(Section(node, "sensor", {"name", "resolvers"}, problems_));
    }
    if (const YAML::Node node = top.Find("capture")) {
      ReadCapture(Section(
          node, "capture",
          {"interface", "interfaces", "filter", "promiscuous", "snap_bytes", "buffer_mebibytes", "user"}, problems_));
    }
    for (const std::string& path : top.ReadList("indicators")) config_.indicators.push_back(Resolve(path));
    if (top.Find("cache")) {
      top.Read("cache", config_.cache, "a folder's path, or off");
      config_.cache_given = true;
      config_.cache = config_.cache == "off" ? "" : Resolve(config_.cache);
    }
    for (const std::string& path : top.ReadList("geo")) config_.geo.push_back(Resolve(path));
    ReadOutput(top);
    if (const YAML::Node node = top.Find("limits")) {
      ReadLimits(Section(node, "limits",
                         {"flows", "reassembly_mebibytes", "parser_mebibytes", "fragment_mebibytes", "payload_depth"},
                         problems_));
    }
    if (const YAML::Node node = top.Find("metrics")) {
      ReadMetrics(Section(node, "metrics", {"listen", "log_seconds"}, problems_));
    }
    if (const YAML::Node node = top.Find("hardening")) {
      ReadHardening(Section(node, "hardening", {"landlock", "seccomp", "required"}, problems_));
    }
    if (top.Find("state")) {
      top.Read("state", config_.state, "the path of a folder");
      config_.state_given = true;
      config_.state = Resolve(config_.state);
    }
    if (top.Find("control")) {
      // Where it cannot be read there is none, rather than another sensor's.
      std::string control;
      top.Read("control", control, "the path of a socket, or off");
      config_.control_given = true;
      config_.control = control.empty() || control == "off" ? "" : Resolve(control);
    }
    top.Read("control_group", config_.control_group, "a group's name");
    if (const YAML::Node node = top.Find("feed")) {
      ReadFeed(Section(node, "feed",
                       {"endpoint", "secret_key", "partners", "unmarked_sources", "heartbeat_seconds", "batch_alerts",
                        "batch_microseconds", "high_water_mark"},
                       problems_));
    }
    if (const YAML::Node node = top.Find("alarms")) {
      ReadAlarms(Section(
          node, "alarms",
          {"no_packets", "one_way_percent", "drop_percent", "reload_failed", "output_failed", "stale_indicators",
           "partner_silent", "partner_suspended", "canary_missed", "clear_after", "command"},
          problems_));
    }
    if (const YAML::Node node = top.Find("canary")) {
      ReadCanary(Section(node, "canary", {"interval", "time_out", "inject"}, problems_));
    }
    if (const YAML::Node node = top.Find("mutes")) ReadMutes(node);
  }

 private:
  std::string Resolve(const std::string& path) const {
    return std::filesystem::path(path).is_absolute() ? path : (folder_ / path).lexically_normal().string();
  }

  void ReadSensor(const Section& section) {
    section.Read("name", config_.sensor_name, "a text");
    for (const std::string& text : section.ReadList("resolvers")) {
      const auto address = IpAddress::Parse(text);
      if (!address) {
        section.Fail("resolvers", "`" + text + "` in `resolvers` is not an IP address");
        continue;
      }
      config_.resolvers.push_back(*address);
    }
  }

  void ReadCapture(const Section& section) {
    CaptureConfig& capture = config_.capture;
    section.Read("interface", capture.interface, "an interface's name");
    capture.interfaces = section.ReadList("interfaces");
    if (const std::string problem = WrongWith(capture); !problem.empty()) section.Fail("interfaces", problem);
    section.Read("filter", capture.filter, "a BPF filter");
    section.Read("promiscuous", capture.promiscuous);
    section.ReadNumber("snap_bytes", uint32_t{64}, uint32_t{262'144}, capture.snap_bytes);
    section.ReadNumber("buffer_mebibytes", uint32_t{1}, uint32_t{2047}, capture.buffer_mebibytes);
    section.Read("user", capture.user, "a user's name");
  }

  // What is wrong with `interfaces`; empty: nothing.
  static std::string WrongWith(const CaptureConfig& capture) {
    const std::vector<std::string>& all = capture.interfaces;
    if (all.empty()) return {};
    if (!capture.interface.empty())
      return "`interface` names one already: name all of them in `interfaces`, and omit `interface`";
    if (all.size() > CaptureConfig::kMaxInterfaces)
      return fmt::format("`interfaces` has {} entries; at most {} are taken", all.size(),
                         CaptureConfig::kMaxInterfaces);
    for (const std::string& name : all) {
      if (std::count(all.begin(), all.end(), name) > 1) return "`" + name + "` stands twice in `interfaces`";
      if (name == "any" && all.size() > 1) return "`any` in `interfaces` is all of them: name it alone";
    }
    return {};
  }

  // `output: FILE`, or a section with the file and how it is kept.
  void ReadOutput(const Section& top) {
    std::string file;
    const YAML::Node node = top.Find("output");
    if (!node || node.IsNull()) return;
    if (node.IsMap()) {
      const Section section(node, "output", {"file", "sync", "rotate_mebibytes", "keep"}, problems_);
      LiveOutput& output = config_.output_file;
      section.Read("file", file, "a file's path, or - for standard output");
      section.ReadDuration("sync", std::chrono::seconds(1), std::chrono::hours(1), true, output.sync);
      uint64_t rotate_mebibytes = 0;
      section.ReadNumber("rotate_mebibytes", uint64_t{0}, uint64_t{1'000'000}, rotate_mebibytes);
      output.rotate_bytes = rotate_mebibytes << 20;
      section.ReadNumber("keep", uint32_t{1}, uint32_t{1000}, output.keep);
      if (!section.Find("file")) section.Fail("`output` needs a `file`: its path, or - for standard output");
    } else {
      top.Read("output", file, "a file's path, or - for standard output");
    }
    if (!file.empty()) config_.output = file == "-" ? file : Resolve(file);
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
    } else if (const std::string reason = NotAnAddress(metrics.listen); !reason.empty()) {
      section.Fail("listen",
                   fmt::format("`{}` {}; `listen` has to be an address and port such as 127.0.0.1:9477, or off",
                               metrics.listen, reason));
    }
  }

  void ReadHardening(const Section& section) {
    HardeningConfig& hardening = config_.hardening;
    section.Read("landlock", hardening.landlock);
    section.Read("seccomp", hardening.seccomp);
    section.Read("required", hardening.required);
  }

  void ReadFeed(const Section& section) {
    config_.has_feed = true;
    FeedConfig& feed = config_.feed;
    section.Read("endpoint", feed.endpoint, "a ZeroMQ endpoint such as tcp://192.0.2.1:5577");
    if (feed.endpoint.empty()) section.Fail("`feed` needs an `endpoint` such as tcp://127.0.0.1:5577");
    section.Read("secret_key", feed.secret_key_file, "the path of a key file");
    if (feed.secret_key_file.empty()) {
      section.Fail("`feed` needs a `secret_key`: the file that `vedette keygen` writes");
    } else {
      feed.secret_key_file = Resolve(feed.secret_key_file);
    }
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
    if (!partners || partners.IsNull()) return;
    if (!partners.IsSequence()) {
      problems_.Add(partners, "`partners` has to be a list");
      return;
    }
    for (const YAML::Node& node : partners) {
      ReadPartner(Section(node, "partners",
                          {"name", "public_key", "originators", "max_tlp", "sharing_groups", "scope", "constituency"},
                          problems_),
                  unmarked);
    }
  }

  void ReadPartner(const Section& partner, const std::vector<std::string>& unmarked) {
    FeedConfig& feed = config_.feed;
    PartnerConfig entry;
    partner.Read("name", entry.name, "a name");
    if (entry.name.empty()) return partner.Fail("a partner needs a `name`");
    for (const PartnerConfig& other : feed.partners) {
      if (other.name == entry.name) return partner.Fail("two partners are named `" + entry.name + "`");
    }
    if (entry.name == kCanaryView) {
      return partner.Fail("`" + entry.name + "` is the name of the sensor's own view; call the partner something else");
    }
    std::string key, error;
    partner.Read("public_key", key, "40 characters of Z85, or the path of a .pub file");
    if (key.empty()) {
      partner.Fail("partner `" + entry.name + "` needs a `public_key`: its .pub file, or the 40 characters in it");
    } else {
      // What cannot be looked at is read below, which says why it cannot be.
      std::error_code unseen;
      const bool is_path = key.size() != 40 || key.find('/') != std::string::npos;
      if (is_path && (std::filesystem::exists(Resolve(key), unseen) || unseen)) key = Resolve(key);
      if (std::filesystem::exists(key, unseen)) config_.public_key_files.push_back(key);
      if (!ReadPublicKey(key, entry.public_key, error)) partner.Fail("public_key", error);
    }
    Clearance& clearance = entry.clearance;
    clearance.partner = entry.name;
    clearance.originators = partner.ReadList("originators");
    clearance.unmarked_sources = unmarked;
    clearance.sharing_groups = partner.ReadList("sharing_groups");
    std::string tlp;
    partner.Read("max_tlp", tlp, "clear, green, amber, amber+strict or red");
    if (!tlp.empty()) {
      if (const auto parsed = TlpOf(tlp)) {
        clearance.max_tlp = *parsed;
      } else {
        partner.Fail("max_tlp", "`" + tlp + "` is no TLP; write clear, green, amber, amber+strict or red");
      }
    }
    ReadScope(partner, clearance);
    feed.partners.push_back(std::move(entry));
  }

  void ReadAlarms(const Section& section) {
    using std::chrono::hours, std::chrono::seconds;
    AlarmsConfig& alarms = config_.alarms;
    section.ReadDuration("no_packets", seconds(1), hours(24), true, alarms.no_packets);
    section.ReadPercent("one_way_percent", alarms.one_way_percent);
    section.ReadPercent("drop_percent", alarms.drop_percent);
    section.Read("reload_failed", alarms.reload_failed);
    section.Read("output_failed", alarms.output_failed);
    section.ReadDuration("stale_indicators", hours(1), hours(24 * 366), true, alarms.stale_indicators);
    section.ReadDuration("partner_silent", seconds(1), hours(24 * 366), true, alarms.partner_silent);
    section.Read("partner_suspended", alarms.partner_suspended);
    section.Read("canary_missed", alarms.canary_missed);
    section.ReadDuration("clear_after", seconds(1), hours(24), false, alarms.clear_after);
    const YAML::Node command = section.Find("command");
    if (!command || command.IsNull()) return;
    // A path alone is a command without arguments.
    alarms.command = command.IsScalar() ? std::vector{command.Scalar()} : section.ReadList("command");
    if (alarms.command.empty() || !alarms.command[0].starts_with('/'))
      section.Fail("command", "`command` has to be a program's absolute path, or a list of it and its arguments");
  }

  void ReadCanary(const Section& section) {
    using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
    CanaryConfig& canary = config_.canary;
    section.ReadDuration("interval", seconds(1), hours(24), true, canary.interval);
    section.ReadDuration("time_out", seconds(1), minutes(5), false, canary.time_out);
    std::string inject = "source";
    section.Read("inject", inject, "source or wire");
    if (inject == "wire") {
      canary.inject = CanaryConfig::Inject::kWire;
    } else if (inject != "source") {
      section.Fail("inject", "`inject` has to be source (nothing is sent) or wire (a frame on the captured interface)");
    }
  }

  void ReadMutes(const YAML::Node& list) {
    if (list.IsNull()) return;
    if (!list.IsSequence()) {
      problems_.Add(list, "`mutes` has to be a list");
      return;
    }
    for (const YAML::Node& node : list) {
      const Section section(node, "mutes", {"id", "value", "source", "network", "reason", "until"}, problems_);
      MuteRequest request;
      std::string until, error;
      section.Read("id", request.indicator, "an indicator's id");
      section.Read("value", request.value, "an indicator's value");
      section.Read("source", request.source, "a source's name");
      section.Read("network", request.network, "a network such as 192.0.2.0/24");
      section.Read("reason", request.reason, "a text");
      section.Read("until", until, "a time such as 2026-12-01T00:00:00Z");
      const auto time = ParseTimestamp(until);
      if (!time) {
        section.Fail(until.empty() ? "a mute needs an `until`, such as 2026-12-01T00:00:00Z"
                                   : "`until` has to be a time such as 2026-12-01T00:00:00Z, and not `" + until + "`");
        continue;
      }
      request.until_ns = *time;
      request.by = "configuration";
      const std::optional<Mute> mute = MakeMute(request, NowNs(), error);
      if (!mute) {
        section.Fail(error);
      } else if (config_.mutes.size() == kMaxMutes) {
        section.Fail("more than " + std::to_string(kMaxMutes) +
                     " mutes; take the indicators out of their file instead");
        return;
      } else {
        config_.mutes.push_back(*mute);
      }
    }
  }

  void ReadScope(const Section& partner, Clearance& clearance) {
    const YAML::Node node = partner.Find("constituency");
    if (node) {
      const size_t problems_before = problems_.all().size();
      ReadConstituency(Section(node, "constituency", {"prefixes", "asns", "countries"}, problems_),
                       clearance.constituency);
      if (clearance.constituency.empty() && problems_.all().size() == problems_before)
        partner.Fail("constituency", "`constituency` needs `prefixes`, `asns` or `countries` that are not empty");
    }
    std::string scope = "all";
    partner.Read("scope", scope, "all or constituency");
    clearance.only_constituency = scope == "constituency";
    if (!clearance.only_constituency && scope != "all")
      partner.Fail("scope", "`" + scope + "` is no scope; write all or constituency");
    if (clearance.only_constituency && !node) {
      partner.Fail("scope", "partner `" + clearance.partner +
                                "` has the scope constituency and no `constituency`: it would receive nothing");
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
  ConfigProblems& problems_;
};

}  // namespace

bool LoadConfig(const std::string& path, Config& config, std::string& error) {
  std::error_code status;
  const auto size = std::filesystem::file_size(path, status);
  if (status) {
    error = path + ": cannot be read: " + status.message() + "; vedette.yaml(5) shows what it should hold";
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
  ConfigProblems problems;
  try {
    const YAML::Node root = YAML::Load(text.str());
    if (!root.IsDefined() || root.IsNull()) {
      problems.Add(0, "is empty; vedette.yaml(5) shows what it should hold");
    } else {
      config.path = path;
      Loader(path, config, problems).Load(root);
    }
  } catch (const YAML::Exception& problem) {
    problems.Add(problem.mark.line + 1, "not YAML: " + problem.msg);
  }
  for (const ConfigProblem& problem : problems.all()) {
    if (!error.empty()) error += '\n';
    error += path + (problem.line > 0 ? ":" + std::to_string(problem.line) : "") + ": " + problem.what;
  }
  return problems.all().empty();
}

}  // namespace vedette
