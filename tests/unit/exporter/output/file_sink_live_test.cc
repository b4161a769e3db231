// A file of alerts that is renamed, removed and rotated while a sensor writes it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "exporter/output/file_sink.h"
#include "tests/unit/exporter/handmade_alerts.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;

class LiveFileTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = (folder_ / "alerts.jsonl").string();
    records_.Add(IndicatorType::kHostname, "bad.example", "t-1");
    policy_ = std::make_unique<AlertPolicy>(records_.Catalogue(), AlertPolicy::Parts{.file_name = TestFileName});
  }

  std::unique_ptr<FileSink> Open(const LiveOutput& options = {}) {
    uint64_t cut_bytes = 0;
    std::unique_ptr<FileSink> sink = FileSink::Append(path_, *policy_, cut_bytes, error_);
    if (sink == nullptr) return nullptr;
    sink->GoLive(options, [this](std::string_view text, bool is_problem) {
      said_.push_back((is_problem ? "problem: " : "news: ") + std::string(text));
    });
    return sink;
  }
  // As the exporter does; each alert has a time of its own.
  void Send(FileSink& sink, int count) {
    for (int i = 0; i < count; ++i) {
      Alert alert = MakeAlert(ObservableKind::kDnsQuery, "bad.example", {0});
      alert.time_ns += static_cast<uint64_t>(++sent_) * 1'000'000;
      ASSERT_TRUE(Deliver(alert, *policy_, sink));
      sink.Idle();
    }
  }
  std::vector<std::string> Times(const fs::path& path) const {
    std::vector<std::string> times;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const auto alert = nlohmann::json::parse(line, nullptr, false);
      times.push_back(alert.is_discarded() ? "no JSON: " + line : alert.value("timestamp", ""));
    }
    return times;
  }
  // All of them, each once, in whichever of the folder's files.
  void ExpectAll() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::vector<std::string> some = Times(entry.path());
      all.insert(all.end(), some.begin(), some.end());
    }
    EXPECT_EQ(all.size(), static_cast<size_t>(sent_));
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), static_cast<size_t>(sent_)) << "lost or doubled";
  }

  const TemporaryFolder folder_;
  std::string path_, error_;
  int sent_ = 0;
  RecordList records_;
  std::unique_ptr<AlertPolicy> policy_;
  std::vector<std::string> said_;
};

TEST_F(LiveFileTest, TheNextAlertAfterARenameGoesToANewFile) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 3);
  fs::rename(path_, path_ + ".old");
  Send(*sink, 1);
  EXPECT_EQ(Times(path_ + ".old").size(), 3u);
  EXPECT_EQ(Times(path_).size(), 1u);
  EXPECT_EQ(sink->counters().moved, 1u);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_EQ(said_[0], "news: " + path_ + ": was renamed; from here on, alerts go to a new file of that name");
  // One that logrotate made in its place is taken as it is.
  fs::rename(path_, path_ + ".older");
  std::ofstream(path_).close();
  Send(*sink, 2);
  EXPECT_EQ(Times(path_).size(), 2u);
  EXPECT_TRUE(sink->Close());
  ExpectAll();
}

TEST_F(LiveFileTest, AMissingPathIsNoticedWithoutAnAlert) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  fs::remove(path_);
  const auto begin = std::chrono::steady_clock::now();
  while (!fs::exists(path_) && std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    sink->Idle();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find("problem: " + path_ + ": was removed"), std::string::npos) << said_[0];
}

TEST_F(LiveFileTest, ReopenTakesEffectAtOnceAndChangesNothingWithoutNeed) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  EXPECT_TRUE(sink->Reopen(error_));
  EXPECT_EQ(sink->counters().moved, 0u);
  fs::rename(path_, path_ + ".old");
  EXPECT_TRUE(sink->Reopen(error_)) << error_;
  EXPECT_TRUE(fs::exists(path_));
  fs::rename(path_, path_ + ".older");
  fs::create_directory(path_);
  EXPECT_FALSE(sink->Reopen(error_));
  EXPECT_NE(error_.find(path_ + ": cannot be written: Is a directory"), std::string::npos) << error_;
}

// A pipe would be waited for, and a device swallows: the sensor's exporter must do neither.
TEST_F(LiveFileTest, WhatIsNoRegularFileIsNotTakenForTheNewOne) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  fs::rename(path_, path_ + ".old");
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  Send(*sink, 2);
  EXPECT_TRUE(sink->failing());
  EXPECT_EQ(Times(path_ + ".old").size(), 3u);
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find(path_ + ": is a pipe that nobody reads"), std::string::npos) << said_[0];
  fs::remove(path_);
  fs::create_symlink("/dev/null", path_);
  EXPECT_FALSE(sink->Reopen(error_));
  EXPECT_NE(error_.find(path_ + ": is not a regular file"), std::string::npos) << error_;
  fs::remove(path_);
  EXPECT_TRUE(sink->Reopen(error_)) << error_;
  Send(*sink, 1);
  EXPECT_FALSE(sink->failing());
  EXPECT_TRUE(sink->Close());
  ExpectAll();
}

