#include "parsers/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace vedette {
namespace {

class Files : public testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/vedette_file_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~Files() override { std::filesystem::remove_all(folder_); }

  std::string In(const std::string& name) const { return folder_ + '/' + name; }
  static std::string Text(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  std::string folder_;
};

bool IsOpen(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

TEST_F(Files, HaveOneOwner) {
  FileDescriptor first(open(folder_.c_str(), O_RDONLY | O_CLOEXEC));
  const int number = first.get();
  EXPECT_TRUE(first.is_open() && IsOpen(number));
  FileDescriptor second(std::move(first));
  EXPECT_FALSE(first.is_open());
  EXPECT_EQ(second.get(), number);
  FileDescriptor third;
  third = std::move(second);
  EXPECT_TRUE(IsOpen(number));
  third = FileDescriptor();
  EXPECT_FALSE(IsOpen(number));
  errno = ENOTDIR;
  { const FileDescriptor not_open(number); }
  EXPECT_EQ(errno, ENOTDIR);
}

TEST_F(Files, AreWrittenAndReadWhole) {
  const FileDescriptor file(open(In("a").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_TRUE(WriteAll(file.get(), "one two three"));
  EXPECT_TRUE(WriteAllAt(file.get(), "TWO", 4));
  char text[64];
  EXPECT_EQ(ReadUpTo(file.get(), text, sizeof text), 0U);  // it is at the end
  ASSERT_EQ(ReadUpToAt(file.get(), text, sizeof text, 4), 9U);
  EXPECT_EQ(std::string_view(text, 9), "TWO three");
  EXPECT_FALSE(WriteAll(-1, "x"));
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(ReadUpTo(-1, text, sizeof text), std::nullopt);
}

TEST_F(Files, AreReplacedAtOnce) {
  EXPECT_TRUE(ReplaceFile(In("a"), "old", {0600, ".new", true}));
  const std::ifstream reader(In("a"));
  EXPECT_TRUE(ReplaceFile(In("a"), "longer"));
  EXPECT_TRUE(SyncFolderOf(In("a")));
  std::ostringstream old;
  old << reader.rdbuf();
  EXPECT_EQ(old.str(), "old");
  EXPECT_EQ(Text(In("a")), "longer");
  EXPECT_FALSE(std::filesystem::exists(In("a.new")));
}

TEST_F(Files, StayWhereTheyCannotBeReplaced) {
  std::filesystem::create_directory(In("a"));
  std::ofstream(In("a/file")) << "x";
  EXPECT_FALSE(ReplaceFile(In("a"), "text"));  // a folder that is not empty
  EXPECT_NE(errno, 0);
  EXPECT_FALSE(std::filesystem::exists(In("a.new")));
  // What somebody put in the way is not followed.
  std::filesystem::create_symlink(In("elsewhere"), In("b.new"));
  EXPECT_FALSE(ReplaceFile(In("b"), "text"));
  EXPECT_FALSE(std::filesystem::exists(In("elsewhere")));
  EXPECT_FALSE(ReplaceFile(In("none/b"), "text"));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(SyncFolderOf(In("none/b")));
}

}  // namespace
}  // namespace vedette
