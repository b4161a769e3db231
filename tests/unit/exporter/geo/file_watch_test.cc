#include "exporter/geo/file_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/exporter/mmdb_files.h"

namespace vedette {
namespace {

using Seen = FileWatch::Seen;

TEST(FileWatch, ReportsAChangeOnceItHasSettled) {
  TestFolder folder;
  const std::string path = folder.Write("file", "one");
  FileWatch watch(path);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  folder.Write("file", "three");
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  folder.Write("file", "eleven");
  EXPECT_EQ(watch.Look(), Seen::kNothing) << "it changed once more";
  EXPECT_EQ(watch.Look(), Seen::kReplaced);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
}

TEST(FileWatch, SeesASwapOfEqualSizeAndTime) {
  TestFolder folder;
  const std::string path = folder.Write("file", "one"), other = folder.Write("other", "two");
  const timespec times[2] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  ASSERT_EQ(utimensat(AT_FDCWD, other.c_str(), times, 0), 0);
  FileWatch watch(path);
  std::filesystem::rename(other, path);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  EXPECT_EQ(watch.Look(), Seen::kReplaced);
}

TEST(FileWatch, SeesThatAFileWasMadeReadable) {
  TestFolder folder;
  const std::string path = folder.Write("file", "one");
  FileWatch watch(path);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  EXPECT_EQ(watch.Look(), Seen::kReplaced);
}

TEST(FileWatch, AFileThatIsBackInTimeWasNeverGone) {
  TestFolder folder;
  const std::string path = folder.Write("file", "one");
  FileWatch watch(path);
  // A rename may change the inode's time: that is a change then, and never a loss.
  std::filesystem::rename(path, folder.Path("away"));
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  std::filesystem::rename(folder.Path("away"), path);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  EXPECT_NE(watch.Look(), Seen::kGone);
}

TEST(FileWatch, GoneIsSaidOnceAndAReturnIsAChange) {
  TestFolder folder;
  const std::string path = folder.Write("file", "one");
  FileWatch watch(path);
  std::filesystem::remove(path);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  EXPECT_EQ(watch.Look(), Seen::kGone);
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  folder.Write("file", "one");
  EXPECT_EQ(watch.Look(), Seen::kNothing);
  EXPECT_EQ(watch.Look(), Seen::kReplaced);
}

}  // namespace
}  // namespace vedette
