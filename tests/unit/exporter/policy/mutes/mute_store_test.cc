#include "exporter/policy/mutes/mute_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "exporter/metrics/families.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

constexpr int64_t kNow = 1'795'428'000'000'000'000;
constexpr int64_t kHour = int64_t{3'600} * 1'000'000'000;

class MuteStoreTest : public testing::Test {
 protected:
  std::string File() const { return (folder_ / "mutes.json").string(); }
  static MuteRequest Request(const std::string& indicator, int64_t hours = 1) {
    MuteRequest request;
    request.indicator = indicator;
    request.reason = "test";
    request.by = "ops";
    request.until_ns = kNow + hours * kHour;
    return request;
  }
  std::unique_ptr<MuteStore> Open(const std::vector<Mute>& configured = {}, int64_t now = kNow) {
    error_.clear();
    return MuteStore::Open(File(), configured, now, error_);
  }
  Mute Add(MuteStore& store, const MuteRequest& request) {
    Mute made;
    EXPECT_TRUE(store.Add(request, kNow, made, error_)) << error_;
    return made;
  }

  const TemporaryFolder folder_;
  std::string error_;
};

TEST_F(MuteStoreTest, KeepsWhatWasMadeAcrossARestart) {
  {
    const auto store = Open();
    ASSERT_NE(store, nullptr) << error_;
    Add(*store, Request("t-1"));
    Add(*store, Request("t-2"));
  }
  struct stat status {};
  ASSERT_EQ(stat(File().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_FALSE(std::filesystem::exists(File() + ".new"));
  const auto store = Open();
  ASSERT_NE(store, nullptr) << error_;
  const std::vector<MuteStore::Status> all = store->All();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].mute.reason, "test");
  EXPECT_EQ(all[0].mute.by, "ops");
  EXPECT_EQ(all[0].mute.created_ns, kNow);
}

TEST_F(MuteStoreTest, TheSameAgainRenewsIt) {
  const auto store = Open();
  Add(*store, Request("t-1"));
  Add(*store, Request("t-1", 5));
  ASSERT_EQ(store->All().size(), 1u);
  EXPECT_EQ(store->All()[0].mute.until_ns, kNow + 5 * kHour);
}

TEST_F(MuteStoreTest, EndsByNameOfEither) {
  const auto store = Open();
  const Mute first = Add(*store, Request("t-1"));
  Add(*store, Request("t-2"));
  Mute removed;
  EXPECT_TRUE(store->Remove(first.id, removed, error_)) << error_;
  EXPECT_EQ(removed.indicator, "t-1");
  EXPECT_FALSE(store->Remove(first.id, removed, error_));
  EXPECT_TRUE(store->Remove("t-2", removed, error_)) << error_;
  EXPECT_TRUE(store->All().empty());
  EXPECT_TRUE(Open()->All().empty());
  MuteRequest narrow = Request("t-3");
  Add(*store, narrow);
  narrow.network = "10.0.0.0/8";
  Add(*store, narrow);
  EXPECT_FALSE(store->Remove("t-3", removed, error_));
  EXPECT_NE(error_.find("several"), std::string::npos);
}

TEST_F(MuteStoreTest, ExpiredOnesAreGoneAndSaid) {
  const auto store = Open();
  Add(*store, Request("t-1", 1));
  Add(*store, Request("t-2", 2));
  EXPECT_TRUE(store->Expire(kNow + kHour - 1, error_).empty());
  const std::vector<Mute> over = store->Expire(kNow + kHour, error_);
  ASSERT_EQ(over.size(), 1u);
  EXPECT_EQ(over[0].indicator, "t-1");
  EXPECT_TRUE(error_.empty());
  EXPECT_EQ(store->All().size(), 1u);
  EXPECT_EQ(Open()->All().size(), 1u);
  EXPECT_EQ(Open({}, kNow + 3 * kHour)->All().size(), 0u);
}

TEST_F(MuteStoreTest, AFileThatCannotBeWrittenWhenOneExpiresIsWrittenLater) {
  const auto store = Open();
  Add(*store, Request("t-1", 1));
  Add(*store, Request("t-2", 9));
  const auto in_file = [&](const std::string& text) {
    std::ifstream file(File());
    std::stringstream all;
    all << file.rdbuf();
    return all.str().find(text) != std::string::npos;
  };
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t over = kNow + kHour;
  std::filesystem::create_directories(File() + ".new/in-the-way");
  EXPECT_EQ(store->Expire(over, error_).size(), 1u);
  EXPECT_NE(error_.find("cannot be written"), std::string::npos) << error_;
  EXPECT_EQ(error_.find("nothing has changed"), std::string::npos) << error_;
  EXPECT_EQ(store->All().size(), 1u);
  // Each attempt is said once: a minute later, not every second.
  error_.clear();
  EXPECT_TRUE(store->Expire(over + 59 * kSecond, error_).empty());
  EXPECT_EQ(error_, "");
  EXPECT_TRUE(store->Expire(over + 60 * kSecond, error_).empty());
  EXPECT_NE(error_.find("cannot be written"), std::string::npos) << error_;
  error_.clear();
  EXPECT_TRUE(in_file("t-1"));
  std::filesystem::remove_all(File() + ".new");
  store->Expire(over + 119 * kSecond, error_);
  EXPECT_TRUE(in_file("t-1"));
  store->Expire(over + 120 * kSecond, error_);
  EXPECT_EQ(error_, "");
  EXPECT_FALSE(in_file("t-1"));
  EXPECT_TRUE(in_file("t-2"));
  // What is written otherwise does as well.
  std::filesystem::create_directories(File() + ".new/in-the-way");
  store->Expire(kNow + 9 * kHour, error_);
  EXPECT_NE(error_, "");
  error_.clear();
  EXPECT_TRUE(in_file("t-2"));
  std::filesystem::remove_all(File() + ".new");
  Add(*store, Request("t-3", 20));
  EXPECT_FALSE(in_file("t-2"));
  std::filesystem::remove(File());
  store->Expire(kNow + 10 * kHour, error_);
  EXPECT_FALSE(std::filesystem::exists(File())) << "nothing is left to write";
}

TEST_F(MuteStoreTest, StartsWhateverTheClockSays) {
  Add(*Open(), Request("t-1", 24 * 90));
  for (const int64_t now : {int64_t{0}, kNow - 24 * 365 * kHour, kNow}) {
    const auto store = Open({}, now);
    ASSERT_NE(store, nullptr) << error_;
    EXPECT_EQ(store->All().size(), 1u);
  }
}

TEST_F(MuteStoreTest, ThoseOfTheConfigurationAreChangedThere) {
  const Mute configured = *MakeMute(Request("t-1"), kNow, error_);
  const auto store = Open({configured});
  ASSERT_EQ(store->All().size(), 1u);
  EXPECT_TRUE(store->All()[0].configured);
  Mute mute;
  EXPECT_FALSE(store->Add(Request("t-1", 2), kNow, mute, error_));
  EXPECT_FALSE(store->Remove("t-1", mute, error_));
  EXPECT_FALSE(std::filesystem::exists(File()));
}

TEST_F(MuteStoreTest, RefusesAFileThatIsBrokenOrOthersCanWrite) {
  std::ofstream(File()) << "{\"version\":1,\"mutes\":[{\"id\":\"m-1\"}]}";
  EXPECT_EQ(Open(), nullptr);
  EXPECT_NE(error_.find(File()), std::string::npos);
  EXPECT_NE(error_.find("mute 1"), std::string::npos);
  std::filesystem::remove(File());
  Add(*Open(), Request("t-1"));
  ASSERT_EQ(chmod(File().c_str(), 0620), 0);
  EXPECT_EQ(Open(), nullptr);
  ASSERT_EQ(chmod(File().c_str(), 0600), 0);
  EXPECT_NE(Open(), nullptr);
  std::filesystem::rename(File(), File() + ".there");
  std::filesystem::create_symlink(File() + ".there", File());
  EXPECT_EQ(Open(), nullptr);
}

TEST_F(MuteStoreTest, WhatCannotBeKeptIsNotDone) {
  const auto store = MuteStore::Open((folder_ / "missing/mutes.json").string(), {}, kNow, error_);
  ASSERT_NE(store, nullptr) << error_;
  Mute made;
  EXPECT_FALSE(store->Add(Request("t-1"), kNow, made, error_));
  EXPECT_NE(error_.find("cannot be written"), std::string::npos);
  EXPECT_TRUE(store->All().empty());
}

TEST_F(MuteStoreTest, CountsStayWhenAMuteIsOver) {
  const auto store = Open();
  const Mute mute = Add(*store, Request("t-1"));
  const auto list = store->List();
  IndicatorRecord record;
  record.id = "t-1";
  Alert alert;
  alert.time_ns = static_cast<uint64_t>(kNow);
  MuteCounts* const counts = list->Find(record, alert);
  ASSERT_NE(counts, nullptr);
  counts->alerts += 3;
  Mute removed;
  ASSERT_TRUE(store->Remove(mute.id, removed, error_));
  Figures figures;
  store->AppendFigures(figures);
  EXPECT_EQ(figures.Value(families::kAlertsMuted, mute.id), 3);
}

TEST_F(MuteStoreTest, ThereIsALimit) {
  std::vector<Mute> configured;
  for (size_t i = 0; i < kMaxMutes; ++i)
    configured.push_back(*MakeMute(Request("c-" + std::to_string(i)), kNow, error_));
  const auto store = Open(configured);
  Mute made;
  EXPECT_FALSE(store->Add(Request("t-1"), kNow, made, error_));
  EXPECT_NE(error_.find("too many"), std::string::npos);
}

}  // namespace
}  // namespace vedette
