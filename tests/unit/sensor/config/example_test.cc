#include "sensor/config/example.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>

#include "sensor/config/config.h"
#include "sensor/config/config_changes.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

std::string CheckedIn() {
  std::ifstream file(std::string(VEDETTE_SOURCE_DIR) + "/deploy/vedette.example.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Calls visit(path, key) for all keys, those of sections and of lists' entries too.
void ForEachKey(const std::vector<KeyText>& keys, const std::string& path,
                const std::function<void(const std::string&, const KeyText&)>& visit) {
  for (const KeyText& key : keys) {
    visit(path + key.name, key);
    ForEachKey(key.keys, path + key.name + ": ", visit);
  }
}

TEST(ConfigExample, IsWhatTheTablesSay) {
  EXPECT_EQ(CheckedIn(), ExampleConfig())
      << "make it anew: vedette manual FOLDER --sections docs/man && cp FOLDER/vedette.example.yaml deploy/";
}

TEST(ConfigExample, HoldsEveryKey) {
  const std::string text = CheckedIn();
  size_t keys = 0;
  ForEachKey(DescribeConfig(), "", [&](const std::string& path, const KeyText& key) {
    ++keys;
    // A mute names an id or a value; the example shows the first, and tells of the other.
    const std::regex line(path == "mutes: value" ? "`value:`" : "\n *(# )?[ -]*" + key.name + ":");
    EXPECT_TRUE(std::regex_search(text, line)) << path << " is not in deploy/vedette.example.yaml";
  });
  EXPECT_GT(keys, 75u);
}

TEST(ConfigExample, EveryKeySaysWhatItIs) {
  std::set<std::string> paths;
  ForEachKey(DescribeConfig(), "", [&](const std::string& path, const KeyText& key) {
    EXPECT_TRUE(paths.insert(path).second) << path << " stands twice";
    EXPECT_FALSE(key.type.empty()) << path;
    if (key.keys.empty()) {
      EXPECT_FALSE(key.help.empty()) << path;
      EXPECT_FALSE(key.standard.empty() && key.example.empty()) << path << " has neither a default nor an example";
    }
    EXPECT_FALSE(key.help.ends_with('.')) << path;
  });
}

// Each default is written as the file would have it.
TEST(ConfigExample, ItsDefaultsAreThoseOfTheSensor) {
  const TemporaryFolder folder;
  const auto load = [&](const std::string& text) {
    const std::string path = (folder / "sensor.yaml").string();
    std::ofstream(path) << text;
    Config config;
    std::string error;
    EXPECT_TRUE(LoadConfig(path, config, error)) << error << '\n' << text;
    return config;
  };
  // Uncomments keys, and not the entries of lists.
  std::istringstream lines(ExampleConfig());
  std::string spelled;
  const std::regex commented("^( *)# ([a-z_]+:.*)$");
  for (std::string line; std::getline(lines, line);) spelled += std::regex_replace(line, commented, "$1$2") + '\n';
  EXPECT_EQ(ChangedSettings(load(ExampleConfig()), load(spelled)),
            (std::vector<std::string>{"`capture: keep: folder`", "`alarms: command`"}))
      << "these two have no default";
}

}  // namespace
}  // namespace vedette
