// Each case confines a child and tries what must fail, and what must go on working.
#include "sensor/hardening/confinement.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "sensor/hardening/landlock.h"
#include "tests/unit/sensor/hardening/in_child.h"
#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

using testing::InChild;

// "ok", or the name of the errno.
std::string Outcome(bool good) { return good ? "ok" : strerrorname_np(errno); }

std::string Open(const std::string& path, int flags) {
  const int file = open(path.c_str(), flags | O_CLOEXEC, 0600);
  const std::string outcome = Outcome(file >= 0);
  if (file >= 0) close(file);
  return outcome;
}

std::string Bind(uint16_t port) {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (file < 0) return "socket: " + Outcome(false);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const std::string outcome = Outcome(bind(file, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  close(file);
  return outcome;
}

std::string Socket(int family, int type, int protocol = 0) {
  const int file = socket(family, type | SOCK_CLOEXEC, protocol);
  const std::string outcome = Outcome(file >= 0);
  if (file >= 0) close(file);
  return outcome;
}

class ConfinementTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (LandlockAbi() == 0) GTEST_SKIP() << "confinement is NOT tested: the kernel has no Landlock";
    for (const char* name : {"etc", "state", "other"}) mkdir((folder_ / name).c_str(), 0755);
    for (const char* name : {"etc/sensor.yaml", "other/secret", "state/old"}) {
      std::ofstream(folder_ / name) << "text\n";
    }
    policy_.required = true;
    policy_.Read(folder_ / "etc/sensor.yaml");
    policy_.write_folders.push_back(folder_ / "state");
  }

  // Confined by the policy, `work` says how it went.
  std::string Confined(const std::function<std::string()>& work) {
    return InChild([&] {
      Confinement result;
      std::string error;
      if (!Confine(policy_, result, error)) return error;
      if (result.landlock != policy_.landlock || result.seccomp != policy_.seccomp) return std::string("not confined");
      return work();
    });
  }

  TemporaryFolder folder_;
  ConfinementPolicy policy_;
};

TEST_F(ConfinementTest, TheKernelSaysSo) {
  const std::string status = Confined([] {
    std::ifstream file("/proc/self/status");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  });
  EXPECT_NE(status.find("\nSeccomp:\t2\n"), std::string::npos) << status;
  EXPECT_NE(status.find("\nNoNewPrivs:\t1\n"), std::string::npos) << status;
}

TEST_F(ConfinementTest, ReadsWhatItWasToldTo) {
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc/sensor.yaml", O_RDONLY); }), "ok");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc", O_RDONLY | O_DIRECTORY); }), "ok");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "other/secret", O_RDONLY); }), "EACCES");
  EXPECT_EQ(Confined([&] { return Open(folder_.path(), O_RDONLY | O_DIRECTORY); }), "EACCES");
  EXPECT_EQ(Confined([] { return Open("/etc/passwd", O_RDONLY); }), "EACCES");
  EXPECT_EQ(Confined([] { return Open("/proc/self/status", O_RDONLY); }), "ok");
  EXPECT_EQ(Confined([] { return Open("/proc/1/status", O_RDONLY); }), "EACCES");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc/../other/secret", O_RDONLY); }), "EACCES");
}

TEST_F(ConfinementTest, AFilePutInTheOldOnesPlaceIsRead) {
  EXPECT_EQ(InChild([&] {
              int ready[2], done[2];
              if (pipe(ready) != 0 || pipe(done) != 0) return std::string("no pipe");
              const std::string path = folder_ / "etc/sensor.yaml";
              const pid_t editor = fork();
              if (editor == 0) {
                char byte;
                if (read(ready[0], &byte, 1) != 1) _exit(1);
                std::ofstream(path + "~") << "new\n";
                _exit(rename((path + "~").c_str(), path.c_str()) == 0 && write(done[1], "x", 1) == 1 ? 0 : 1);
              }
              Confinement result;
              std::string error, text;
              if (!Confine(policy_, result, error)) return error;
              char byte;
              if (write(ready[1], "x", 1) != 1 || read(done[0], &byte, 1) != 1) return std::string("no editor");
              std::ifstream(path) >> text;
              return text;
            }),
            "new");
}

