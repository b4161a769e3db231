#include "parsers/base/secret_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;
constexpr uid_t kSomebody = 4711;

class SecretFile : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(folder_ / "in");
    Write("in/key");
  }
  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name) const {
    std::ofstream(Path(name)) << "secret";
    ASSERT_EQ(chmod(Path(name).c_str(), 0600), 0);
  }
  // "" where it was read, else why not.
  std::string Refusal(const std::string& name) const {
    std::string text, error;
    if (!ReadSecretFile(Path(name), 100, text, error)) {
      EXPECT_TRUE(text.empty());
      EXPECT_TRUE(error.starts_with(Path(name) + ": ")) << error;
      return error;
    }
    EXPECT_EQ(text, "secret");
    return "";
  }
  void ExpectRefusal(const std::string& name, const std::string& why) const {
    const std::string refusal = Refusal(name);
    EXPECT_NE(refusal.find(why), std::string::npos) << '"' << refusal << '"';
  }
  const TemporaryFolder folder_;
};

TEST_F(SecretFile, IsReadWhereNobodyElseCan) {
  EXPECT_EQ(Refusal("in/key"), "");
  chmod(Path("in/key").c_str(), 0400);
  EXPECT_EQ(Refusal("in/key"), "");
  chmod(Path("in").c_str(), 0755);
  EXPECT_EQ(Refusal("in/key"), "");
}

TEST_F(SecretFile, RefusesEveryRightOfGroupAndOthers) {
  for (mode_t bit = 1; bit <= 040; bit <<= 1) {
    chmod(Path("in/key").c_str(), 0600 | bit);
    ExpectRefusal("in/key", "chmod 600 " + Path("in/key"));
  }
}

TEST_F(SecretFile, RefusesWhatIsNoFile) {
  ExpectRefusal("in", "not a regular file");
  ASSERT_EQ(mkfifo(Path("in/fifo").c_str(), 0600), 0);
  ExpectRefusal("in/fifo", "not a regular file");
  ExpectRefusal("in/none", "cannot open");
  std::ofstream(Path("in/key")) << std::string(101, 'x');
  ExpectRefusal("in/key", "too large");
}

TEST_F(SecretFile, RefusesAFolderThatOthersMayWrite) {
  for (const mode_t mode : {0770, 0702, 0777}) {
    chmod(Path("in").c_str(), mode);
    ExpectRefusal("in/key", "chmod go-w " + Path("in"));
    chmod(Path("in").c_str(), mode | S_ISVTX);
    EXPECT_EQ(Refusal("in/key"), "") << "as /tmp";
  }
}

TEST_F(SecretFile, FollowsALinkOfItsOwnerButChecksWhereItLeads) {
  fs::create_symlink("in/key", Path("link"));
  EXPECT_EQ(Refusal("link"), "");
  chmod(Path("in").c_str(), 0777);
  ExpectRefusal("link", "others may write its folder");
  chmod(Path("in").c_str(), 0700);
  chmod(Path("in/key").c_str(), 0640);
  ExpectRefusal("link", "others can read");
  fs::create_symlink("nowhere", Path("broken"));
  ExpectRefusal("broken", "cannot open");
}

TEST_F(SecretFile, RefusesWhatBelongsToSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "other users' files are NOT tested: it needs root";
  ASSERT_EQ(chown(Path("in/key").c_str(), kSomebody, kSomebody), 0);
  ExpectRefusal("in/key", "belongs to another user");
  ASSERT_EQ(chown(Path("in/key").c_str(), 0, 0), 0);
  ASSERT_EQ(chown(Path("in").c_str(), kSomebody, kSomebody), 0);
  ExpectRefusal("in/key", "belongs to another user, who could replace it");
  ASSERT_EQ(chown(Path("in").c_str(), 0, 0), 0);
  fs::create_symlink("in/key", Path("link"));
  ASSERT_EQ(lchown(Path("link").c_str(), kSomebody, kSomebody), 0);
  ExpectRefusal("link", "symbolic link of another user");
}

TEST_F(SecretFile, OfTheUserThatRootWillBecome) {
  if (geteuid() != 0) GTEST_SKIP() << "other users' files are NOT tested: it needs root";
  const passwd* const daemon = getpwnam("daemon");
  ASSERT_NE(daemon, nullptr);
  ASSERT_EQ(chown(Path("in/key").c_str(), daemon->pw_uid, 0), 0);
  ASSERT_EQ(chown(Path("in").c_str(), daemon->pw_uid, 0), 0);
  std::string text, error;
  EXPECT_TRUE(ReadSecretFile(Path("in/key"), 100, text, error, "daemon")) << error;
  for (const char* other : {"", "nobody", "no-such-user"}) {
    error.clear();
    EXPECT_FALSE(ReadSecretFile(Path("in/key"), 100, text, error, other)) << other;
    EXPECT_NE(error.find("belongs to another user"), std::string::npos) << error;
  }
}

}  // namespace
}  // namespace vedette
