// Needs root: each case works in a network namespace of its own.
#include "sensor/capture/live/link_watch.h"

#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace vedette {
namespace {

bool Command(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

class LinkWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "news of interfaces are NOT tested: they need root";
    if (unshare(CLONE_NEWNET) != 0 || !Command("ip link add vt0 type veth peer name vt1"))
      GTEST_SKIP() << "news of interfaces are NOT tested: no network namespace with a veth pair";
    std::string error;
    watch_ = LinkWatch::Open(error);
    ASSERT_NE(watch_, nullptr) << error;
  }
  // What is told of that interface, until `last` is: "up", "carrier", "down", "gone", or its new name.
  std::vector<std::string> Until(unsigned index, const std::string& last) {
    std::vector<std::string> told;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::string name = "vt0";
    while ((told.empty() || told.back() != last) && std::chrono::steady_clock::now() < end) {
      bool lost = false;
      for (const LinkWatch::Change& change : watch_->Wait(100, lost)) {
        if (change.link.index != index) continue;
        if (change.link.name != name) told.push_back(name = change.link.name);
        const std::string state = change.gone           ? "gone"
                                  : !change.link.up     ? "down"
                                  : change.link.carrier ? "carrier"
                                                        : "up";
        if (told.empty() || told.back() != state) told.push_back(state);
      }
      EXPECT_FALSE(lost);
    }
    return told;
  }
  std::unique_ptr<LinkWatch> watch_;
};

TEST_F(LinkWatchTest, TellsOfEachChange) {
  const unsigned index = if_nametoindex("vt0");
  ASSERT_TRUE(Command("ip link set vt1 up") && Command("ip link set vt0 up"));
  EXPECT_EQ(Until(index, "carrier").back(), "carrier");
  ASSERT_TRUE(Command("ip link set vt0 down"));
  EXPECT_EQ(Until(index, "down").back(), "down");
  ASSERT_TRUE(Command("ip link set vt0 name vt7"));
  EXPECT_EQ(Until(index, "vt7").front(), "vt7");
  ASSERT_TRUE(Command("ip link del vt7"));
  EXPECT_EQ(Until(index, "gone").back(), "gone");
}

// Both are told although nobody looked in between.
TEST_F(LinkWatchTest, AShortFlapIsNotMissed) {
  ASSERT_TRUE(Command("ip link set vt1 up") && Command("ip link set vt0 up"));
  const unsigned index = if_nametoindex("vt0");
  Until(index, "carrier");
  ASSERT_TRUE(Command("ip link set vt0 down") && Command("ip link set vt0 up"));
  const std::vector<std::string> told = Until(index, "carrier");
  ASSERT_GE(told.size(), 2u);
  EXPECT_NE(std::find(told.begin(), told.end(), "down"), told.end());
}

TEST_F(LinkWatchTest, FindsByNameAndByNumber) {
  EXPECT_EQ(watch_->Find("vt9").index, 0u);
  EXPECT_EQ(watch_->Find("a-name-that-is-much-too-long").index, 0u);
  EXPECT_EQ(watch_->Find(4'711u).index, 0u);
  const unsigned index = if_nametoindex("vt0");
  EXPECT_EQ(watch_->Find("vt0").index, index);
  EXPECT_EQ(watch_->Find(index).name, "vt0");
  EXPECT_FALSE(watch_->Find(index).up);
  ASSERT_TRUE(Command("ip link set vt0 up"));
  EXPECT_TRUE(watch_->Find(index).up);
  EXPECT_FALSE(watch_->Find(index).carrier) << "the other end is down";
}

TEST_F(LinkWatchTest, WhatASocketIsBoundTo) {
  int index = 7;
  const int pipe_end = dup(0);
  EXPECT_FALSE(BoundInterface(pipe_end, index));
  close(pipe_end);
  const int packets = socket(AF_PACKET, SOCK_RAW, 0);
  ASSERT_GE(packets, 0);
  ASSERT_TRUE(BoundInterface(packets, index));
  EXPECT_EQ(index, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex("vt0"));
  ASSERT_EQ(bind(packets, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_TRUE(BoundInterface(packets, index));
  EXPECT_EQ(index, address.sll_ifindex);
  ASSERT_TRUE(Command("ip link del vt0"));
  ASSERT_TRUE(BoundInterface(packets, index));
  EXPECT_LE(index, 0) << "of an interface that was removed";
  close(packets);
}

TEST_F(LinkWatchTest, ListsWhatThereIs) { EXPECT_EQ(ListInterfaces(), "any, lo (down), vt0 (down), vt1 (down)"); }

}  // namespace
}  // namespace vedette
