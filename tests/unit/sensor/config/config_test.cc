#include "sensor/config/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "exporter/feed/keys.h"
#include "sensor/config/duration.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;

class ConfigTest : public testing::Test {
 protected:
  bool Load(const std::string& text) {
    std::ofstream(folder_ / "sensor.yaml") << text;
    config_ = Config();
    error_.clear();
    return LoadConfig((folder_ / "sensor.yaml").string(), config_, error_);
  }
  bool Said(const std::string& text) const { return error_.find(text) != std::string::npos; }

  const TemporaryFolder folder_;
  Config config_;
  std::string error_;
};

// Lines "# key: value" as if they were not commented out: the defaults that the example states.
std::string WithDefaultsSpelledOut(const std::string& example) {
  std::string out;
  std::istringstream lines(example);
  const std::regex commented(R"(^( *)# ([a-z_]+:.*)$)");
  for (std::string line; std::getline(lines, line);) {
    if (line.find("# - ") == std::string::npos)
      line = std::regex_replace(line, commented, "$1$2");  // examples of entries
    out += line + "\n";
  }
  return out;
}

TEST_F(ConfigTest, PacketsAreKeptWhereAFolderIsNamed) {
  ASSERT_TRUE(Load("capture: {interface: eth0, keep: {}}\nindicators: [a]\n")) << error_;
  EXPECT_TRUE(config_.capture.keep.folder.empty());
  ASSERT_TRUE(
      Load("capture: {interface: eth0, keep: {folder: kept, quota_mebibytes: 10, file_mebibytes: 5, file_age: 90s, "
           "ring_mebibytes: 7, packet_bytes: 128, flow_kibibytes: 64, flow_packets: 20}}\nindicators: [a]\n"))
      << error_;
  const KeepConfig& keep = config_.capture.keep;
  EXPECT_EQ(keep.folder, (folder_ / "kept").string());
  EXPECT_EQ(keep.quota_bytes, uint64_t{10} << 20);
  EXPECT_EQ(keep.file_bytes, uint64_t{5} << 20);
  EXPECT_EQ(keep.file_age, seconds(90));
  EXPECT_EQ(keep.ring_bytes, uint64_t{7} << 20);
  EXPECT_EQ(keep.packet_bytes, 128u);
  EXPECT_EQ(keep.flow_bytes, uint64_t{64} << 10);
  EXPECT_EQ(keep.flow_packets, 20u);
  EXPECT_FALSE(Load("capture: {interface: eth0, keep: {quota_mebibytes: 10}}\nindicators: [a]\n"));
  EXPECT_TRUE(Said("`keep` needs a `folder`")) << error_;
  EXPECT_FALSE(Load("capture: {interface: eth0, keep: {folder: a, quota_mebibytes: 100}}\nindicators: [a]\n"));
  EXPECT_TRUE(Said("at most half of `quota_mebibytes`")) << error_;
  EXPECT_FALSE(Load("capture: {interface: eth0, keep: {folders: a}}\nindicators: [a]\n"));
  EXPECT_TRUE(Said("nearest known key is `folder`")) << error_;
}