TEST_F(LiveFileTest, APipeIsNeverWaitedFor) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(Open(), nullptr);
  EXPECT_NE(error_.find(path_ + ": is a pipe that nobody reads; start its reader first"), std::string::npos) << error_;
  const int reader = open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_GE(fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 20);
  EXPECT_TRUE(sink->failing());  // its reader has stopped
  ASSERT_EQ(said_.size(), 1u);
  EXPECT_NE(said_[0].find("Up to 1024 KiB of alerts wait"), std::string::npos) << said_[0];
  std::string all;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::count(all.begin(), all.end(), '\n') < 20 && std::chrono::steady_clock::now() < end) {
    char buffer[4096];
    for (ssize_t n = 0; (n = read(reader, buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<size_t>(n));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    sink->Idle();
  }
  close(reader);
  std::ofstream(path_ + ".read") << all;
  fs::remove(path_);
  ExpectAll();
}

TEST_F(LiveFileTest, WhereThePathCannotBeOpenedAlertsGoOnIntoTheRenamedFile) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  fs::rename(path_, path_ + ".old");
  fs::create_directory(path_);
  Send(*sink, 4);
  EXPECT_TRUE(sink->failing());
  EXPECT_EQ(Times(path_ + ".old").size(), 5u);
  ASSERT_EQ(said_.size(), 1u) << "said once, not with each alert";
  EXPECT_NE(said_[0].find("Is a directory"), std::string::npos) << said_[0];
  fs::remove(path_);
  std::this_thread::sleep_for(FileSink::kTryAgain + std::chrono::milliseconds(50));
  Send(*sink, 1);
  EXPECT_FALSE(sink->failing());
  EXPECT_EQ(Times(path_).size(), 1u);
  EXPECT_EQ(sink->counters().lost, 0u);
}

TEST_F(LiveFileTest, WhereTheFileIsRemovedAndCannotBeMadeAlertsWait) {
  const auto sink = Open();
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 1);
  fs::remove(path_);
  fs::create_directory(path_);
  Send(*sink, 4);
  EXPECT_TRUE(sink->failing());
  fs::remove(path_);
  std::this_thread::sleep_for(FileSink::kTryAgain + std::chrono::milliseconds(50));
  sink->Idle();
  EXPECT_FALSE(sink->failing());
  EXPECT_EQ(Times(path_).size(), 4u);
  EXPECT_EQ(sink->counters().lost, 0u);
}

TEST_F(LiveFileTest, RotatesBySizeAndKeepsSoManyFiles) {
  LiveOutput options;
  options.rotate_bytes = 4096;
  options.keep = 100;
  auto sink = Open(options);
  ASSERT_NE(sink, nullptr) << error_;
  Send(*sink, 60);
  EXPECT_TRUE(sink->Close());
  EXPECT_GT(sink->counters().rotated, 5u);
  EXPECT_EQ(sink->counters().moved, 0u);
  EXPECT_TRUE(said_.empty()) << said_[0];
  ExpectAll();
  // The newest is .1; what is beyond `keep` goes, and a hole in the numbers is filled.
  const uint64_t files = sink->counters().rotated;
  EXPECT_FALSE(fs::exists(path_ + "." + std::to_string(files + 1)));
  const std::vector<std::string> newest = Times(path_ + ".1"), before = Times(path_ + ".2");
  EXPECT_GT(newest.front(), before.back());
  fs::remove(path_ + ".3");
  options.keep = 4;
  sink = Open(options);
  const std::vector<std::string> fourth = Times(path_ + ".4");
  while (sink->counters().rotated == 0) Send(*sink, 1);
  EXPECT_EQ(Times(path_ + ".3"), before);
  EXPECT_EQ(Times(path_ + ".4"), fourth);
  while (sink->counters().rotated == 1) Send(*sink, 1);
  EXPECT_EQ(Times(path_ + ".4"), before);
}

TEST_F(LiveFileTest, AFileThatCannotBeRotatedIsWrittenOn) {
  fs::create_directory(path_ + ".1");
  std::ofstream(path_ + ".1/occupied").close();
  LiveOutput options;
  options.rotate_bytes = 4096;
  options.keep = 1;
  const auto sink = Open(options);
  Send(*sink, 40);
  EXPECT_EQ(Times(path_).size(), 40u);
  ASSERT_EQ(said_.size(), 1u) << "said once";
  EXPECT_NE(said_[0].find("cannot be rotated"), std::string::npos) << said_[0];
}

// A descriptor that is closed cannot be brought to disk: that it is told shows that it was tried, and when.
TEST_F(LiveFileTest, WhatIsWrittenIsBroughtToDiskWithinTheTimeThatIsSet) {
  const auto file_at = [this](const char* name) {
    uint64_t cut_bytes = 0;
    return OutputFile::Append((folder_ / name).string(), cut_bytes, error_);
  };
  const auto good = file_at("good"), bad = file_at("bad");
  close(bad->descriptor());
  DiskSync sync(path_, std::chrono::milliseconds(300));
  const auto wait_for = [&](bool problem) {
    const auto begin = std::chrono::steady_clock::now();
    while (sync.problem().empty() == problem && std::chrono::steady_clock::now() - begin < std::chrono::seconds(10))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return std::chrono::steady_clock::now() - begin;
  };
  sync.Written(bad);
  const auto took = wait_for(true);
  EXPECT_EQ(sync.problem(), "Bad file descriptor");
  EXPECT_GT(took, std::chrono::milliseconds(200)) << "one for all that is written meanwhile";
  EXPECT_LT(took, std::chrono::seconds(5));
  // Of several files, as after a rotation, one that fails is told.
  sync.Written(good);
  EXPECT_LT(wait_for(false), std::chrono::seconds(5));
  sync.Written(bad);
  sync.Written(good);
  EXPECT_LT(wait_for(true), std::chrono::seconds(5));
}

TEST_F(LiveFileTest, AFileThatIsCutIsWrittenFromItsBegin) {
  const auto sink = Open();
  Send(*sink, 3);
  fs::resize_file(path_, 0);
  Send(*sink, 1);
  EXPECT_EQ(Times(path_).size(), 1u);
}

}  // namespace
}  // namespace vedette
