#include "sensor/live/control.h"

#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <system_error>
#include <vector>

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kRequestLimit{2'000};
constexpr int kBacklog = 8;

std::string ErrnoText() { return std::generic_category().message(errno); }

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

bool AddressOf(const std::string& path, sockaddr_un& address, std::string& error) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    error = path + ": a control socket's path has 1 to " + std::to_string(sizeof address.sun_path - 1) + " bytes";
    return false;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

// False with errno; EAGAIN: somebody listens there and takes no connection, as one that hangs.
bool Connects(const Socket& socket, const sockaddr_un& address, std::chrono::milliseconds limit) {
  const timeval time{.tv_sec = limit.count() / 1000, .tv_usec = limit.count() % 1000 * 1000};
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  return connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool SomebodyListens(const sockaddr_un& address) {
  const Socket probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return Connects(probe, address, kRequestLimit) || errno == EAGAIN;
}

using Deadline = std::chrono::steady_clock::time_point;

Deadline Within(std::chrono::milliseconds limit) { return std::chrono::steady_clock::now() + limit; }

// Milliseconds for poll; 0 when it is over, and not before.
int LeftUntil(Deadline end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

// Reads to the first newline. False at a bound, the end, or an error.
bool ReadLine(int fd, size_t max_bytes, Deadline end, std::string& line) {
  char buffer[4096];
  for (;;) {
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    const int left = LeftUntil(end);
    if (left == 0) return false;
    const int ready = poll(&waiting, 1, left);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    const char* const newline = static_cast<const char*>(std::memchr(buffer, '\n', static_cast<size_t>(count)));
    line.append(buffer, newline == nullptr ? static_cast<size_t>(count) : static_cast<size_t>(newline - buffer));
    if (line.size() > max_bytes) return false;
    if (newline != nullptr) return true;
  }
}

bool WriteLine(int fd, std::string text, Deadline end) {
  text += '\n';
  size_t done = 0;
  while (done < text.size()) {
    pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
    const int left = LeftUntil(end);
    if (left == 0 || poll(&waiting, 1, left) == 0) return false;
    const ssize_t count = send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

// While it is there, files are reached and made as another user's: what root makes is that user's from the beginning,
// and nothing is given away that somebody could have put into its place.
class FileRightsOf {
 public:
  FileRightsOf(uid_t uid, gid_t primary, gid_t made_with) {
    const int count = getgroups(0, nullptr);
    before_.resize(static_cast<size_t>(std::max(count, 0)));
    known_ = count >= 0 && getgroups(count, before_.data()) == count;
    ok_ = known_ && setgroups(1, &primary) == 0;
    gid_ = setfsgid(made_with);
    uid_ = setfsuid(uid);
    // Each says what was; whether it took effect is seen by asking once more.
    ok_ = ok_ && static_cast<uid_t>(setfsuid(static_cast<uid_t>(-1))) == uid &&
          static_cast<gid_t>(setfsgid(static_cast<gid_t>(-1))) == made_with;
  }
  ~FileRightsOf() {
    setfsuid(static_cast<uid_t>(uid_));
    setfsgid(static_cast<gid_t>(gid_));
    if (known_) [[maybe_unused]]
      const int status = setgroups(before_.size(), before_.data());
  }
  FileRightsOf(const FileRightsOf&) = delete;
  FileRightsOf& operator=(const FileRightsOf&) = delete;
  bool ok() const { return ok_; }

 private:
  std::vector<gid_t> before_;
  bool known_ = false, ok_ = false;
  int uid_ = 0, gid_ = 0;
};

// Gives the socket that this process has just made to the group. False with errno.
bool GiveToGroup(const std::string& path, gid_t group) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return false;
  if (status.st_gid != group && lchown(path.c_str(), static_cast<uid_t>(-1), group) != 0) return false;
  return chmod(path.c_str(), 0660) == 0;
}

Json Failure(const std::string& what) { return {{"ok", false}, {"error", what}}; }

}  // namespace

std::optional<unsigned> GroupOf(const std::string& name, std::string& error) {
  constexpr size_t kGroupBytes = size_t{1} << 20;  // larger than any entry; members are named in it
  std::vector<char> buffer(kGroupBytes);
  group entry{};
  group* found = nullptr;
  unsigned number = 0;
  const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (status == std::errc() && end == name.data() + name.size()) return number;
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->gr_gid;
  error =
      fmt::format("`control_group`: there is no group `{0}`; create it (groupadd --system {0}) or name another", name);
  return std::nullopt;
}

std::unique_ptr<ControlServer> ControlServer::Open(const std::string& path, std::string& error) {
  return Open(path, ControlOwner{.uid = geteuid(), .gid = getegid(), .group = {}}, error);
}

std::unique_ptr<ControlServer> ControlServer::Open(const std::string& path, const ControlOwner& owner,
                                                   std::string& error) {
  sockaddr_un address;
  if (!AddressOf(path, address, error)) return nullptr;
  if (SomebodyListens(address)) {
    error = path + ": another sensor answers there; stop it, or give this one its own `control`";
    return nullptr;
  }
  std::optional<FileRightsOf> rights;
  if (owner.made_by_root && !rights.emplace(owner.uid, owner.gid, owner.group.value_or(owner.gid)).ok()) {
    error =
        fmt::format("{}: cannot be created for user {}; start the sensor as root, or as that user", path, owner.uid);
    return nullptr;
  }
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      error =
          path + ": is not a socket; `control` names the socket to create, so remove the file or choose another path";
      return nullptr;
    }
    unlink(path.c_str());  // of a sensor that was killed
  }
  Socket listening(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nobody else may connect at any time, so the mode is that of the socket's making.
  const mode_t before = umask(0177);
  const bool bound = bind(listening.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const std::string reason = bound ? "" : ErrnoText();
  umask(before);
  if (!bound || listen(listening.fd(), kBacklog) != 0) {
    error = path + ": cannot be created: " + (bound ? ErrnoText() : reason) +
            "; `control` names a socket in a folder that the sensor's user can write";
    return nullptr;
  }
  if (owner.group && !GiveToGroup(path, *owner.group)) {
    error = fmt::format(
        "{}: cannot be given to group {}: {}; the sensor's user has to be a member of it (adduser USER GROUP, then "
        "restart), or root has to start the sensor",
        path, *owner.group, ErrnoText());
    unlink(path.c_str());
    return nullptr;
  }
  return std::unique_ptr<ControlServer>(
      new ControlServer(path, listening.Release(), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

ControlServer::ControlServer(std::string path, int socket, int end_event)
    : path_(std::move(path)), socket_(socket), end_event_(end_event) {}

ControlServer::~ControlServer() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(end_event_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  // The path first: once nobody answers there, the next sensor makes it anew, and that one is not ours to remove.
  unlink(path_.c_str());
  close(socket_);
  close(end_event_);
}

void ControlServer::Start() {
  thread_ = std::thread([this] { Serve(); });
}

void ControlServer::StartEarly() {
  starting_.store(true);
  Start();
}

void ControlServer::Serve() {
  for (;;) {
    pollfd waiting[2] = {{.fd = socket_, .events = POLLIN, .revents = 0},
                         {.fd = end_event_, .events = POLLIN, .revents = 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) return;
    if (waiting[1].revents != 0) return;
    if (waiting[0].revents == 0) continue;
    const Socket connection(accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (connection.fd() >= 0) {
      ServeOne(connection.fd());
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      // No descriptors left: try again rather than spin.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

void ControlServer::ServeOne(int connection) {
  std::string line;
  if (!ReadLine(connection, kMaxRequestBytes, Within(kRequestLimit), line)) {
    if (line.size() > kMaxRequestBytes) {
      WriteLine(connection, Failure("the request is longer than " + std::to_string(kMaxRequestBytes) + " bytes").dump(),
                Within(kRequestLimit));
    }
    return;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  const For whom = known && (peer.uid == 0 || peer.uid == geteuid()) ? For::kOwner : For::kGroup;
  WriteLine(connection, Answer(line, whom), Within(kRequestLimit));
}

std::string ControlServer::Answer(std::string_view line, For whom) const {
  if (starting_.load(std::memory_order_acquire))
    return Failure("the sensor is starting: it reads its indicators; ask again in a moment").dump();
  Json response;
  const Json request = Json::parse(line, nullptr, false);
  const auto command = request.is_object() ? request.find("command") : request.end();
  if (request.is_discarded() || !request.is_object() || command == request.end() || !command->is_string()) {
    response = Failure("the request is not a JSON object with a `command`");
  } else if (const auto entry = handlers_.find(command->get<std::string>()); entry == handlers_.end()) {
    std::string known;
    for (const auto& [name, what] : handlers_) known += (known.empty() ? "" : ", ") + name;
    response = Failure("unknown command; known: " + known);
  } else if (whom == For::kGroup && entry->second.whom != For::kGroup) {
    response = Failure(
        fmt::format("`{}` is for root and the sensor's user; members of `control_group` may only query", entry->first));
  } else {
    try {
      response = entry->second.handler(request);
      if (!response.contains("ok")) response["ok"] = true;
    } catch (const Json::exception&) {
      response = Failure("a field of the request has another type than the command expects");
    }
  }
  std::string text = response.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMaxResponseBytes) text = Failure("the answer is too long").dump();
  return text;
}

bool IsControlPath(const std::string& path, std::string& error) {
  sockaddr_un address;
  return AddressOf(path, address, error);
}

AskOutcome AskSensor(const std::string& path, const Json& request, Json& response, std::string& error,
                     std::chrono::milliseconds limit) {
  sockaddr_un address;
  if (!AddressOf(path, address, error)) return AskOutcome::kNobody;
  const Deadline end = Within(limit);
  const auto silent = [&] {
    error = fmt::format(
        "{}: the sensor does not answer: nothing came for {} s. It hangs, or is very slow; its log may "
        "say why, and `systemctl restart vedette` ends it",
        path, limit.count() / 1000);
    return AskOutcome::kSilent;
  };
  const Socket connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!Connects(connection, address, limit)) {
    if (errno == EAGAIN) return silent();  // so many wait already
    error = path + ": no sensor answers (" + ErrnoText() + "); " +
            (errno == EACCES || errno == EPERM
                 ? "ask as root, as the sensor's user, or as a member of the group that its `control_group` names"
                 : "is it running, and is this its `control` socket?");
    return AskOutcome::kNobody;
  }
  std::string line;
  const bool answered = WriteLine(connection.fd(), request.dump(), end) &&
                        ReadLine(connection.fd(), ControlServer::kMaxResponseBytes, end, line);
  if (!answered && LeftUntil(end) == 0) return silent();
  response = Json::parse(line, nullptr, false);
  if (!answered || response.is_discarded() || !response.is_object()) {
    error = answered ? path + ": the program that answers there is not a Vedette sensor"
                     : path + ": the sensor closed the connection without an answer; its log may say why";
    return AskOutcome::kUseless;
  }
  return AskOutcome::kAnswered;
}

}  // namespace vedette
