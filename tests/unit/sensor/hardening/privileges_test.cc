// Each case gives its rights up in a child of its own: there is no way back.
#include "sensor/hardening/privileges.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>

#include "tests/unit/sensor/hardening/in_child.h"

namespace vedette {
namespace {

using testing::InChild;

// "nobody 65534:65534 changed", or the error.
std::string Drop(const std::string& user) {
  DroppedPrivileges dropped;
  std::string error;
  if (!DropPrivileges(user, dropped, error)) return error;
  if (geteuid() != dropped.uid || getuid() != dropped.uid || getegid() != dropped.gid)
    return "the ids are not those reported";
  if (getgroups(0, nullptr) != 0 && dropped.changed_user) return "groups remain";
  if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) return "root again";
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return "new privileges are possible";
  if (access("/proc/1/environ", R_OK) == 0) return "it can read what belongs to root";
  return dropped.user + ' ' + std::to_string(dropped.uid) + ':' + std::to_string(dropped.gid) +
         (dropped.changed_user ? " changed" : " kept");
}

class PrivilegesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "dropping rights is NOT tested: it needs root";
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
    const passwd* const nobody = getpwnam("nobody");
    ASSERT_NE(nobody, nullptr);
    nobody_ = "nobody " + std::to_string(nobody->pw_uid) + ':' + std::to_string(nobody->pw_gid) + " changed";
    number_ = std::to_string(nobody->pw_uid);
  }
  std::string nobody_, number_;
};

TEST_F(PrivilegesTest, RootBecomesNobodyUnlessToldOtherwise) {
  EXPECT_EQ(InChild([] { return Drop(""); }), nobody_);
  EXPECT_EQ(InChild([] { return Drop("nobody"); }), nobody_);
  EXPECT_EQ(InChild([&] { return Drop(number_); }), nobody_);
  EXPECT_EQ(InChild([] { return Drop("daemon"); }), "daemon 1:1 changed");
}

TEST_F(PrivilegesTest, WhoCalledSudoGetsTheProcess) {
  const auto as = [](const char* uid, const char* gid, const char* user) {
    return InChild([=] {
      setenv("SUDO_UID", uid, 1);
      setenv("SUDO_GID", gid, 1);
      return Drop(user);
    });
  };
  EXPECT_EQ(as("4321", "4322", ""), "4321 4321:4322 changed");
  EXPECT_EQ(as("1", "4322", ""), "daemon 1:4322 changed");
  EXPECT_EQ(as("4321", "4322", "nobody"), nobody_) << "what was asked for goes first";
  EXPECT_EQ(as("0", "0", ""), nobody_) << "root called sudo";
  EXPECT_EQ(as("4321", "0", ""), nobody_);
  EXPECT_EQ(as("4321x", "4322", ""), nobody_);
  EXPECT_EQ(as("-1", "4322", ""), nobody_);
  EXPECT_EQ(as("4294967295", "4322", ""), nobody_);
}

TEST_F(PrivilegesTest, RootAndUnknownUsersAreRefused) {
  const std::string root =
      "user \"root\" has the rights of root or its group, with which packets are never parsed; name another user";
  EXPECT_EQ(InChild([] { return Drop("root"); }), root);
  EXPECT_EQ(InChild([] { return Drop("0"); }), root);
  EXPECT_EQ(InChild([] { return Drop("no-such-user"); }),
            "there is no user \"no-such-user\" to run as; create it (useradd --system no-such-user) or name another");
}

TEST_F(PrivilegesTest, AnotherThreadMustNotKeepThem) {
  const std::string error = InChild([] {
    std::atomic<bool> end{false};
    std::thread other([&] {
      while (!end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    const std::string result = Drop("nobody");
    end = true;
    other.join();
    return result;
  });
  EXPECT_NE(error.find("they must be dropped before threads start"), std::string::npos) << error;
}

TEST_F(PrivilegesTest, AnotherUserLosesCapabilitiesOnly) {
  EXPECT_EQ(InChild([] {
              // As after setcap: another user, with capabilities.
              prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
              if (setgroups(0, nullptr) != 0 || setgid(1) != 0 || setuid(1) != 0) return std::string("no other user");
              return Drop("nobody");
            }),
            "daemon 1:1 kept");
}

TEST(Privileges, TwiceIsNoError) {
  EXPECT_EQ(InChild([] {
              const std::string first = Drop("");
              const std::string second = Drop("");
              return second.ends_with(" kept") ? "" : first + " then " + second;
            }),
            "");
}

}  // namespace
}  // namespace vedette