TEST_F(ConfinementTest, FollowsALinkThatItWasToldToRead) {
  std::ofstream(folder_ / "other/real.csv") << "type,value\n";
  ASSERT_EQ(symlink("../other/real.csv", (folder_ / "etc/linked.csv").c_str()), 0);
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc/linked.csv", O_RDONLY); }), "EACCES")
      << "a link that was not named leads nowhere";
  policy_.Read(folder_ / "etc/linked.csv");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc/linked.csv", O_RDONLY); }), "ok");
}

TEST_F(ConfinementTest, WritesItsOwnFoldersOnly) {
  const auto writes = O_WRONLY | O_CREAT;
  EXPECT_EQ(Confined([&] { return Open(folder_ / "state/new", writes); }), "ok");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "state/old", O_RDWR | O_TRUNC); }), "ok");
  EXPECT_EQ(Confined([&] { return Outcome(mkdir((folder_ / "state/sub").c_str(), 0700) == 0); }), "ok");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc/sensor.yaml", O_WRONLY); }), "EACCES");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "etc/new", writes); }), "EACCES");
  EXPECT_EQ(Confined([&] { return Open(folder_ / "other/new", writes); }), "EACCES");
  EXPECT_EQ(Confined([] { return Open("/tmp/vedette-must-not-exist", writes); }), "EACCES");
  EXPECT_EQ(Confined([&] { return Outcome(truncate((folder_ / "etc/sensor.yaml").c_str(), 0) == 0); }), "EACCES");
  EXPECT_EQ(Confined([&] { return Outcome(unlink((folder_ / "etc/sensor.yaml").c_str()) == 0); }), "EACCES");
  EXPECT_EQ(Confined([&] {
              const std::string from = folder_ / "state/old", to = folder_ / "other/moved";
              return Outcome(rename(from.c_str(), to.c_str()) == 0);
            }),
            "EACCES");
  EXPECT_EQ(Confined([&] {
              const std::string from = folder_ / "other/secret", to = folder_ / "state/stolen";
              return Outcome(link(from.c_str(), to.c_str()) == 0);
            }),
            "EXDEV")
      << "a file that may not be read cannot be linked to where it may";
  EXPECT_EQ(Confined([&] {
              // A link to elsewhere can be made, and leads nowhere.
              const std::string link = folder_ / "state/link";
              if (symlink("../other/secret", link.c_str()) != 0) return Outcome(false);
              return Open(link, O_RDONLY) + ' ' + Open(link, O_WRONLY);
            }),
            "EACCES EACCES");
}

TEST_F(ConfinementTest, AMissingFolderToWriteIsAnError) {
  policy_.write_folders = {folder_ / "nowhere"};
  EXPECT_EQ(Confined([] { return std::string("confined"); }),
            (folder_ / "nowhere").string() +
                (": No such file or directory; create this folder for the user that the sensor runs as"));
}

TEST_F(ConfinementTest, ListensOnItsPortsOnly) {
  if (LandlockAbi() < 4) GTEST_SKIP() << "ports are NOT tested: the kernel's Landlock is older";
  ASSERT_TRUE(policy_.Listen("tcp://127.0.0.1:*"));
  EXPECT_EQ(Confined([] { return Bind(0); }), "ok");
  EXPECT_EQ(Confined([] { return Bind(45577); }), "EACCES");
  ASSERT_TRUE(policy_.Listen("tcp://127.0.0.1:45577"));
  EXPECT_EQ(Confined([] { return Bind(45577); }), "ok");
}

