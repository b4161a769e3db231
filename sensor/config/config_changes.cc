#include "sensor/config/config_changes.h"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

namespace vedette {
namespace {

class Changes {
 public:
  void Add(std::string key) { out_.push_back('`' + std::move(key) + '`'); }
  template <class Value>
  void Compare(const char* key, const Value& before, const Value& now) {
    if (!(before == now)) Add(key);
  }
  // Of a section: its members by their keys.
  template <class Section, class... Member>
  void CompareSection(const std::string& name, const Section& before, const Section& now,
                      std::pair<const char*, Member Section::*>... members) {
    (
        [&] {
          if (!(before.*members.second == now.*members.second)) Add(name + ": " + members.first);
        }(),
        ...);
  }
  std::vector<std::string> Take() { return std::move(out_); }

 private:
  std::vector<std::string> out_;
};

template <class Section, class Member>
std::pair<const char*, Member Section::*> Key(const char* key, Member Section::*member) {
  return {key, member};
}

std::vector<std::string> NetworksOf(const Constituency& constituency) {
  std::vector<std::string> networks;
  for (const IpPrefix& prefix : constituency.prefixes) networks.push_back(prefix.ToString());
  return networks;
}

bool SameClearance(const Clearance& a, const Clearance& b) {
  return a.originators == b.originators && a.max_tlp == b.max_tlp && a.sharing_groups == b.sharing_groups &&
         a.only_constituency == b.only_constituency && a.constituency.asns == b.constituency.asns &&
         a.constituency.countries == b.constituency.countries &&
         NetworksOf(a.constituency) == NetworksOf(b.constituency);
}

// A running sensor has one partner more than its file: its own, which is asked for by none of these names.
const PartnerConfig* PartnerOf(const Config& config, const std::string& name) {
  for (const PartnerConfig& partner : config.feed.partners) {
    if (partner.name == name) return &partner;
  }
  return nullptr;
}

void ComparePartners(const Config& before, const Config& now, Changes& changes) {
  std::vector<std::string> names;
  for (const Config* config : {&before, &now}) {
    for (const PartnerConfig& partner : config->feed.partners) {
      if (std::find(names.begin(), names.end(), partner.name) == names.end()) names.push_back(partner.name);
    }
  }
  for (const std::string& name : names) {
    const PartnerConfig* const old_partner = PartnerOf(before, name);
    const PartnerConfig* const new_partner = PartnerOf(now, name);
    const bool same = old_partner != nullptr && new_partner != nullptr &&
                      old_partner->public_key == new_partner->public_key &&
                      SameClearance(old_partner->clearance, new_partner->clearance);
    if (!same) changes.Add("feed: partners: " + name);
  }
  const auto unmarked = [](const Config& config) -> std::optional<std::vector<std::string>> {
    if (config.feed.partners.empty()) return std::nullopt;
    return config.feed.partners[0].clearance.unmarked_sources;  // one list for all
  };
  const auto old_list = unmarked(before), new_list = unmarked(now);
  if (old_list && new_list && *old_list != *new_list) changes.Add("feed: unmarked_sources");
}

// By what they hide, until when, and why; not when they were read.
bool SameMutes(const std::vector<Mute>& before, const std::vector<Mute>& now) {
  return std::equal(before.begin(), before.end(), now.begin(), now.end(), [](const Mute& a, const Mute& b) {
    return a.id == b.id && a.until_ns == b.until_ns && a.reason == b.reason;
  });
}

}  // namespace

std::vector<std::string> ChangedSettings(const Config& before, const Config& now) {
  Changes changes;
  changes.Compare("sensor: name", before.sensor_name, now.sensor_name);
  changes.Compare("sensor: resolvers", before.resolvers, now.resolvers);
  using Capture = CaptureConfig;
  changes.CompareSection("capture", before.capture, now.capture, Key("interface", &Capture::interface),
                         Key("interfaces", &Capture::interfaces), Key("filter", &Capture::filter),
                         Key("promiscuous", &Capture::promiscuous), Key("snap_bytes", &Capture::snap_bytes),
                         Key("buffer_mebibytes", &Capture::buffer_mebibytes), Key("user", &Capture::user));
  changes.Compare("geo", before.geo, now.geo);
  changes.Compare("output", before.output, now.output);
  changes.CompareSection("output", before.output_file, now.output_file, Key("sync", &LiveOutput::sync),
                         Key("rotate_mebibytes", &LiveOutput::rotate_bytes), Key("keep", &LiveOutput::keep));
  using Limits = LimitsConfig;
  changes.CompareSection(
      "limits", before.limits, now.limits, Key("flows", &Limits::flows),
      Key("reassembly_mebibytes", &Limits::reassembly_mebibytes), Key("parser_mebibytes", &Limits::parser_mebibytes),
      Key("fragment_mebibytes", &Limits::fragment_mebibytes), Key("payload_depth", &Limits::payload_depth));
  changes.CompareSection("metrics", before.metrics, now.metrics, Key("listen", &MetricsConfig::listen),
                         Key("log_seconds", &MetricsConfig::log_seconds));
  changes.CompareSection("hardening", before.hardening, now.hardening, Key("landlock", &HardeningConfig::landlock),
                         Key("seccomp", &HardeningConfig::seccomp), Key("required", &HardeningConfig::required));
  changes.Compare("state", before.state, now.state);
  changes.Compare("control", before.control, now.control);
  changes.Compare("control_group", before.control_group, now.control_group);
  using Alarms = AlarmsConfig;
  changes.CompareSection(
      "alarms", before.alarms, now.alarms, Key("no_packets", &Alarms::no_packets),
      Key("one_way_percent", &Alarms::one_way_percent), Key("drop_percent", &Alarms::drop_percent),
      Key("reload_failed", &Alarms::reload_failed), Key("output_failed", &Alarms::output_failed),
      Key("stale_indicators", &Alarms::stale_indicators), Key("partner_silent", &Alarms::partner_silent),
      Key("partner_suspended", &Alarms::partner_suspended), Key("canary_missed", &Alarms::canary_missed),
      Key("clear_after", &Alarms::clear_after), Key("command", &Alarms::command));
  changes.CompareSection("canary", before.canary, now.canary, Key("interval", &CanaryConfig::interval),
                         Key("time_out", &CanaryConfig::time_out), Key("inject", &CanaryConfig::inject));
  if (!SameMutes(before.mutes, now.mutes)) changes.Add("mutes");
  if (before.has_feed != now.has_feed) {
    changes.Add("feed");
    return changes.Take();
  }
  changes.CompareSection(
      "feed", before.feed, now.feed, Key("endpoint", &FeedConfig::endpoint),
      Key("secret_key", &FeedConfig::secret_key_file), Key("heartbeat_seconds", &FeedConfig::heartbeat),
      Key("batch_alerts", &FeedConfig::batch_alerts), Key("batch_microseconds", &FeedConfig::batch_delay),
      Key("high_water_mark", &FeedConfig::high_water_mark));
  ComparePartners(before, now, changes);
  return changes.Take();
}

}  // namespace vedette
