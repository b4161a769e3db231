#include "signatures/patterns/database_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/signatures/sets.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;
using enum ObservableKind;

class DatabaseCacheTest : public testing::Test {
 protected:
  static DatabaseCache::Key KeyOf(const std::string& text) { return DatabaseCache::KeyOf(AsBytes(text)); }
  fs::path PathOf(const std::string& key) const { return folder_ / DatabaseCache::FileNameOf(KeyOf(key)); }
  static std::string Read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void Write(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  }
  std::vector<fs::path> Files() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::directory_iterator(folder_)) out.push_back(entry.path());
    return out;
  }

  const TemporaryFolder root_;
  fs::path folder_ = root_ / "made" / "here";
};

TEST_F(DatabaseCacheTest, GivesBackWhatItKept) {
  DatabaseCache cache(folder_);
  EXPECT_EQ(cache.Load(KeyOf("a")), std::nullopt);
  cache.Store(KeyOf("a"), std::string("con\0tent", 8));
  cache.Store(KeyOf("empty"), "");
  EXPECT_EQ(cache.problem(), "");
  DatabaseCache later(folder_);
  EXPECT_EQ(later.Load(KeyOf("a")), std::string("con\0tent", 8));
  EXPECT_EQ(later.Load(KeyOf("empty")), "");
  EXPECT_EQ(later.Load(KeyOf("b")), std::nullopt);
  EXPECT_EQ(fs::status(PathOf("a")).permissions() & fs::perms::mask, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(Files().size(), 2u);
}

TEST_F(DatabaseCacheTest, WithoutAFolderItKeepsNothing) {
  DatabaseCache cache;
  cache.Store(KeyOf("a"), "content");
  EXPECT_EQ(cache.Load(KeyOf("a")), std::nullopt);
  EXPECT_EQ(cache.problem(), "");
}

TEST_F(DatabaseCacheTest, AFileWithAnyByteChangedOrMissingIsNotUsed) {
  DatabaseCache cache(folder_);
  cache.Store(KeyOf("a"), "the content");
  const std::string good = Read(PathOf("a"));
  ASSERT_EQ(good.size(), DatabaseCache::kHeaderBytes + 11);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    Write(PathOf("a"), bad);
    EXPECT_EQ(cache.Load(KeyOf("a")), std::nullopt) << i;
    Write(PathOf("a"), good.substr(0, i));
    EXPECT_EQ(cache.Load(KeyOf("a")), std::nullopt) << i;
  }
  Write(PathOf("a"), good + "x");
  EXPECT_EQ(cache.Load(KeyOf("a")), std::nullopt);
  Write(PathOf("b"), good);  // another's content under this name
  EXPECT_EQ(cache.Load(KeyOf("b")), std::nullopt);
  cache.Store(KeyOf("a"), "the content");
  EXPECT_EQ(cache.Load(KeyOf("a")), "the content");
}

TEST_F(DatabaseCacheTest, FilesThatOthersMayTouchAreNotUsed) {
  DatabaseCache cache(folder_);
  cache.Store(KeyOf("a"), "content");
  for (const mode_t mode : {0644u, 0620u, 0606u}) {
    ASSERT_EQ(chmod(PathOf("a").c_str(), mode), 0);
    DatabaseCache again(folder_);
    EXPECT_EQ(again.Load(KeyOf("a")), std::nullopt);
    EXPECT_NE(again.problem(), "");
  }
  ASSERT_EQ(chmod(PathOf("a").c_str(), 0600), 0);
  fs::rename(PathOf("a"), folder_ / "elsewhere");
  fs::create_symlink(folder_ / "elsewhere", PathOf("a"));
  EXPECT_EQ(DatabaseCache(folder_).Load(KeyOf("a")), std::nullopt);
  fs::remove(PathOf("a"));
  ASSERT_EQ(mkfifo(PathOf("a").c_str(), 0600), 0);  // opening it must not wait for a writer
  EXPECT_EQ(DatabaseCache(folder_).Load(KeyOf("a")), std::nullopt);
  if (geteuid() == 0) {
    fs::remove(PathOf("a"));
    fs::rename(folder_ / "elsewhere", PathOf("a"));
    ASSERT_EQ(DatabaseCache(folder_).Load(KeyOf("a")), "content");
    ASSERT_EQ(chown(PathOf("a").c_str(), 65534, 65534), 0);
    EXPECT_EQ(DatabaseCache(folder_).Load(KeyOf("a")), std::nullopt);
  }
}

