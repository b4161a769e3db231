#include "sensor/live/service/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace vedette {
namespace {

constexpr size_t kMaxStatusBytes = 512;  // a line for people

std::optional<uint64_t> NumberOf(const char* name) {
  const char* const text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(text, text + std::strlen(text), value);
  if (status != std::errc() || *end != '\0') return std::nullopt;
  return value;
}

// A path, or with a leading @ an abstract name.
int Connect(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() < 2 || name.size() >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return -1;
  name.copy(address.sun_path, name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  const int file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (file < 0) return -1;
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  if (connect(file, reinterpret_cast<const sockaddr*>(&address), bytes) == 0) return file;
  close(file);
  return -1;
}

}  // namespace

ServiceManager::ServiceManager() {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name != nullptr) socket_ = Connect(name);
  const std::optional<uint64_t> interval = NumberOf("WATCHDOG_USEC"), process = NumberOf("WATCHDOG_PID");
  const bool ours = !process || *process == static_cast<uint64_t>(getpid());
  // A day is longer than any watchdog.
  if (socket_ >= 0 && ours && interval && *interval > 0 && *interval <= 86'400'000'000)
    watchdog_ = std::chrono::microseconds(static_cast<int64_t>(*interval));
  for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(variable);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

void ServiceManager::Send(std::string_view state, std::string_view status) {
  if (socket_ < 0) return;
  std::string message(state);
  if (!status.empty()) {
    std::string line(status.substr(0, kMaxStatusBytes));
    std::replace(line.begin(), line.end(), '\n', ' ');
    message += "\nSTATUS=" + line;
  }
  send(socket_, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void ServiceManager::Ready(std::string_view status) { Send("READY=1", status); }

void ServiceManager::Reloading(std::string_view status) {
  // systemd 253 and later want the time with it (Type=notify-reload).
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t microseconds =
      static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1000;
  Send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds), status);
}

void ServiceManager::Stopping(std::string_view status) { Send("STOPPING=1", status); }

void ServiceManager::Status(std::string_view status) {
  if (socket_ < 0) return;
  std::string line(status.substr(0, kMaxStatusBytes));
  std::replace(line.begin(), line.end(), '\n', ' ');
  Send("STATUS=" + line, {});
}

void ServiceManager::Alive() { Send("WATCHDOG=1", {}); }

}  // namespace vedette