TEST_F(ConfigTest, TheExampleHoldsEveryKeyWithItsDefault) {
  std::ifstream file(std::string(VEDETTE_SOURCE_DIR) + "/deploy/vedette.example.yaml");
  std::stringstream text;
  text << file.rdbuf();
  ASSERT_TRUE(Load(text.str())) << error_;
  const Config defaults;
  const std::string spelled = WithDefaultsSpelledOut(text.str());
  ASSERT_TRUE(Load(spelled)) << error_ << "\n" << spelled;
  EXPECT_EQ(config_.alarms.no_packets, defaults.alarms.no_packets);
  EXPECT_EQ(config_.alarms.one_way_percent, defaults.alarms.one_way_percent);
  EXPECT_EQ(config_.alarms.drop_percent, defaults.alarms.drop_percent);
  EXPECT_EQ(config_.alarms.reload_failed, defaults.alarms.reload_failed);
  EXPECT_EQ(config_.alarms.stale_indicators, defaults.alarms.stale_indicators);
  EXPECT_EQ(config_.alarms.partner_silent, defaults.alarms.partner_silent);
  EXPECT_EQ(config_.alarms.canary_missed, defaults.alarms.canary_missed);
  EXPECT_EQ(config_.alarms.output_failed, defaults.alarms.output_failed);
  EXPECT_EQ(config_.alarms.partner_suspended, defaults.alarms.partner_suspended);
  EXPECT_EQ(config_.output, defaults.output);
  EXPECT_EQ(config_.output_file.sync, defaults.output_file.sync);
  EXPECT_EQ(config_.output_file.rotate_bytes, defaults.output_file.rotate_bytes);
  EXPECT_EQ(config_.output_file.keep, defaults.output_file.keep);
  EXPECT_EQ(config_.alarms.clear_after, defaults.alarms.clear_after);
  EXPECT_EQ(config_.canary.interval, defaults.canary.interval);
  EXPECT_EQ(config_.canary.time_out, defaults.canary.time_out);
  EXPECT_EQ(config_.canary.inject, defaults.canary.inject);
  EXPECT_EQ(config_.state, defaults.state);
  EXPECT_EQ(config_.feed.high_water_mark, defaults.feed.high_water_mark);
  EXPECT_EQ(config_.feed.batch_alerts, defaults.feed.batch_alerts);
  EXPECT_EQ(config_.feed.batch_delay, defaults.feed.batch_delay);
  EXPECT_EQ(config_.feed.heartbeat, defaults.feed.heartbeat);
  EXPECT_EQ(config_.limits.flows, defaults.limits.flows);
  EXPECT_EQ(config_.limits.payload_depth, defaults.limits.payload_depth);
  EXPECT_EQ(config_.capture.buffer_mebibytes, defaults.capture.buffer_mebibytes);
  EXPECT_EQ(config_.capture.backend, defaults.capture.backend);
  EXPECT_EQ(config_.capture.workers, defaults.capture.workers);
  EXPECT_EQ(config_.capture.latency, defaults.capture.latency);
  EXPECT_EQ(config_.capture.pin, defaults.capture.pin);
  EXPECT_EQ(config_.capture.outgoing, defaults.capture.outgoing);
  EXPECT_EQ(config_.metrics.listen, defaults.metrics.listen);
  EXPECT_EQ(config_.control, defaults.control);
  EXPECT_TRUE(config_.mutes.empty());
}

TEST_F(ConfigTest, OneInterfaceOrSeveral) {
  using Texts = std::vector<std::string>;
  ASSERT_TRUE(Load("capture: {interface: eth0}\n")) << error_;
  EXPECT_EQ(config_.capture.AllInterfaces(), Texts{"eth0"});
  ASSERT_TRUE(Load("capture: {interfaces: [eth0, eth1]}\n")) << error_;
  EXPECT_EQ(config_.capture.AllInterfaces(), (Texts{"eth0", "eth1"}));
  ASSERT_TRUE(Load("capture: {interfaces: []}\n")) << error_;
  EXPECT_EQ(config_.capture.AllInterfaces(), Texts());
  for (const auto& [text, problem] :
       {std::pair{"{interface: eth0, interfaces: [eth1]}", "`interface` names one already"},
        std::pair{"{interfaces: [eth0, eth0]}", "`eth0` stands twice"},
        std::pair{"{interfaces: [eth0, any]}", "name it alone"}, std::pair{"{interfaces: eth0}", "has to be a list"}}) {
    EXPECT_FALSE(Load(std::string("capture: ") + text + "\n")) << text;
    EXPECT_NE(error_.find(problem), std::string::npos) << error_;
  }
}

TEST_F(ConfigTest, HowPacketsAreCaptured) {
  using Capture = CaptureConfig;
  using Cpus = std::vector<uint32_t>;
  ASSERT_TRUE(Load("capture: {interface: eth0, backend: libpcap, outgoing: ignore, pin: [3]}\n")) << error_;
  EXPECT_EQ(config_.capture.backend, Capture::Backend::kLibpcap);
  EXPECT_EQ(config_.capture.outgoing, Capture::Outgoing::kIgnore);
  EXPECT_EQ(config_.capture.pin, (Capture::Pin{false, Cpus{3}}));
  ASSERT_TRUE(Load("capture: {interface: eth0, workers: 2, latency: low, pin: [5, 4]}\n")) << error_;
  EXPECT_EQ(config_.capture.workers, 2u);
  EXPECT_EQ(config_.capture.latency, Capture::Latency::kLow);
  EXPECT_EQ(config_.capture.pin, (Capture::Pin{false, Cpus{5, 4}}));
  ASSERT_TRUE(Load("capture: {interface: eth0, pin: off}\n")) << error_;
  EXPECT_EQ(config_.capture.pin, (Capture::Pin{false, {}}));
  for (const auto& [text, problem] :
       {std::pair{"backend: pfring", "`backend` has to be af_packet or libpcap"},
        std::pair{"backend: []", "`backend` has to be"}, std::pair{"latency: none", "has to be normal or low"},
        std::pair{"outgoing: yes", "has to be auto, capture or ignore"},
        std::pair{"workers: 0", "`workers` has to be a whole number from 1 to 64"},
        std::pair{"workers: 65", "`workers` has to be a whole number from 1 to 64"},
        std::pair{"pin: 3", "`pin` has to be auto, off, or a list"}, std::pair{"pin: [x]", "is no CPU's number"},
        std::pair{"workers: 2, pin: [1]", "as many CPUs as there are `workers` (2)"},
        std::pair{"workers: 2, pin: [1, 1]", "is there twice"},
        std::pair{"backend: libpcap, workers: 2", "has one queue"},
        std::pair{"backend: libpcap, latency: low", "knows no `latency: low`"}}) {
    EXPECT_FALSE(Load(std::string("capture: {interface: eth0, ") + text + "}\n")) << text;
    EXPECT_NE(error_.find(problem), std::string::npos) << error_;
  }
  EXPECT_FALSE(Load("capture: {interface: any, workers: 2}\n"));
  EXPECT_TRUE(Said("interface `any` is captured through libpcap")) << error_;
}

