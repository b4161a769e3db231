#include "sensor/hardening/processes/command_runner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sensor/hardening/confinement.h"
#include "sensor/hardening/landlock.h"
#include "tests/unit/sensor/hardening/in_child.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using std::chrono::milliseconds;
using testing::InChild;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class CommandRunnerTest : public ::testing::Test {
 protected:
  // A shell script as the operator's command.
  CommandRunner::Options Script(const std::string& body) {
    const std::string path = folder_ / "command";
    std::ofstream(path) << "#!/bin/sh\n" << body << '\n';
    chmod(path.c_str(), 0755);
    CommandRunner::Options options;
    options.command = {path, folder_ / "out", "two words"};
    return options;
  }
  static CommandStatus WaitFor(CommandRunner& runner, uint64_t runs) {
    CommandStatus status;
    for (int i = 0; i < 2000; ++i) {
      status = runner.Status();
      const CommandCounters& counters = status.counters;
      if (counters.succeeded + counters.failed + counters.timed_out >= runs) break;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return status;
  }
  TemporaryFolder folder_;
  std::string error_;
};

TEST_F(CommandRunnerTest, HandsNameAndTextToTheCommand) {
  const auto runner = CommandRunner::Start(Script("echo \"$VEDETTE_ALARM|$2|$#|$(cat)\" >>\"$1\""), error_);
  ASSERT_NE(runner, nullptr) << error_;
  EXPECT_TRUE(runner->Run("no_packets", "nothing for 60 s on eth0; $(touch /tmp/x) `id`"));
  EXPECT_TRUE(runner->Run("odd\nname;A", ""));
  const CommandCounters counters = WaitFor(*runner, 2).counters;
  EXPECT_EQ(counters.accepted, 2U);
  EXPECT_EQ(counters.succeeded, 2U);
  EXPECT_EQ(Contents(folder_ / "out"),
            "no_packets|two words|2|nothing for 60 s on eth0; $(touch /tmp/x) `id`\nodd_name__|two words|2|\n");
}

TEST_F(CommandRunnerTest, TheCommandSeesNothingOfTheSensor) {
  const int leaked = open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library may
  setenv("SECRET_OF_THE_SENSOR", "4711", 1);
  const auto runner = CommandRunner::Start(Script("{ ls /proc/self/fd | sort -n | tr '\\n' ' '; env | sort | grep -v "
                                                  "'^_=\\|^SHLVL\\|^PWD\\|^OLDPWD'; pwd; } >\"$1\""),
                                           error_);
  ASSERT_NE(runner, nullptr) << error_;
  runner->Run("x", "");
  WaitFor(*runner, 1);
  close(leaked);
  // ls has its own folder open as 3.
  EXPECT_EQ(Contents(folder_ / "out"),
            "0 1 2 3 LC_ALL=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "VEDETTE_ALARM=x\n/\n");
}

TEST_F(CommandRunnerTest, CountsWhatFailsAndKillsWhatHangs) {
  CommandRunner::Options options = Script("case $VEDETTE_ALARM in bad) exit 3;; hang) sleep 60 & sleep 60;; esac");
  options.time_out = std::chrono::seconds(1);
  const auto runner = CommandRunner::Start(options, error_);
  ASSERT_NE(runner, nullptr) << error_;
  const auto begin = std::chrono::steady_clock::now();
  for (const char* name : {"bad", "hang", "good"}) EXPECT_TRUE(runner->Run(name, "text"));
  const CommandCounters counters = WaitFor(*runner, 3).counters;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
  EXPECT_EQ(counters.failed, 1U);
  EXPECT_EQ(counters.timed_out, 1U);
  EXPECT_EQ(counters.succeeded, 1U);
  EXPECT_FALSE(runner->Status().failing) << "the last one ended well";
  EXPECT_EQ(runner->Status().last_failure, "took longer than 1 s and was killed");
}

TEST_F(CommandRunnerTest, SaysHowARunEnded) {
  const auto runner =
      CommandRunner::Start(Script("case $VEDETTE_ALARM in exit) exit 3;; signal) kill -9 $$;; esac"), error_);
  ASSERT_NE(runner, nullptr) << error_;
  EXPECT_EQ(runner->Status().last_failure, "");
  runner->Run("exit", "");
  EXPECT_EQ(WaitFor(*runner, 1).last_failure, "exit status 3");
  EXPECT_TRUE(runner->Status().failing);
  runner->Run("signal", "");
  EXPECT_EQ(WaitFor(*runner, 2).last_failure, "ended by signal 9");
  std::filesystem::remove(runner->program());
  runner->Run("gone", "");
  EXPECT_NE(WaitFor(*runner, 3).last_failure.find("exit status 127 (it"), std::string::npos);
  EXPECT_FALSE(runner->Status().gone);
}

TEST_F(CommandRunnerTest, SaysThatItsHelperIsGone) {
  const auto options = Script("exit 0");
  EXPECT_EQ(InChild([&] {
              std::string error;
              const auto runner = CommandRunner::Start(options, error);
              if (runner == nullptr) return error;
              std::string pid;
              std::ifstream("/proc/self/task/" + std::to_string(getpid()) + "/children") >> pid;
              if (pid.empty() || runner->Status().gone) return std::string("no helper");
              kill(std::stoi(pid), SIGKILL);
              for (int i = 0; i < 2000 && !runner->Status().gone; ++i) std::this_thread::sleep_for(milliseconds(5));
              return std::to_string(runner->Status().gone) + std::to_string(runner->Run("x", ""));
            }),
            "10");
}

TEST_F(CommandRunnerTest, NeitherAStormNorAHangMakesItWait) {
  CommandRunner::Options options = Script("sleep 60");
  options.burst = 20'000;
  options.time_out = std::chrono::seconds(1);
  const auto runner = CommandRunner::Start(options, error_);
  ASSERT_NE(runner, nullptr) << error_;
  const std::string text(CommandRunner::kMaxTextBytes, 'x');
  const auto begin = std::chrono::steady_clock::now();
  uint64_t accepted = 0;
  for (int i = 0; i < 2'000; ++i) accepted += runner->Run("storm", text) ? 1 : 0;
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  const CommandCounters counters = runner->Status().counters;
  EXPECT_EQ(counters.accepted, accepted);
  EXPECT_EQ(counters.accepted + counters.dropped_busy, 2'000U);
  EXPECT_GT(counters.dropped_busy, 0U);
}

TEST_F(CommandRunnerTest, KeepsToItsRate) {
  CommandRunner::Options options = Script("exit 0");
  options.burst = 3;
  options.every = milliseconds(500);
  const auto runner = CommandRunner::Start(options, error_);
  ASSERT_NE(runner, nullptr) << error_;
  int accepted = 0;
  for (int i = 0; i < 10; ++i) accepted += runner->Run("x", "") ? 1 : 0;
  EXPECT_EQ(accepted, 3);
  EXPECT_EQ(runner->Status().counters.dropped_rate, 7U);
  std::this_thread::sleep_for(milliseconds(700));
  EXPECT_TRUE(runner->Run("x", ""));
}

TEST_F(CommandRunnerTest, ALongTextIsCut) {
  const auto runner = CommandRunner::Start(Script("wc -c >\"$1\""), error_);
  ASSERT_NE(runner, nullptr) << error_;
  runner->Run(std::string(500, 'n'), std::string(100'000, 'x'));
  EXPECT_EQ(WaitFor(*runner, 1).counters.succeeded, 1U);
  EXPECT_EQ(Contents(folder_ / "out"), std::to_string(CommandRunner::kMaxTextBytes) + "\n");
}

TEST_F(CommandRunnerTest, ACommandThatReadsNothingIsNoFailure) {
  const auto runner = CommandRunner::Start(Script("exec <&-; exit 0"), error_);
  ASSERT_NE(runner, nullptr) << error_;
  runner->Run("x", std::string(10'000, 'x'));
  EXPECT_EQ(WaitFor(*runner, 1).counters.succeeded, 1U);
}

TEST_F(CommandRunnerTest, WhatIsNoProgramIsRefusedAtTheStart) {
  const auto error = [&](std::vector<std::string> command) {
    CommandRunner::Options options;
    options.command = std::move(command);
    std::string text;
    EXPECT_EQ(CommandRunner::Start(options, text), nullptr);
    return text;
  };
  EXPECT_NE(error({}).find("absolute path"), std::string::npos);
  EXPECT_NE(error({"notify"}).find("absolute path"), std::string::npos);
  EXPECT_NE(error({"/nowhere/notify"}).find("/nowhere/notify is no program"), std::string::npos);
  EXPECT_NE(error({"/etc"}).find("is no program"), std::string::npos);
  EXPECT_NE(error({"/etc/passwd"}).find("is no program"), std::string::npos);
}

TEST_F(CommandRunnerTest, ItsHelperEndsWithTheSensor) {
  const auto options = Script("exit 0");
  const std::string helper = InChild([&] {
    std::string error;
    auto runner = CommandRunner::Start(options, error);
    if (runner == nullptr) return error;
    // The helper is this process's only child. It ends although nobody says goodbye.
    std::string pid;
    std::ifstream("/proc/self/task/" + std::to_string(getpid()) + "/children") >> pid;
    runner.release();
    return pid;
  });
  ASSERT_FALSE(helper.empty());
  const pid_t pid = std::stoi(helper);
  bool gone = false;
  for (int i = 0; i < 1000 && !gone; ++i) {
    const std::string state = Contents("/proc/" + helper + "/stat");
    gone = kill(pid, 0) != 0 || state.find(") Z ") != std::string::npos;  // a container may have nobody to reap it
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_TRUE(gone);
}

TEST_F(CommandRunnerTest, WorksFromWithinConfinement) {
  if (LandlockAbi() == 0) GTEST_SKIP() << "confinement is NOT tested: the kernel has no Landlock";
  const auto options = Script("cat >\"$1\"");
  EXPECT_EQ(InChild([&] {
              std::string error;
              const auto runner = CommandRunner::Start(options, error);
              if (runner == nullptr) return error;
              ConfinementPolicy policy;
              policy.required = true;
              Confinement result;
              if (!Confine(policy, result, error)) return error;
              runner->Run("x", "told");
              const CommandCounters counters = WaitFor(*runner, 1).counters;
              return std::to_string(counters.succeeded) + std::to_string(counters.failed);
            }),
            "10");
  EXPECT_EQ(Contents(folder_ / "out"), "told");
}

}  // namespace
}  // namespace vedette