TEST_F(ConfinementTest, ConnectsToItsPortsOnly) {
  if (LandlockAbi() < 4) GTEST_SKIP() << "ports are NOT tested: the kernel's Landlock is older";
  const auto connects = [](uint16_t port) {
    const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return Outcome(connect(file, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  };
  // Nobody listens there: whoever may ask is refused.
  EXPECT_EQ(Confined([&] { return connects(1); }), "EACCES");
  policy_.connect_ports.push_back(1);
  EXPECT_EQ(Confined([&] { return connects(1); }), "ECONNREFUSED");
  EXPECT_EQ(Confined([&] { return connects(2); }), "EACCES");
  policy_.connect_anywhere = true;
  EXPECT_EQ(Confined([&] { return connects(2); }), "ECONNREFUSED");
}

// Whoever sends with MSG_FASTOPEN connects as well.
TEST_F(ConfinementTest, ConnectsInNoOtherWay) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(1);
  char byte = 'x';
  iovec bytes{.iov_base = &byte, .iov_len = 1};
  mmsghdr several{};
  msghdr& message = several.msg_hdr;
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  const auto sends = [&](int call, int type, int flags) {
    const int file = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (call == SYS_sendto)
      return Outcome(sendto(file, &byte, 1, flags, reinterpret_cast<sockaddr*>(&address), sizeof address) == 1);
    if (call == SYS_sendmsg) return Outcome(sendmsg(file, &message, flags) == 1);
    return Outcome(sendmmsg(file, &several, 1, flags) == 1);
  };
  for (const int call : {SYS_sendto, SYS_sendmsg, SYS_sendmmsg}) {
    for (const int flags : {int{MSG_FASTOPEN}, MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT})
      EXPECT_EQ(Confined([&] { return sends(call, SOCK_STREAM, flags); }), "EPERM") << call;
    EXPECT_EQ(Confined([&] { return sends(call, SOCK_STREAM, MSG_NOSIGNAL); }), "EPIPE") << call;
    EXPECT_EQ(Confined([&] { return sends(call, SOCK_DGRAM, MSG_NOSIGNAL | MSG_DONTWAIT); }), "ok") << call;
  }
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int protocol : {int{IPPROTO_MPTCP}, 256 /* SMC */, int{IPPROTO_SCTP}, int{IPPROTO_UDP}})
      EXPECT_EQ(Confined([&] { return Socket(family, SOCK_STREAM, protocol); }), "EPERM") << protocol;
    EXPECT_EQ(Confined([&] { return Socket(family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP); }), "ok");
    for (const int protocol : {int{IPPROTO_ICMP}, int{IPPROTO_UDPLITE}, int{IPPROTO_TCP}})
      EXPECT_EQ(Confined([&] { return Socket(family, SOCK_DGRAM, protocol); }), "EPERM") << protocol;
    for (const int protocol : {0, int{IPPROTO_UDP}})
      EXPECT_EQ(Confined([&] { return Socket(family, SOCK_DGRAM, protocol); }), "ok") << protocol;
  }
}

TEST(ConfinementPolicy, TakesPortsFromEndpoints) {
  ConfinementPolicy policy;
  EXPECT_TRUE(policy.Listen("tcp://192.0.2.1:5577"));
  EXPECT_TRUE(policy.Listen("tcp://[2001:db8::1]:5578"));
  EXPECT_TRUE(policy.Listen("tcp://*:*"));
  EXPECT_TRUE(policy.Listen("127.0.0.1:9100"));
  EXPECT_TRUE(policy.Listen("127.0.0.1:9100"));
  for (const char* text : {"ipc:///run/feed", "inproc://a:1", "tcp://192.0.2.1", "tcp://192.0.2.1:", "tcp://h:65536",
                           "tcp://h:12x", "", "host"})
    EXPECT_FALSE(policy.Listen(text)) << text;
  EXPECT_EQ(policy.listen_ports, (std::vector<uint16_t>{5577, 5578, 0, 9100}));
}

