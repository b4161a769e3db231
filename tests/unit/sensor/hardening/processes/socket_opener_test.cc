// Each case is a process of its own, in a network namespace of its own. Needs root.
#include "sensor/hardening/processes/socket_opener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "sensor/hardening/confinement.h"
#include "sensor/hardening/privileges.h"
#include "sensor/hardening/processes/descriptor_passing.h"
#include "tests/unit/sensor/hardening/in_child.h"

namespace vedette {
namespace {

using testing::InChild;

bool Command(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

std::string OnlyChild() {
  std::string pid;
  std::ifstream("/proc/self/task/" + std::to_string(getpid()) + "/children") >> pid;
  return pid;
}

std::string StatusOf(const std::string& pid, const std::string& key) {
  std::ifstream file("/proc/" + pid + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
  }
  return "none";
}

class SocketOpenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "the socket opener is NOT tested: it needs root";
    if (InChild([] { return std::to_string(MakeLink()); }) != "1")
      GTEST_SKIP() << "the socket opener is NOT tested: no network namespace with a veth pair";
  }
  static bool MakeLink() {
    return unshare(CLONE_NEWNET) == 0 && Command("ip link add vt0 type veth peer name vt1") &&
           Command("ip link set vt0 addrgenmode none up") && Command("ip link set vt1 addrgenmode none up");
  }
  static std::unique_ptr<SocketOpener> Start(std::string& error, bool confined = true) {
    SocketOpener::Options options;
    options.interfaces = {"lo", "vt0"};
    options.user = "nobody";
    options.landlock = options.seccomp = confined;
    return SocketOpener::Start(options, error);
  }
  // What a sensor does before it parses its first packet.
  static bool BecomeConfined(std::string& error) {
    DroppedPrivileges dropped;
    Confinement result;
    return DropPrivileges("nobody", dropped, error) && Confine({}, result, error);
  }
  // Whether a frame that is sent on vt1 arrives at that socket of vt0.
  static std::string Receives(int descriptor, int sender) {
    sockaddr_ll bound{};
    socklen_t size = sizeof bound;
    if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return "no name";
    bound.sll_protocol = htons(ETH_P_ALL);
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&bound), sizeof bound) != 0) return "cannot be bound";
    const std::array<unsigned char, 60> frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, 47, 11};
    if (send(sender, frame.data(), frame.size(), 0) != static_cast<ssize_t>(frame.size())) return "nothing sent";
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    std::array<unsigned char, 60> got{};
    if (poll(&waiting, 1, 2000) != 1 || recv(descriptor, got.data(), got.size(), 0) != 60) return "nothing received";
    return got == frame ? "received" : "something else";
  }
  static int SenderOn(const char* interface) {
    const int sender = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface));
    return bind(sender, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? sender : -1;
  }
};

TEST_F(SocketOpenerTest, AConfinedSensorGetsASocketThatReceives) {
  EXPECT_EQ(InChild([] {
              std::string error;
              if (!MakeLink()) return std::string("no link");
              const int sender = SenderOn("vt1");
              const auto opener = Start(error);
              if (opener == nullptr || !BecomeConfined(error)) return error;
              if (socket(AF_PACKET, SOCK_RAW, 0) >= 0) return std::string("it needs no helper");
              const int descriptor = opener->Open(1, error);
              if (descriptor < 0) return error;
              if ((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) == 0) return std::string("programs would inherit it");
              return Receives(descriptor, sender);
            }),
            "received");
}

TEST_F(SocketOpenerTest, OpensAnInterfaceThatWentAndCame) {
  EXPECT_EQ(InChild([] {
              std::string error;
              if (!MakeLink()) return std::string("no link");
              const auto opener = Start(error);
              if (opener == nullptr) return error;
              if (!Command("ip link del vt0")) return std::string("vt0 stays");
              if (opener->Open(1, error) >= 0) return std::string("a socket of no interface");
              if (error.find("vt0: no capture socket: No such device") == error.npos) return error;
              if (!Command("ip link add vt0 type veth peer name vt1") || !Command("ip link set vt0 up") ||
                  !Command("ip link set vt1 up"))
                return std::string("vt0 does not come");
              const int descriptor = opener->Open(1, error);
              return descriptor < 0 ? error : Receives(descriptor, SenderOn("vt1"));
            }),
            "received");
}

TEST_F(SocketOpenerTest, ItsHelperHasOneRightAndIsConfined) {
  EXPECT_EQ(InChild([] {
              std::string error;
              const auto opener = Start(error);
              if (opener == nullptr) return error;
              const std::string pid = OnlyChild();
              std::string out = StatusOf(pid, "Name");
              for (const char* key : {"CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"})
                out += ' ' + StatusOf(pid, key).substr(12);
              out += " NoNewPrivs " + StatusOf(pid, "NoNewPrivs") + " Seccomp " + StatusOf(pid, "Seccomp");
              const std::string uids = StatusOf(pid, "Uid");
              return out + (uids.find("\t0") == uids.npos && uids[0] != '0' ? " nobody" : " root");
            }),
            "vedette-sockets 2000 2000 0000 0000 0000 NoNewPrivs 1 Seccomp 2 nobody");
}