TEST_F(DatabaseCacheTest, AFolderThatOthersMayWriteIsNotUsed) {
  ASSERT_TRUE(fs::create_directories(folder_));
  ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
  DatabaseCache cache(folder_);
  cache.Store(KeyOf("a"), "content");
  EXPECT_TRUE(fs::is_empty(folder_));
  EXPECT_NE(cache.problem().find("others must not"), std::string::npos) << cache.problem();

  Write(root_ / "file", "no folder");
  DatabaseCache none(root_ / "file");
  none.Store(KeyOf("a"), "content");
  EXPECT_EQ(none.Load(KeyOf("a")), std::nullopt);
  EXPECT_NE(none.problem(), "");
}

TEST_F(DatabaseCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  DatabaseCache cache(folder_);
  const std::string content(1000, 'x');
  cache.set_max_folder_bytes(4 * (1000 + DatabaseCache::kHeaderBytes));
  const auto age = [&](const char* key, time_t seconds) {
    const timespec times[2] = {{time(nullptr) - seconds, 0}, {time(nullptr) - seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, PathOf(key).c_str(), times, 0), 0);
  };
  for (const char* key : {"a", "b", "c", "d"}) cache.Store(KeyOf(key), content);
  age("a", 400);
  age("b", 300);
  age("c", 200);
  age("d", 100);
  EXPECT_TRUE(cache.Load(KeyOf("a")));  // used: b is the oldest now
  const fs::path left = folder_ / ".tmp-left", busy = folder_ / ".tmp-busy", foreign = folder_ / "README";
  for (const fs::path& path : {left, busy, foreign}) Write(path, content);
  const timespec old[2] = {{time(nullptr) - 7200, 0}, {time(nullptr) - 7200, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, left.c_str(), old, 0), 0);
  cache.Store(KeyOf("e"), content);
  EXPECT_TRUE(fs::exists(PathOf("a")) && !fs::exists(PathOf("b")) && fs::exists(PathOf("c")) &&
              fs::exists(PathOf("e")));
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(busy) && fs::exists(foreign));
  cache.Store(KeyOf("huge"), std::string(5000, 'x'));  // more than the folder may hold
  EXPECT_FALSE(fs::exists(PathOf("huge")));
  EXPECT_TRUE(fs::exists(PathOf("a")));
}

