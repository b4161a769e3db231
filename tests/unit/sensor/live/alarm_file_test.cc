// What the operator's command is told, across restarts, and where it cannot be told at once.
#include "sensor/live/alarm_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/output/file_sink.h"
#include "sensor/hardening/processes/command_runner.h"
#include "sensor/live/alarms.h"
#include "sensor/pipeline/totals_figures.h"

namespace vedette {
namespace {

using std::chrono::seconds;
constexpr int64_t kUnix = 1'795'428'000;

class AlarmFileTest : public testing::Test {
 protected:
  AlarmFileTest() {
    std::string pattern = testing::TempDir() + "/alarms.XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/alarms.json";
    std::ofstream(folder_ + "/notify") << "#!/bin/sh\ncat >>" << folder_ << "/told\n";
    chmod((folder_ + "/notify").c_str(), 0755);
  }
  ~AlarmFileTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<CommandRunner> Command(uint32_t burst = 10, std::chrono::milliseconds every = seconds(6)) {
    CommandRunner::Options options;
    options.command = {folder_ + "/notify"};
    options.burst = burst;
    options.every = every;
    std::string error;
    auto command = CommandRunner::Start(options, error);
    EXPECT_NE(command, nullptr) << error;
    return command;
  }
  // "+name" and "-name" of what the command was told by now.
  std::string Told() const {
    std::ifstream file(folder_ + "/told");
    std::string out;
    for (std::string line; std::getline(file, line);) {
      const nlohmann::json json = nlohmann::json::parse(line);
      out += (out.empty() ? "" : " ") + std::string(json["state"] == "raised" ? "+" : "-") +
             json["alarm"].get<std::string>();
    }
    return out;
  }
  std::string AwaitTold(const std::string& what) const {
    for (int i = 0; i < 200 && Told() != what; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return Told();
  }
  static Figures With(double output_failing, double reload_failing = 0) {
    Figures figures;
    figures.Add(families::kPacketsReceived, 1);
    figures.Add(families::kOutputFailing, output_failing);
    figures.Add(families::kReloadFailing, reload_failing);
    return figures;
  }
  AlarmRules::Now At(int second) const {
    return {std::chrono::steady_clock::time_point(std::chrono::hours(1)) + seconds(second), kUnix + second};
  }
  static AlarmsConfig Config() {
    AlarmsConfig config;
    config.no_packets = seconds(0);
    return config;
  }

  std::string folder_, path_;
  Log log_;
};

TEST_F(AlarmFileTest, ReadsWhatItWrote) {
  AlarmFile file(path_);
  std::string error;
  EXPECT_TRUE(file.Read(error).empty());
  EXPECT_EQ(error, "") << "there is none yet";
  const std::vector<KeptAlarm> kept = {
      {.alarm = {.name = "interface_down.eth1", .critical = true, .text = "a \"tap\"\xff", .since = kUnix},
       .raised = true,
       .told = true},
      {.alarm = {.name = "drops", .critical = false, .text = "x", .since = 5}, .raised = false, .told = true}};
  ASSERT_TRUE(file.Write(kept, error)) << error;
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::vector<KeptAlarm> read = AlarmFile(path_).Read(error);
  ASSERT_EQ(read.size(), 2u) << error;
  EXPECT_EQ(read[0].alarm.name, "interface_down.eth1");
  EXPECT_TRUE(read[0].alarm.critical);
  EXPECT_EQ(read[0].alarm.since, kUnix);
  EXPECT_TRUE(read[0].raised && read[0].told);
  EXPECT_FALSE(read[1].raised);
  EXPECT_TRUE(AlarmFile("").Write(kept, error)) << "nothing is kept";
}

TEST_F(AlarmFileTest, WhatIsNoListIsSaidAndNotUsed) {
  for (const char* text :
       {"", "{", "[]", "{\"alarms\":3}", "{\"alarms\":[3]}", "{\"alarms\":[{\"alarm\":\"x\"}]}",
        "{\"alarms\":[{\"alarm\":7,\"critical\":1,\"raised\":1,\"since\":1,\"text\":1,\"told\":1}]}"}) {
    std::ofstream(path_, std::ios::trunc) << text;
    std::string error;
    EXPECT_TRUE(AlarmFile(path_).Read(error).empty()) << text;
    EXPECT_NE(error.find(path_), std::string::npos) << text;
  }
  std::string error;
  AlarmFile unwritable(folder_ + "/nowhere/alarms.json");
  EXPECT_FALSE(unwritable.Write({}, error));
  EXPECT_NE(error.find("cannot be written"), std::string::npos);
}

TEST_F(AlarmFileTest, AnAlarmOfAnEarlierRunIsToldToBeOver) {
  {
    const auto command = Command();
    Alarms alarms(Config(), "vienna-1", At(0), log_, command.get(), path_);
    alarms.Evaluate(With(1, 1), At(1));
    EXPECT_EQ(AwaitTold("+output_failed +reload_failed"), "+output_failed +reload_failed");
  }
  {
    const auto command = Command();
    Alarms alarms(Config(), "vienna-1", At(100), log_, command.get(), path_);
    for (int second = 101; second < 120; ++second) alarms.Evaluate(With(1), At(second));
    EXPECT_EQ(alarms.Active().size(), 1u);
    EXPECT_EQ(alarms.Active()[0].since, kUnix + 1) << "since when it was raised first";
    const std::string all = "+output_failed +reload_failed -reload_failed";
    EXPECT_EQ(AwaitTold(all), all) << "and nothing is told twice";
  }
  const auto command = Command();
  Alarms alarms(Config(), "vienna-1", At(200), log_, command.get(), path_);
  for (int second = 201; second < 220; ++second) alarms.Evaluate(With(0), At(second));
  const std::string all = "+output_failed +reload_failed -reload_failed -output_failed";
  EXPECT_EQ(AwaitTold(all), all);
  std::string error;
  EXPECT_TRUE(AlarmFile(path_).Read(error).empty());
  EXPECT_EQ(error, "");
}

// A storm is over what the command may be run; in the end it knows how each alarm is.
TEST_F(AlarmFileTest, WhatCouldNotBeToldAtOnceIsToldLater) {
  const auto command = Command(1, std::chrono::milliseconds(50));
  Alarms alarms(Config(), "vienna-1", At(0), log_, command.get(), path_);
  alarms.Evaluate(With(1, 1), At(1));
  for (int second = 2; second < 40; ++second) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    alarms.Evaluate(With(1, 1), At(second));
  }
  EXPECT_EQ(AwaitTold("+output_failed +reload_failed"), "+output_failed +reload_failed");
}

TEST_F(AlarmFileTest, AFlapThatWasNeverToldIsNotToldToBeOver) {
  const auto command = Command(1, std::chrono::hours(1));
  Alarms alarms(Config(), "vienna-1", At(0), log_, command.get(), path_);
  alarms.Evaluate(With(1, 1), At(1));
  alarms.Evaluate(With(1, 0), At(2));
  std::string error;
  const std::vector<KeptAlarm> kept = AlarmFile(path_).Read(error);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(kept[0].alarm.name, "output_failed");
  EXPECT_TRUE(kept[0].told);
}

}  // namespace
}  // namespace vedette
