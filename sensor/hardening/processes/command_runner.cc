#include "sensor/hardening/processes/command_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <utility>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr int kCannotStart = 127;  // as a shell says it

// A message is the name, a zero byte, and the text. An answer is what the helper has counted since its start: a lost
// one is made good by the next.
struct Outcomes {
  uint64_t succeeded = 0;
  uint64_t failed = 0;
  uint64_t timed_out = 0;
  int32_t last = 0;  // how the last run ended, as waitpid says it, or one of these:
  static constexpr int32_t kTimedOut = -1, kNotStarted = -2;
};

std::string HowItEnded(int32_t last, std::chrono::seconds time_out) {
  if (last == Outcomes::kTimedOut) return fmt::format("took longer than {} s and was killed", time_out.count());
  if (last == Outcomes::kNotStarted) return "no process could be made for it";
  if (WIFSIGNALED(last)) return fmt::format("ended by signal {}", WTERMSIG(last));
  const int status = WEXITSTATUS(last);
  return fmt::format("exit status {}{}", status,
                     status == kCannotStart ? " (it, or a program that it calls, could not be started)" : "");
}

// Becomes the command. Between fork and exec of a process with one thread.
[[noreturn]] void Exec(const std::vector<std::string>& command, const char* name, int input) {
  setsid();  // whatever it starts can be ended with it
  dup2(input, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);  // standard output may be the sensor's alerts
  close_range(3, ~0U, 0);
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (chdir("/") != 0) _exit(kCannotStart);
  const std::string alarm = std::string("VEDETTE_ALARM=") + name;
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", lang = "LC_ALL=C.UTF-8";
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  std::array<char*, 4> environment = {const_cast<char*>(alarm.c_str()), path.data(), lang.data(), nullptr};
  execve(arguments[0], arguments.data(), environment.data());
  const std::string message = fmt::format("vedette: {}: {}\n", command[0], ErrnoText(errno));
  [[maybe_unused]] const ssize_t told = write(STDERR_FILENO, message.data(), message.size());
  _exit(kCannotStart);
}

// One run of the command, to its end or the time-out.
void RunOnce(const CommandRunner::Options& options, const char* name, std::string_view text, Outcomes& outcomes) {
  int ends[2];
  outcomes.last = Outcomes::kNotStarted;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    ++outcomes.failed;
    return;
  }
  // Fits the pipe.
  const bool written = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(ends[1]);
  const pid_t child = written ? fork() : -1;
  if (child == 0) Exec(options.command, name, ends[0]);
  close(ends[0]);
  if (child < 0) {
    ++outcomes.failed;
    return;
  }
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, child, 0U));
  bool ended = false;
  if (handle >= 0) {
    const auto deadline = std::chrono::steady_clock::now() + options.time_out;
    for (;;) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      pollfd wait{handle, POLLIN, 0};
      const int ready = poll(&wait, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
      if (ready < 0 && errno == EINTR) continue;
      ended = ready > 0;
      break;
    }
    close(handle);
  }
  kill(-child, SIGKILL);  // what it left behind goes too; ESRCH where nothing is left
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  outcomes.last = ended ? status : Outcomes::kTimedOut;
  if (!ended) {
    ++outcomes.timed_out;
  } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    ++outcomes.succeeded;
  } else {
    ++outcomes.failed;
  }
}

// The helper's life.
void Serve(const CommandRunner::Options& options, int socket) {
  Outcomes outcomes;
  std::string message(CommandRunner::kMaxNameBytes + 1 + CommandRunner::kMaxTextBytes, '\0');
  for (;;) {
    const ssize_t size = recv(socket, message.data(), message.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;  // the sensor is gone
    const std::string_view all(message.data(), static_cast<size_t>(size));
    const size_t zero = all.find('\0');
    if (zero == all.npos) continue;  // Run writes one
    RunOnce(options, message.c_str(), all.substr(zero + 1), outcomes);
    send(socket, &outcomes, sizeof outcomes, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

bool NameByte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

}  // namespace

CommandRunner::CommandRunner(const Options& options, std::unique_ptr<HelperProcess> helper)
    : options_(options),
      helper_(std::move(helper)),
      tokens_(options.burst),
      refilled_(std::chrono::steady_clock::now()) {}

CommandRunner::~CommandRunner() = default;

std::unique_ptr<CommandRunner> CommandRunner::Start(const Options& options, std::string& error) {
  if (options.command.empty() || !options.command[0].starts_with('/')) {
    error = fmt::format("the alarm command `{}` has to be a program's absolute path and its arguments",
                        options.command.empty() ? "" : options.command[0]);
    return nullptr;
  }
  const std::string& program = options.command[0];
  struct stat status {};
  if (stat(program.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || access(program.c_str(), X_OK) != 0) {
    error = fmt::format("the alarm command {} is no program that user {} can start; check path and permissions",
                        program, geteuid());
    return nullptr;
  }
  std::unique_ptr<HelperProcess> helper = HelperProcess::Start(
      "vedette-command", "the alarm command", [&](int socket) { Serve(options, socket); }, error);
  if (helper == nullptr) return nullptr;
  return std::unique_ptr<CommandRunner>(new CommandRunner(options, std::move(helper)));
}

bool CommandRunner::TakeToken() {
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> passed = now - refilled_;
  refilled_ = now;
  tokens_ = std::min<double>(options_.burst, tokens_ + passed / std::chrono::duration<double>(options_.every));
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

bool CommandRunner::Run(std::string_view name, std::string_view text) {
  std::string message(name.substr(0, kMaxNameBytes));
  for (char& c : message) {
    if (!NameByte(c)) c = '_';
  }
  message += '\0';
  message += text.substr(0, kMaxTextBytes);
  const std::lock_guard lock(mutex_);
  if (!TakeToken()) {
    ++status_.counters.dropped_rate;
    return false;
  }
  if (send(helper_->socket(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    ++status_.counters.dropped_busy;
    return false;
  }
  ++status_.counters.accepted;
  return true;
}

CommandStatus CommandRunner::Status() {
  const std::lock_guard lock(mutex_);
  Outcomes outcomes;
  ssize_t size = 0;
  while ((size = recv(helper_->socket(), &outcomes, sizeof outcomes, MSG_DONTWAIT)) ==
         static_cast<ssize_t>(sizeof outcomes)) {
    status_.counters.succeeded = outcomes.succeeded;
    status_.counters.failed = outcomes.failed;
    status_.counters.timed_out = outcomes.timed_out;
    status_.failing = outcomes.last != 0;
    if (status_.failing) status_.last_failure = HowItEnded(outcomes.last, options_.time_out);
  }
  // Its end of the socket is closed, which it never does while it lives.
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) status_.gone = true;
  return status_;
}

}  // namespace vedette
