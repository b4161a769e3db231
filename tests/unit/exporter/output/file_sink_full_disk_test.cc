// A file that has no room for a while: the limit on a file's size stands for a full disk.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "exporter/output/file_sink.h"
#include "tests/unit/exporter/handmade_alerts.h"

namespace vedette {
namespace {

class FullDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    std::signal(SIGXFSZ, SIG_IGN);
    path_ = (std::filesystem::path(testing::TempDir()) / ("vedette-full-" + std::to_string(getpid()))).string();
    std::filesystem::remove(path_);
    records_.Add(IndicatorType::kHostname, "bad.example", "t-1");
    policy_ = std::make_unique<AlertPolicy>(records_.Catalogue(), AlertPolicy::Parts{.file_name = TestFileName});
    getrlimit(RLIMIT_FSIZE, &before_);
  }
  void TearDown() override {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::filesystem::remove(path_);
  }
  void Room(rlim_t bytes) const {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  std::string Contents() const {
    std::ifstream file(path_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  uint64_t Lines() const {
    const std::string text = Contents();
    EXPECT_TRUE(text.empty() || text.back() == '\n') << "ends in half a line";
    return static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  }

  std::unique_ptr<FileSink> Open() {
    std::unique_ptr<FileSink> sink = FileSink::Open(path_, OutputFormat::kJsonl, *policy_, error_);
    if (sink == nullptr) return nullptr;
    sink->GoLive(LiveOutput{}, [this](std::string_view text, bool is_problem) {
      said_.push_back((is_problem ? "problem: " : "news: ") + std::string(text));
    });
    return sink;
  }
  // As the exporter does.
  void Send(FileSink& sink, int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(Deliver(MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0}), *policy_, sink));
      sink.Idle();
    }
  }

  std::string path_, error_;
  rlimit before_{};
  RecordList records_;
  std::unique_ptr<AlertPolicy> policy_;
  std::vector<std::string> said_;
};

TEST_F(FullDiskTest, WhatWaitedIsWrittenWhenThereIsRoom) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  const auto line = Contents().size();
  ASSERT_GT(line, 0u);
  Room(3 * line + line / 2);
  Send(*sink, 10);
  EXPECT_TRUE(sink->failing());
  EXPECT_EQ(Lines(), 3u) << "the half line was taken back";
  EXPECT_EQ(sink->counters().lost, 0u);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find("problem: " + path_ + ": cannot be written: "), std::string::npos) << said_[0];
  Room(before_.rlim_max);
  Send(*sink, 1);
  EXPECT_TRUE(sink->failing()) << "tried again once a second, not at each alert";
  std::this_thread::sleep_for(FileSink::kTryAgain + std::chrono::milliseconds(50));
  sink->Idle();
  EXPECT_FALSE(sink->failing());
  EXPECT_EQ(Lines(), 12u);
  ASSERT_EQ(said_.size(), 2u);
  EXPECT_NE(said_[1].find("news: " + path_ + ": can be written again; 0 alerts were lost"), std::string::npos);
  Send(*sink, 1);
  EXPECT_TRUE(sink->Close()) << sink->error();
  EXPECT_EQ(Lines(), 13u);
}

TEST_F(FullDiskTest, WhatIsTooMuchToWaitIsLostAndCounted) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  const auto line = Contents().size();
  Room(line);
  const int more = static_cast<int>(FileSink::kHeldBytes / line) + 100;
  Send(*sink, more);
  EXPECT_GT(sink->counters().lost, 90u);
  EXPECT_LE(sink->counters().lost, 100u);
  Room(before_.rlim_max);
  std::this_thread::sleep_for(FileSink::kTryAgain + std::chrono::milliseconds(50));
  sink->Idle();
  EXPECT_FALSE(sink->failing());
  EXPECT_EQ(Lines() + sink->counters().lost, static_cast<uint64_t>(1 + more));
}

TEST_F(FullDiskTest, AtTheEndWhatCouldNotBeWrittenIsSaid) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  Room(Contents().size());
  Send(*sink, 5);
  EXPECT_FALSE(sink->Close());
  EXPECT_EQ(sink->counters().lost, 5u);
  EXPECT_NE(sink->error().find("5 alerts were lost"), std::string::npos) << sink->error();
  EXPECT_EQ(Lines(), 1u);
}

}  // namespace
}  // namespace vedette
