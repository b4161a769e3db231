#include "exporter/feed/keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;

class Keys : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    std::ofstream(Path(name)) << text;
    ASSERT_EQ(chmod(Path(name).c_str(), mode), 0);
  }
  static mode_t Mode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const TemporaryFolder folder_;
  std::string error_;
};

TEST_F(Keys, ComeBackAsWritten) {
  const KeyPair keys = NewKeyPair();
  ASSERT_EQ(keys.public_key.size(), 40u);
  ASSERT_EQ(keys.secret_key.size(), 40u);
  ASSERT_TRUE(WriteKeyPair(keys, Path("a"), error_)) << error_;
  KeyPair again;
  ASSERT_TRUE(ReadSecretKey(Path("a.key"), again, error_)) << error_;
  EXPECT_EQ(again.public_key, keys.public_key);
  EXPECT_EQ(again.secret_key, keys.secret_key);
  std::string public_key;
  ASSERT_TRUE(ReadPublicKey(Path("a.pub"), public_key, error_)) << error_;
  EXPECT_EQ(public_key, keys.public_key);
  ASSERT_TRUE(ReadPublicKey(keys.public_key, public_key, error_)) << error_;
  EXPECT_EQ(public_key, keys.public_key);
}

TEST_F(Keys, AreDifferentEachTime) { EXPECT_NE(NewKeyPair().secret_key, NewKeyPair().secret_key); }

TEST_F(Keys, SecretIsForTheOwnerAlone) {
  const mode_t before = umask(0);
  const bool written = WriteKeyPair(NewKeyPair(), Path("a"), error_);
  umask(before);
  ASSERT_TRUE(written) << error_;
  EXPECT_EQ(Mode(Path("a.key")), 0600u);
  EXPECT_EQ(Mode(Path("a.pub")), 0644u);
  EXPECT_EQ(Read(Path("a.pub")).find("secret-key"), std::string::npos);
}

TEST_F(Keys, NeverOverwrites) {
  Write("a.key", "mine");
  EXPECT_FALSE(WriteKeyPair(NewKeyPair(), Path("a"), error_));
  EXPECT_NE(error_.find("a.key: exists already"), std::string::npos) << error_;
  EXPECT_EQ(Read(Path("a.key")), "mine");
  EXPECT_FALSE(fs::exists(Path("a.pub")));

  Write("b.pub", "mine");
  EXPECT_FALSE(WriteKeyPair(NewKeyPair(), Path("b"), error_));
  EXPECT_EQ(Read(Path("b.pub")), "mine");
  EXPECT_FALSE(fs::exists(Path("b.key"))) << "half a pair is left";
}

TEST_F(Keys, NeverWritesThroughALink) {
  fs::create_symlink(Path("elsewhere"), Path("a.key"));
  EXPECT_FALSE(WriteKeyPair(NewKeyPair(), Path("a"), error_));
  EXPECT_FALSE(fs::exists(Path("elsewhere")));
}

TEST_F(Keys, NamesAFolderThatIsNotThere) {
  EXPECT_FALSE(WriteKeyPair(NewKeyPair(), Path("no/a"), error_));
  EXPECT_NE(error_.find("no/a.key: cannot create"), std::string::npos) << error_;
}

TEST_F(Keys, RefusesASecretThatOthersCanRead) {
  ASSERT_TRUE(WriteKeyPair(NewKeyPair(), Path("a"), error_));
  KeyPair keys;
  for (const mode_t mode : {0644, 0640, 0604, 0620, 0601}) {
    ASSERT_EQ(chmod(Path("a.key").c_str(), mode), 0);
    EXPECT_FALSE(ReadSecretKey(Path("a.key"), keys, error_)) << mode;
    EXPECT_NE(error_.find("chmod 600 " + Path("a.key")), std::string::npos) << error_;
  }
  ASSERT_EQ(chmod(Path("a.key").c_str(), 0400), 0);
  EXPECT_TRUE(ReadSecretKey(Path("a.key"), keys, error_)) << error_;
}

TEST_F(Keys, RefusesWhatIsNoSecretKeyFile) {
  KeyPair keys;
  EXPECT_FALSE(ReadSecretKey(Path("none.key"), keys, error_));
  EXPECT_NE(error_.find("keygen"), std::string::npos) << error_;
  EXPECT_FALSE(ReadSecretKey(folder_.path(), keys, error_));
  Write("empty.key", "");
  EXPECT_FALSE(ReadSecretKey(Path("empty.key"), keys, error_));
  Write("long.key", std::string(100'000, 'x'));
  EXPECT_FALSE(ReadSecretKey(Path("long.key"), keys, error_));
  EXPECT_NE(error_.find("too large"), std::string::npos) << error_;
  Write("short.key", "curve\n  secret-key = \"abc\"\n");
  EXPECT_FALSE(ReadSecretKey(Path("short.key"), keys, error_));
  ASSERT_TRUE(WriteKeyPair(NewKeyPair(), Path("a"), error_));
  ASSERT_EQ(chmod(Path("a.pub").c_str(), 0600), 0);
  EXPECT_FALSE(ReadSecretKey(Path("a.pub"), keys, error_));
}

TEST_F(Keys, RefusesAPairThatDoesNotBelongTogether) {
  const KeyPair one = NewKeyPair();
  const KeyPair other = NewKeyPair();
  Write("a.key", "curve\n public-key = \"" + other.public_key + "\"\n secret-key = \"" + one.secret_key + "\"\n");
  KeyPair keys;
  EXPECT_FALSE(ReadSecretKey(Path("a.key"), keys, error_));
  EXPECT_NE(error_.find("does not belong"), std::string::npos) << error_;
}

TEST_F(Keys, ReadsTheCertificatesOfCzmq) {
  const KeyPair keys = NewKeyPair();
  Write("c.key_secret",
        "#   ****  Generated on 2026-11-23 by CZMQ  ****\n#   public-key = \"commented out\"\n\nmetadata\n    name = "
        "\"x = "
        "y\"\ncurve\n    public-key = \"" +
            keys.public_key + "\"\n    secret-key = \"" + keys.secret_key + "\"\n");
  KeyPair again;
  ASSERT_TRUE(ReadSecretKey(Path("c.key_secret"), again, error_)) << error_;
  EXPECT_EQ(again.secret_key, keys.secret_key);
  Write("bare.key", "curve\r\n\tsecret-key=" + keys.secret_key);
  ASSERT_TRUE(ReadSecretKey(Path("bare.key"), again, error_)) << error_;
  EXPECT_EQ(again.public_key, keys.public_key) << "derived from the secret one";
}

TEST_F(Keys, RefusesWhatIsNoPublicKey) {
  std::string key;
  EXPECT_FALSE(ReadPublicKey("", key, error_));
  EXPECT_FALSE(ReadPublicKey(std::string(39, 'a'), key, error_));
  EXPECT_FALSE(ReadPublicKey(std::string(39, 'a') + "\"", key, error_)) << "not of Z85";
  EXPECT_FALSE(ReadPublicKey(folder_.path(), key, error_));
  EXPECT_FALSE(ReadPublicKey(Path("none.pub"), key, error_));
  EXPECT_NE(error_.find("none.pub"), std::string::npos) << error_;
}

}  // namespace
}  // namespace vedette
