#include "sensor/live/service/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/unit/temporary_folder.h"

namespace vedette {
namespace {

// systemd's end.
class Listener {
 public:
  explicit Listener(const std::string& name) : file_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(file_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Listener() { close(file_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  std::string Next() const {
    char buffer[4096];
    const ssize_t size = recv(file_, buffer, sizeof buffer, MSG_DONTWAIT);
    return size < 0 ? "nothing" : std::string(buffer, static_cast<size_t>(size));
  }

 private:
  const int file_;
};

TEST(ServiceManager, DoesNothingWithoutOne) {
  unsetenv("NOTIFY_SOCKET");
  setenv("WATCHDOG_USEC", "1000000", 1);
  ServiceManager manager;
  EXPECT_FALSE(manager.present());
  EXPECT_FALSE(manager.watchdog());
  manager.Ready("x");
  manager.Alive();
}

TEST(ServiceManager, SpeaksTheProtocol) {
  const TemporaryFolder folder;
  for (const std::string& name : {(folder / "notify").string(), "@vedette-test-" + std::to_string(getpid())}) {
    const Listener systemd(name);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", "30000000", 1);
    ServiceManager manager;
    ASSERT_TRUE(manager.present()) << name;
    ASSERT_TRUE(manager.watchdog());
    EXPECT_EQ(*manager.watchdog(), std::chrono::seconds(30));
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
    EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
    manager.Ready("running on eth0\nREADY=0");
    manager.Alive();
    manager.Status("12 alerts");
    manager.Stopping("");
    EXPECT_EQ(systemd.Next(), "READY=1\nSTATUS=running on eth0 READY=0");
    EXPECT_EQ(systemd.Next(), "WATCHDOG=1");
    EXPECT_EQ(systemd.Next(), "STATUS=12 alerts");
    EXPECT_EQ(systemd.Next(), "STOPPING=1");
    manager.Reloading("");
    const std::string reloading = systemd.Next(), begin = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_TRUE(reloading.starts_with(begin)) << reloading;
    EXPECT_EQ(reloading.find_first_not_of("0123456789", begin.size()), std::string::npos) << reloading;
    EXPECT_GT(reloading.size(), begin.size());
    EXPECT_EQ(systemd.Next(), "nothing");
  }
}

TEST(ServiceManager, AWatchdogOfAnotherProcessIsNotOurs) {
  const TemporaryFolder folder;
  const Listener systemd(folder / "notify");
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceManager().watchdog());
  for (const char* wrong : {"", "0", "-1", "1s", "99999999999999"}) {
    setenv("NOTIFY_SOCKET", (folder / "notify").c_str(), 1);
    unsetenv("WATCHDOG_PID");
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_FALSE(ServiceManager().watchdog()) << wrong;
  }
}

TEST(ServiceManager, AnAddressThatIsNoneIsNoManager) {
  for (const std::string& name : {std::string("relative"), std::string("/"), std::string("/nowhere/notify"),
                                  "/" + std::string(200, 'x'), std::string()}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ServiceManager manager;
    EXPECT_FALSE(manager.present()) << name;
    manager.Ready("");
  }
}

}  // namespace
}  // namespace vedette
