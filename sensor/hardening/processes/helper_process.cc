#include "sensor/hardening/processes/helper_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <system_error>

namespace vedette {
namespace {

constexpr int kSocket = 3;  // the helper's end, once everything else is closed

std::string ErrnoText(int number) { return std::generic_category().message(number); }

[[noreturn]] void Live(const char* name, int socket, const std::function<void(int)>& life) {
  prctl(PR_SET_NAME, name);
  if (socket != kSocket) dup2(socket, kSocket);
  close_range(kSocket + 1, ~0U, 0);  // capture sockets above all
  fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  // Ctrl-C reaches the sensor, whose end this process sees; what it has accepted is still done. A write into a pipe
  // that somebody closed is told by its result.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) signal(number, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  life(kSocket);
  _exit(0);
}

size_t NumThreads() {
  std::error_code failure;
  size_t threads = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task", failure)) ++threads;
  return threads;
}

}  // namespace

std::unique_ptr<HelperProcess> HelperProcess::Start(const char* name, std::string_view what,
                                                    const std::function<void(int)>& life, std::string& error) {
  if (const size_t threads = NumThreads(); threads > 1) {
    error = fmt::format("{} threads run already; {}'s process is started before them", threads, what);
    return nullptr;
  }
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    error = fmt::format("{}'s socket: {}", what, ErrnoText(errno));
    return nullptr;
  }
  const pid_t child = fork();
  if (child == 0) Live(name, ends[1], life);
  close(ends[1]);
  if (child < 0) {
    error = fmt::format("{}'s process: {}", what, ErrnoText(errno));
    close(ends[0]);
    return nullptr;
  }
  return std::unique_ptr<HelperProcess>(new HelperProcess(ends[0], child));
}

HelperProcess::~HelperProcess() {
  shutdown(socket_, SHUT_WR);  // read by the helper after what is waiting
  const auto deadline = std::chrono::steady_clock::now() + kGoodbye;
  while (waitpid(child_, nullptr, WNOHANG) == 0 && std::chrono::steady_clock::now() < deadline) {
    poll(nullptr, 0, 10);
  }
  close(socket_);
}

}  // namespace vedette
