#include "signatures/readers/folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& path, const char* text = "20.1.2.3\n") { std::ofstream(path) << text; }

TEST(Folder, KnowsWhatComesWithAFeedAndIsNoList) {
  for (const char* name : {"LICENSE", "LICENCE.txt", "COPYING", "README", "README.md", "readme.txt", "update.sh",
                           "__init__.py", "Makefile", "CHANGELOG.rst", "index.html", "trail.PY"}) {
    EXPECT_NE(KindOfOtherFile(name), "") << name;
  }
  for (const char* name : {"list", "list.txt", "feed.csv", "a.intel", "drop.list", "license-servers.txt", "feed.json",
                           "x.rpz", "set.lst", "bad.ips"}) {
    EXPECT_EQ(KindOfOtherFile(name), "") << name;
  }
}

TEST(Folder, ReadsInnerFoldersAndNamesWhatItPassesOver) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "b" / "c");
  fs::create_directories(folder / ".git");
  Write(folder / "z.txt");
  Write(folder / "b" / "y.txt");
  Write(folder / "b" / "c" / "x.txt");
  Write(folder / "LICENSE");
  Write(folder / "b" / "get", "#!/bin/sh\nexit 0\n");
  Write(folder / ".git" / "index");
  Write(folder / "z.txt~");
  fs::create_directory_symlink(folder.path(), folder / "a-link");
  const IndicatorFolder found = ListIndicators(folder.path().string());
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.files, (std::vector<std::string>{(folder / "b" / "c" / "x.txt").string(),
                                                   (folder / "b" / "y.txt").string(), (folder / "z.txt").string()}));
  ASSERT_EQ(found.passed_over.size(), 3u);
  EXPECT_EQ(found.passed_over[0].path, (folder / "LICENSE").string());
  EXPECT_EQ(found.passed_over[1].path, (folder / "a-link").string());
  EXPECT_EQ(found.passed_over[2].path, (folder / "b" / "get").string());
}

// A licence is no loss. A folder that is not read may be one, unless it is read anyway.
TEST(Folder, TellsWhatMayBeMissed) {
  const TemporaryFolder folder, outside;
  fs::create_directories(folder / "inner");
  Write(folder / "z.txt");
  Write(folder / "LICENSE");
  fs::create_directory_symlink(folder / "inner", folder / "a-inside");
  fs::create_directory_symlink(outside.path(), folder / "b-outside");
  fs::create_directory_symlink(folder.path().parent_path(), folder / "c-above");
  std::map<std::string, bool> missed;
  for (const auto& entry : ListIndicators(folder.path().string()).passed_over) {
    missed[fs::path(entry.path).filename().string()] = entry.missed;
  }
  EXPECT_EQ(missed, (std::map<std::string, bool>{
                        {"LICENSE", false}, {"a-inside", false}, {"b-outside", true}, {"c-above", true}}));
}

TEST(Folder, SaysWhereItEnds) {
  const TemporaryFolder folder;
  fs::path deep = folder.path();
  for (size_t i = 0; i < kMaxFolderDepth; ++i) deep /= "d";
  fs::create_directories(deep);
  Write(deep / "x.txt");
  const IndicatorFolder found = ListIndicators(folder.path().string());
  EXPECT_NE(found.error.find("holds no file"), std::string::npos) << found.error;
  ASSERT_EQ(found.passed_over.size(), 1u);
  EXPECT_NE(found.passed_over[0].reason.find("nested too deeply"), std::string::npos);
  std::string error;
  EXPECT_TRUE(IndicatorFiles(folder.path().string(), error).empty());
  EXPECT_NE(error, "");
}

}  // namespace
}  // namespace vedette