TEST_F(DatabaseCacheTest, ProcessesAndThreadsMayShareAFolder) {
  const std::string content(200'000, 'x');
  const auto work = [&] {
    bool right = true;
    for (int i = 0; i < 30; ++i) {
      DatabaseCache cache(folder_);
      const std::string key = std::to_string(i % 3);
      const std::optional<std::string> kept = cache.Load(KeyOf(key));
      right = right && (!kept || *kept == content + key) && cache.problem().empty();
      if (i % 2 == 0) cache.Store(KeyOf(key), content + key);
    }
    return right;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) _exit(work() ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  bool right[2] = {};
  std::thread one([&] { right[0] = work(); }), two([&] { right[1] = work(); });
  one.join();
  two.join();
  EXPECT_TRUE(right[0] && right[1]);
  EXPECT_EQ(Files().size(), 3u);
}

// --- with compiled patterns ------------------------------------------------------------------------------------------

class PatternCacheTest : public DatabaseCacheTest {
 protected:
  struct Loaded {
    CompileReport report;
    std::shared_ptr<const IndicatorSet> set;
    MatchScratch scratch;
  };
  Loaded Load(const std::vector<Indicator>& indicators) const {
    Loaded out;
    IndicatorSetBuilder builder;
    builder.set_cache_folder(folder_);
    for (const Indicator& indicator : indicators) builder.Add(indicator);
    out.set = builder.Compile(out.report);
    EXPECT_TRUE(out.set != nullptr && out.set->PrepareScratch(out.scratch));
    return out;
  }
  static size_t HitsIn(Loaded& loaded, const std::string& uri) {
    ObservableBatch batch;
    batch.AddText(kHttpUri, Direction::kToServer, uri);
    std::vector<Hit> hits;
    loaded.set->Find(batch, loaded.scratch, hits);
    std::vector<PayloadHit> payload;
    loaded.set->ScanPayload(AsBytes(uri), Direction::kToServer, nullptr, loaded.scratch, payload);
    EXPECT_EQ(loaded.scratch.counters.scan_errors, 0u);
    return hits.size() + payload.size();
  }
  static std::vector<Indicator> Indicators() {
    std::vector<Indicator> out = {
        MakeIndicator(IndicatorType::kContent, "needle"), MakeIndicator(IndicatorType::kRegex, "ne{2}dles?[0-9]{1,3}"),
        MakeIndicator(IndicatorType::kRegex, "^/needle[0-9]+$"), MakeIndicator(IndicatorType::kRegex, "(abc|x^y)def")};
    out[2].in = out[3].in = {kHttpUri};
    return out;
  }
};

TEST_F(PatternCacheTest, ASecondRunTakesThemFromThere) {
  Loaded first = Load(Indicators());
  EXPECT_FALSE(first.report.patterns_cached);
  EXPECT_EQ(first.report.patterns, 4u);
  EXPECT_EQ(Files().size(), 2u);
  EXPECT_EQ(HitsIn(first, "/needle123"), 3u);
  Loaded second = Load(Indicators());
  EXPECT_TRUE(second.report.patterns_cached);
  EXPECT_EQ(HitsIn(second, "/needle123"), 3u);
  EXPECT_EQ(second.report.cache_problem, "");
  // What was refused is refused again, with its reason.
  ASSERT_EQ(first.report.problems_total, 1u);
  ASSERT_EQ(second.report.problems_total, 1u);
  EXPECT_EQ(second.report.problems[0].reason, first.report.problems[0].reason);
  EXPECT_EQ(second.report.loaded, first.report.loaded);
  EXPECT_EQ(second.set->digest(), first.set->digest());

  std::vector<Indicator> other = Indicators();
  other[0].value = "noodle";
  EXPECT_FALSE(Load(other).report.patterns_cached);
  EXPECT_EQ(Files().size(), 3u);
}

TEST_F(PatternCacheTest, HarmedFilesAreCompiledAnewAndReplaced) {
  Load(Indicators());
  for (const fs::path& path : Files()) {
    const std::string good = Read(path);
    for (const size_t at : {size_t{3}, size_t{9}, size_t{20}, size_t{50}, size_t{90}, good.size() - 1}) {
      std::string bad = good;
      bad[at] ^= 0x40;
      Write(path, bad);
      Loaded loaded = Load(Indicators());
      EXPECT_FALSE(loaded.report.patterns_cached);
      EXPECT_EQ(HitsIn(loaded, "/needle123"), 3u);
      EXPECT_TRUE(Load(Indicators()).report.patterns_cached) << at;
    }
    Write(path, "");
    EXPECT_FALSE(Load(Indicators()).report.patterns_cached);
  }
}

// A header that is right and a content that Hyperscan does not read, as another version of it might have written.
TEST_F(PatternCacheTest, ADatabaseThatCannotBeReadBackIsCompiledAnew) {
  Load(Indicators());
  for (const fs::path& path : Files()) {
    const std::string header = Read(path).substr(0, DatabaseCache::kHeaderBytes);
    DatabaseCache::Key key;
    std::copy_n(header.begin() + 12, key.size(), key.begin());
    DatabaseCache cache(folder_);
    for (const std::string& content :
         {std::string(), std::string("\0\0\0\0\0\0\0\0not a database", 22), std::string("\xff\xff\xff\xff"),
          std::string("\0\0\0\1\0\0\0\0\xff\0\0\0", 12)}) {
      cache.Store(key, content);
      Loaded loaded = Load(Indicators());
      EXPECT_FALSE(loaded.report.patterns_cached);
      EXPECT_EQ(HitsIn(loaded, "/needle123"), 3u);
    }
  }
  EXPECT_TRUE(Load(Indicators()).report.patterns_cached);
}

TEST_F(PatternCacheTest, WithoutAFolderThatCanBeWrittenItCompiles) {
  folder_ = "/proc/vedette-cannot-be-made";
  Loaded loaded = Load(Indicators());
  EXPECT_FALSE(loaded.report.patterns_cached);
  EXPECT_NE(loaded.report.cache_problem.find("/proc/vedette"), std::string::npos);
  EXPECT_EQ(HitsIn(loaded, "/needle123"), 3u);
}

}  // namespace
}  // namespace vedette
