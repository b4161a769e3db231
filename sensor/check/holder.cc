#include "sensor/check/holder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "sensor/config/config.h"
#include "sensor/live/control.h"

namespace vedette {
namespace {

constexpr size_t kMaxProgramBytes = 80;                // shown
constexpr size_t kMaxCommandBytes = size_t{64} << 10;  // of a command line
constexpr std::string_view kListens = "0A";            // TCP_LISTEN, as /proc/net/tcp writes it

std::vector<std::string> CommandLine(int pid) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
  std::string text(kMaxCommandBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\0', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

Holder HolderOf(int pid) {
  Holder holder{.pid = pid, .program = {}};
  for (const std::string& word : CommandLine(pid)) holder.program += (holder.program.empty() ? "" : " ") + word;
  if (holder.program.size() > kMaxProgramBytes) holder.program = holder.program.substr(0, kMaxProgramBytes) + "…";
  return holder;
}

std::optional<int> NumberOf(const std::string& text) {
  int number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  return status == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// The sockets that listen at the port, by inode.
std::set<std::string> SocketsAt(const std::string& port) {
  std::set<std::string> inodes;
  const std::optional<int> number = NumberOf(port);
  if (!number || *number <= 0) return inodes;
  const std::string wanted = fmt::format(":{:04X}", *number);
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    while (std::getline(file, line)) {
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …
      std::istringstream words(line);
      std::string word, local, state, inode;
      words >> word >> local >> word >> state >> word >> word >> word >> word >> word >> inode;
      if (state == kListens && local.ends_with(wanted)) inodes.insert("socket:[" + inode + "]");
    }
  }
  return inodes;
}

// From /proc/locks: "1: FLOCK  ADVISORY  WRITE 812 08:01:1312 0 EOF".
std::optional<Holder> HolderOfLock(const struct stat& locked) {
  const std::string file_id =
      fmt::format("{:02x}:{:02x}:{}", major(locked.st_dev), minor(locked.st_dev), locked.st_ino);
  std::ifstream file("/proc/locks");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string number, kind, how, what, pid, id;
    words >> number >> kind >> how >> what >> pid >> id;
    const std::optional<int> holder = NumberOf(pid);
    if (kind == "FLOCK" && id == file_id && holder && *holder > 0) return HolderOf(*holder);
  }
  return std::nullopt;
}

bool IsSameFile(const std::string& one, const std::string& other) {
  struct stat first {
  }, second{};
  return one == other || (stat(one.c_str(), &first) == 0 && stat(other.c_str(), &second) == 0 &&
                          first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

}  // namespace

bool SomebodyListens(const std::string& port) { return !SocketsAt(port).empty(); }

std::optional<Holder> HolderOfPort(const std::string& port) {
  const std::set<std::string> sockets = SocketsAt(port);
  if (sockets.empty()) return std::nullopt;
  std::error_code failure;
  for (const auto& process : std::filesystem::directory_iterator("/proc", failure)) {
    const std::optional<int> pid = NumberOf(process.path().filename().string());
    if (!pid) continue;
    std::error_code hidden;
    std::filesystem::directory_iterator files(process.path() / "fd", hidden);
    for (; !hidden && files != std::filesystem::directory_iterator(); files.increment(hidden)) {
      std::error_code gone;
      if (sockets.contains(std::filesystem::read_symlink(files->path(), gone).string())) return HolderOf(*pid);
    }
  }
  return std::nullopt;
}

std::optional<Holder> HolderOfSocket(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return std::nullopt;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  ucred peer{};
  socklen_t bytes = sizeof peer;
  const bool known = descriptor >= 0 &&
                     connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0 && peer.pid > 0;
  if (descriptor >= 0) close(descriptor);
  return known ? std::optional(HolderOf(peer.pid)) : std::nullopt;
}

bool IsLocked(const std::string& path, std::optional<Holder>& holder) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  const bool regular = descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  // A shared lock, and for a moment only: a sensor that starts meanwhile would have to be very unlucky.
  const bool locked = regular && flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (descriptor >= 0) close(descriptor);
  if (locked) holder = HolderOfLock(status);
  return locked;
}

bool OurSensorRuns(const Config& config) {
  nlohmann::json status;
  std::string error;
  return !config.control.empty() &&
         AskSensor(config.control, {{"command", "status"}}, status, error) == AskOutcome::kAnswered &&
         status.value("sensor", std::string()) == config.sensor_name;
}

bool RunsWith(const Holder& holder, const std::string& config_path) {
  const std::vector<std::string> words = CommandLine(holder.pid);
  if (std::find(words.begin(), words.end(), "run") == words.end()) return false;
  constexpr std::string_view kOption = "--config";
  std::string path = kDefaultConfig;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kOption && i + 1 < words.size()) path = words[i + 1];
    if (words[i].starts_with(std::string(kOption) + "=")) path = words[i].substr(kOption.size() + 1);
  }
  if (!path.starts_with('/')) {
    std::error_code failure;
    path = (std::filesystem::read_symlink(fmt::format("/proc/{}/cwd", holder.pid), failure) / path).string();
  }
  return IsSameFile(path, config_path);
}

std::string TextOf(const std::optional<Holder>& holder) {
  if (!holder) return {};
  return fmt::format(" (by {}, process {})", holder->program, holder->pid);
}

}  // namespace vedette