TEST_F(ConfinementTest, SocketsOfItsKindsOnly) {
  EXPECT_EQ(Confined([] { return Socket(AF_INET, SOCK_STREAM); }), "ok");
  EXPECT_EQ(Confined([] { return Socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK); }), "ok");
  EXPECT_EQ(Confined([] { return Socket(AF_UNIX, SOCK_STREAM); }), "ok");
  EXPECT_EQ(Confined([] { return Socket(AF_NETLINK, SOCK_RAW, 0); }), "ok");
  EXPECT_EQ(Confined([] { return Socket(AF_NETLINK, SOCK_RAW, 15); }), "EPERM");
  EXPECT_EQ(Confined([] { return Socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }), "EPERM");
  EXPECT_EQ(Confined([] { return Socket(AF_PACKET, SOCK_RAW); }), "EPERM");
  EXPECT_EQ(Confined([] { return Socket(AF_VSOCK, SOCK_STREAM); }), "EPERM");
}

TEST_F(ConfinementTest, StartsThreadsButNoProgram) {
  EXPECT_EQ(Confined([&] {
              std::string outcome;
              std::thread([&] { outcome = Open(folder_ / "other/secret", O_RDONLY); }).join();
              return outcome;
            }),
            "EACCES")
      << "a thread is confined like the one that started it";
  const std::string killed = "signal " + std::to_string(SIGSYS);
  EXPECT_EQ(Confined([] {
              execl("/bin/true", "true", nullptr);
              return Outcome(false);
            }),
            killed);
  EXPECT_EQ(Confined([] { return Outcome(syscall(SYS_fork) >= 0); }), killed);
  EXPECT_EQ(Confined([] { return Outcome(syscall(SYS_ptrace, 0, 0, 0, 0) == 0); }), killed);
  EXPECT_EQ(Confined([] { return Outcome(syscall(SYS_setuid, 0) == 0); }), killed);
  EXPECT_EQ(Confined([] { return Outcome(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0); }), "EPERM")
      << "fork() of libc";
  EXPECT_EQ(Confined([] { return Outcome(syscall(SYS_io_uring_setup, 1, nullptr) >= 0); }), "EPERM");
  EXPECT_EQ(Confined([] { return Outcome(kill(1, 0) == 0); }), "EPERM");
}

TEST_F(ConfinementTest, MemoryIsNotWrittenAndExecuted) {
  EXPECT_EQ(Confined([] {
              return Outcome(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                  0) != MAP_FAILED);
            }),
            "EPERM");
  EXPECT_EQ(Confined([] {
              void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (page == MAP_FAILED) return Outcome(false);
              return Outcome(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
            }),
            "EPERM");
}

TEST_F(ConfinementTest, EachLayerCanBeSwitchedOff) {
  policy_.landlock = false;
  EXPECT_EQ(Confined([&] { return Open(folder_ / "other/secret", O_RDONLY) + ' ' + Socket(AF_PACKET, SOCK_RAW); }),
            "ok EPERM");
  policy_.landlock = true;
  policy_.seccomp = false;
  EXPECT_EQ(Confined([&] { return Open(folder_ / "other/secret", O_RDONLY); }), "EACCES");
  EXPECT_EQ(Confined([] {
              execl("/bin/sh", "sh", "-c", "exit 0", nullptr);
              return Outcome(false);
            }),
            "EACCES")
      << "nothing may be executed, with Landlock alone";
}

TEST_F(ConfinementTest, ThreadsThatRunAlreadyAreRefused) {
  const std::string error = InChild([&] {
    std::atomic<bool> end{false};
    std::thread other([&] {
      while (!end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    Confinement result;
    std::string text;
    if (Confine(policy_, result, text)) text = "confined";
    end = true;
    other.join();
    return text;
  });
  EXPECT_NE(error.find("confine before threads start"), std::string::npos) << error;
}

}  // namespace
}  // namespace vedette
