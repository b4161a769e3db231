#include "sensor/config/config_changes.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using Texts = std::vector<std::string>;

class ConfigChangesTest : public testing::Test {
 protected:
  // One file whose text changes.
  Config Load(const std::string& text) {
    const std::string path = (folder_ / "sensor.yaml").string();
    std::ofstream(path) << "geo:\n" << text;  // an empty file is none
    Config config;
    std::string error;
    EXPECT_TRUE(LoadConfig(path, config, error)) << error << '\n' << text;
    return config;
  }
  Texts Changed(const std::string& before, const std::string& now) { return ChangedSettings(Load(before), Load(now)); }

  const TemporaryFolder folder_;
};

TEST_F(ConfigChangesTest, NamesWhatHoldsFromTheNextStartOn) {
  EXPECT_EQ(Changed("capture: {interface: eth0}", "capture: {interface: eth1, filter: tcp}"),
            (Texts{"`capture: interface`", "`capture: filter`"}));
  EXPECT_EQ(Changed("capture: {interfaces: [eth0, eth1]}", "capture: {interfaces: [eth0]}"),
            Texts{"`capture: interfaces`"});
  EXPECT_EQ(Changed("output: a", "output: {file: a, keep: 3, sync: off}"), (Texts{"`output: sync`", "`output: keep`"}));
  EXPECT_EQ(Changed("indicators: [a]", "indicators: [b]\ncache: c"), Texts{}) << "a reload uses them";
  EXPECT_EQ(Changed("limits: {flows: 5000}", ""), Texts{"`limits: flows`"});
}

TEST_F(ConfigChangesTest, WhatIsOnlyWrittenOtherwiseIsNoChange) {
  EXPECT_EQ(Changed("# nothing\n", "capture: {promiscuous: true}\nalarms: {no_packets: 1m}\noutput: ~\n"), Texts{});
  const char* const mute = "mutes: [{id: i-1, reason: r, until: 2020-01-01T00:00:00Z}]";
  EXPECT_EQ(Changed(mute, mute), Texts{});
  EXPECT_EQ(Changed(mute, "mutes: [{id: i-2, reason: r, until: 2020-01-01T00:00:00Z}]"), Texts{"`mutes`"});
}

TEST_F(ConfigChangesTest, PartnersByTheirNames) {
  const std::string key = "'" + std::string(40, '0') + "'", other = "'" + std::string(39, '0') + "1'";
  const std::string feed = "feed:\n  endpoint: tcp://127.0.0.1:1\n  secret_key: s.key\n  partners:\n";
  const std::string alpha = "    - {name: alpha, public_key: " + key + ", originators: [x]}\n";
  const std::string beta = "    - {name: beta, public_key: " + other + ", originators: [x]}\n";
  EXPECT_EQ(Changed(feed + alpha + beta, feed + beta + alpha), Texts{});
  EXPECT_EQ(Changed(feed + alpha, feed + alpha + beta), Texts{"`feed: partners: beta`"});
  EXPECT_EQ(Changed(feed + alpha + beta, feed + beta), Texts{"`feed: partners: alpha`"});
  EXPECT_EQ(Changed(feed + alpha, feed + "    - {name: alpha, public_key: " + other + ", originators: [x]}\n"),
            Texts{"`feed: partners: alpha`"});
  EXPECT_EQ(
      Changed(feed + alpha, feed + "    - {name: alpha, public_key: " + key + ", originators: [x], max_tlp: red}\n"),
      Texts{"`feed: partners: alpha`"});
  EXPECT_EQ(Changed(feed + alpha, ""), Texts{"`feed`"});
  EXPECT_EQ(Changed(feed + alpha,
                    std::regex_replace(feed, std::regex("partners"), "unmarked_sources: [y]\n  partners") + alpha),
            Texts{"`feed: unmarked_sources`"});
}

// Whoever adds a key of a section to the configuration adds it here as well: each with another value is a change.
TEST_F(ConfigChangesTest, EveryKeyOfTheExampleIsCompared) {
  std::ifstream file(std::string(VEDETTE_SOURCE_DIR) + "/deploy/vedette.example.yaml");
  std::string section;
  size_t keys = 0;
  const std::regex top("^(# )?([a-z_]+):.*"), inner("^  (# )?([a-z_]+): *([^# ]+).*");
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, top)) {
      section = match[2];
    } else if (section != "feed" && section != "mutes" && std::regex_match(line, match, inner)) {
      const std::string key = match[2], value = match[3];
      std::string other = "9";
      if (value == "true" || value == "false") other = value == "true" ? "false" : "true";
      if (std::regex_match(value, std::regex("[0-9]+[smhd]"))) other = key == "stale_indicators" ? "48h" : "77s";
      if (std::regex_match(value, std::regex("[0-9]{3,}"))) other = std::to_string(std::stoull(value) / 2);
      if (key == "listen") other = "127.0.0.1:1";
      if (key == "resolvers" || key == "interfaces") other = "[192.0.2.1]";
      if (key == "inject") other = "wire";
      if (key == "backend") other = "libpcap";
      if (key == "latency") other = "low";
      if (key == "pin") other = "off";
      if (key == "outgoing") other = "ignore";
      if (key == "command") other = "/bin/true";
      const std::string file_key = section == "output" && key != "file" ? "file: a, " : "";
      const std::string before = file_key.empty() ? "" : section + ": {file: a}";
      const std::string expected = key == "file" ? "`output`" : "`" + section + ": " + key + "`";
      EXPECT_EQ(Changed(before, section + ": {" + file_key + key + ": " + other + "}"), Texts{expected});
      ++keys;
    }
  }
  EXPECT_GT(keys, 30u);
}

}  // namespace
}  // namespace vedette