TEST_F(SocketOpenerTest, OpensNoOtherInterface) {
  EXPECT_EQ(InChild([] {
              std::string error;
              const auto opener = Start(error);
              if (opener == nullptr) return error;
              for (const uint32_t other : {2U, UINT32_MAX}) {
                if (opener->Open(other, error) >= 0) return std::string("opened");
              }
              return error + (opener->Open(0, error) >= 0 ? "; lo" : "; nothing");
            }),
            "?: no capture socket: Invalid argument; lo");
}

TEST_F(SocketOpenerTest, EndsWithTheSensor) {
  const std::string helper = InChild([] {
    std::string error;
    auto opener = Start(error);
    if (opener == nullptr) return error;
    opener.release();  // nobody says goodbye
    return OnlyChild();
  });
  ASSERT_GT(std::atoi(helper.c_str()), 0) << helper;
  bool gone = false;
  for (int i = 0; i < 1000 && !gone; ++i) {
    const std::string state = StatusOf(helper, "State");
    gone = state == "none" || state.starts_with("Z");  // a container may have nobody to reap it
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(gone);
}

TEST_F(SocketOpenerTest, SaysThatItsHelperIsGone) {
  EXPECT_EQ(InChild([] {
              std::string error;
              const auto opener = Start(error);
              if (opener == nullptr) return error;
              kill(std::stoi(OnlyChild()), SIGKILL);
              std::this_thread::sleep_for(std::chrono::milliseconds(100));
              return opener->Open(0, error) < 0 ? error.substr(0, 44) : std::string("opened");
            }),
            "lo: the process that opens capture sockets i");
}

TEST_F(SocketOpenerTest, WithoutTheRightItIsToldAtTheStart) {
  EXPECT_NE(InChild([] {
              std::string error;
              DroppedPrivileges dropped;
              if (!DropPrivileges("nobody", dropped, error)) return error;
              return Start(error) == nullptr ? error : std::string("started");
            }).find("the process that opens capture sockets: dropping the rights"),
            std::string::npos);
  std::string error;
  SocketOpener::Options options;
  options.interfaces = {"a-name-of-no-interface"};
  EXPECT_EQ(SocketOpener::Start(options, error), nullptr);
  EXPECT_NE(error.find("is no name of an interface"), std::string::npos);
}

class DescriptorPassingTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends_), 0); }
  void TearDown() override {
    for (const int end : ends_) close(end);
  }
  static size_t OpenDescriptors() {
    size_t count = 0;
    for (int descriptor = 0; descriptor < 256; ++descriptor) count += fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
    return count;
  }
  int ends_[2];
  std::array<std::byte, 8> out_{std::byte{1}, std::byte{2}}, in_{};
  int descriptor_ = -1;
};

TEST_F(DescriptorPassingTest, HandsOverAPipe) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  ASSERT_TRUE(SendWithDescriptor(ends_[0], out_, pipe_ends[0]));
  close(pipe_ends[0]);
  ASSERT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 0), Received::kMessage);
  EXPECT_EQ(in_, out_);
  ASSERT_GE(descriptor_, 0);
  char byte = 0;
  EXPECT_EQ(write(pipe_ends[1], "x", 1), 1);
  EXPECT_EQ(read(descriptor_, &byte, 1), 1);
  EXPECT_EQ(byte, 'x');
  close(descriptor_);
  close(pipe_ends[1]);
  ASSERT_TRUE(SendWithDescriptor(ends_[0], out_, -1));
  ASSERT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 0), Received::kMessage);
  EXPECT_EQ(descriptor_, -1);
}

TEST_F(DescriptorPassingTest, WhatIsNoMessageLeavesNothingOpen) {
  const size_t before = OpenDescriptors();
  const std::array<std::byte, 9> long_one{};
  ASSERT_TRUE(SendWithDescriptor(ends_[0], long_one, ends_[0]));
  EXPECT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 0), Received::kWrong);
  ASSERT_TRUE(SendWithDescriptor(ends_[0], std::span(out_).first(3), ends_[0]));
  EXPECT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 0), Received::kWrong);
  // Three descriptors in one message.
  iovec part{.iov_base = out_.data(), .iov_len = out_.size()};
  alignas(cmsghdr) char beside[CMSG_SPACE(3 * sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = beside;
  header.msg_controllen = sizeof beside;
  cmsghdr* const rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(3 * sizeof(int));
  const int three[] = {0, 1, 2};
  memcpy(CMSG_DATA(rights), three, sizeof three);
  ASSERT_EQ(sendmsg(ends_[0], &header, 0), 8);
  EXPECT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 0), Received::kWrong);
  EXPECT_EQ(descriptor_, -1);
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(DescriptorPassingTest, TellsSilenceFromAnEnd) {
  EXPECT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 1), Received::kNothing);
  shutdown(ends_[0], SHUT_WR);
  EXPECT_EQ(ReceiveWithDescriptor(ends_[1], in_, descriptor_, 1), Received::kGone);
}

}  // namespace
}  // namespace vedette