TEST_F(ConfigTest, EveryMistakeIsSaidWithItsLine) {
  ASSERT_FALSE(Load(R"(sensor:
  nmae: x
  resolvers: [192.0.2.1, nobody]
capture:
  snap_bytes: 12
  promiscuous: perhaps
limits: 7
alarms:
  no_packets: 60
  drop_percent: 101
  command: notify
canary:
  interval: 5 minutes
  inject: both
mutes:
  - id: t-1
    until: 2026-12-01T00:00:00Z
  - id: t-2
    reason: because
    until: tomorrow
)"));
  for (const char* text :
       {":2: unknown key `nmae` in `sensor`; the nearest known key is `name`", ":3: `nobody` in `resolvers`",
        ":5: `snap_bytes` has to be a whole number from 64", ":6: `promiscuous` has to be true or false",
        ":7: `limits` has to be a mapping", ":9: `no_packets` has to be a time from", ":10: `drop_percent`",
        ":11: `command`", ":13: `interval`", ":14: `inject`", ":16: a mute needs a reason", ":18: `until`"}) {
    EXPECT_TRUE(Said(text)) << text << "\n" << error_;
  }
}

TEST_F(ConfigTest, OfAFileWithMistakesTheRestIsRead) {
  EXPECT_FALSE(Load("nonsense: 1\ncontrol: here.sock\n"));
  EXPECT_EQ(config_.control, (folder_ / "here.sock").string());
  EXPECT_FALSE(Load("control: [a, b]\n"));
  EXPECT_EQ(config_.control, "") << "not another sensor's";
  EXPECT_FALSE(config_.path.empty());
  for (const char* text : {"a: [", "", "# nothing\n"}) {
    EXPECT_FALSE(Load(text));
    EXPECT_EQ(config_.path, "") << text;
  }
}

TEST_F(ConfigTest, WhereMetricsCanListen) {
  for (const char* good : {"127.0.0.1:9477", "0.0.0.0:0", "localhost:9477", "off"}) {
    EXPECT_TRUE(Load(std::string("metrics: {listen: ") + good + "}\n")) << error_;
  }
  for (const char* bad : {"9477", "\":9477\"", "127.0.0.1", "\"127.0.0.1:\"", "127.0.0.1:99999", "127.0.0.1:-1",
                          "127.0.0.1:80x", "\"::1:9477\"", "\"[::1]:9477\""}) {
    EXPECT_FALSE(Load(std::string("metrics: {listen: ") + bad + "}\n")) << bad;
    EXPECT_TRUE(Said("`listen` has to be an address and port")) << error_;
  }
}

TEST_F(ConfigTest, ReadsWhatIsWatched) {
  ASSERT_TRUE(Load(R"(state: kept
alarms: {no_packets: 10s, one_way_percent: off, drop_percent: 1.5, reload_failed: false, stale_indicators: 2d,
  output_failed: false, partner_silent: off, canary_missed: false, clear_after: 5s, command: [/usr/bin/logger, -t, vedette]}
canary: {interval: off, time_out: 3s, inject: wire}
mutes:
  - {value: "bad[.]example", source: cert-a, network: 10.0.0.0/8, reason: red team, until: 2020-01-01T00:00:00Z}
)")) << error_;
  EXPECT_EQ(config_.state, (folder_ / "kept").string());
  EXPECT_EQ(config_.alarms.no_packets, seconds(10));
  EXPECT_EQ(config_.alarms.one_way_percent, 0);
  EXPECT_EQ(config_.alarms.drop_percent, 1.5);
  EXPECT_FALSE(config_.alarms.reload_failed);
  EXPECT_FALSE(config_.alarms.output_failed);
  EXPECT_EQ(config_.alarms.stale_indicators, hours(48));
  EXPECT_EQ(config_.alarms.partner_silent, seconds(0));
  EXPECT_FALSE(config_.alarms.canary_missed);
  EXPECT_EQ(config_.alarms.clear_after, seconds(5));
  EXPECT_EQ(config_.alarms.command, (std::vector<std::string>{"/usr/bin/logger", "-t", "vedette"}));
  EXPECT_EQ(config_.canary.interval, seconds(0));
  EXPECT_EQ(config_.canary.time_out, seconds(3));
  EXPECT_EQ(config_.canary.inject, CanaryConfig::Inject::kWire);
  ASSERT_EQ(config_.mutes.size(), 1u);  // expired: `check` says so
  EXPECT_EQ(config_.mutes[0].network, "10.0.0.0/8");
  EXPECT_EQ(config_.mutes[0].by, "configuration");
  ASSERT_TRUE(Load("alarms: {command: /usr/local/bin/notify}")) << error_;
  EXPECT_EQ(config_.alarms.command, std::vector<std::string>{"/usr/local/bin/notify"});
}

TEST_F(ConfigTest, OutputIsAFileOrASection) {
  ASSERT_TRUE(Load("output: alerts.jsonl\n")) << error_;
  EXPECT_EQ(config_.output, (folder_ / "alerts.jsonl").string());
  EXPECT_EQ(config_.output_file.sync, seconds(1));
  ASSERT_TRUE(Load("output: {file: alerts.jsonl, sync: off, rotate_mebibytes: 64, keep: 3}\n")) << error_;
  EXPECT_EQ(config_.output, (folder_ / "alerts.jsonl").string());
  EXPECT_EQ(config_.output_file.sync, seconds(0));
  EXPECT_EQ(config_.output_file.rotate_bytes, uint64_t{64} << 20);
  EXPECT_EQ(config_.output_file.keep, 3u);
  ASSERT_TRUE(Load("output: {file: \"-\"}\n")) << error_;
  EXPECT_EQ(config_.output, "-");
  EXPECT_FALSE(Load("output: {keep: 3}\n"));
  EXPECT_TRUE(Said("`output` needs a `file`")) << error_;
  EXPECT_FALSE(Load("output: {file: a, keep: 0}\n"));
  EXPECT_FALSE(Load("output: [a, b]\n"));
}

TEST_F(ConfigTest, ASectionWithoutKeysIsNone) {
  EXPECT_TRUE(Load("output:\nalarms:\ncanary:\nmutes:\nindicators:\n")) << error_;
}

TEST_F(ConfigTest, NoPartnerHasTheCanarysName) {
  EXPECT_FALSE(
      Load("feed:\n  endpoint: tcp://127.0.0.1:1\n  secret_key: k\n  partners:\n    - {name: vedette-canary, "
           "public_key: \"" +
           NewKeyPair().public_key + "\"}\n"));
  EXPECT_TRUE(Said("sensor's own view")) << error_;
}

TEST_F(ConfigTest, WhatIsNoYamlIsSaid) {
  EXPECT_FALSE(Load("sensor: [\n"));
  EXPECT_TRUE(Said("not YAML")) << error_;
  EXPECT_FALSE(Load(""));
  EXPECT_FALSE(Load("- a\n- b\n"));
  EXPECT_FALSE(Load("? [a, b]\n: c\n"));
}

TEST(Duration, IsANumberAndAUnit) {
  EXPECT_EQ(ParseDuration("90s"), seconds(90));
  EXPECT_EQ(ParseDuration("5m"), minutes(5));
  EXPECT_EQ(ParseDuration("24h"), hours(24));
  EXPECT_EQ(ParseDuration("7d"), hours(168));
  EXPECT_EQ(ParseDuration("0s"), seconds(0));
  for (const char* text : {"", "s", "5", "5 m", "-5m", "+5m", "5M", "5mm", "1.5h", "99999999999999999999s", "9999d"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(Duration, HasAShortText) {
  EXPECT_EQ(DurationText(seconds(90)), "90s");
  EXPECT_EQ(DurationText(minutes(5)), "5m");
  EXPECT_EQ(DurationText(hours(36)), "36h");
  EXPECT_EQ(DurationText(hours(48)), "2d");
  EXPECT_EQ(DurationText(seconds(0)), "0s");
}

}  // namespace
}  // namespace vedette
