#include "sensor/hardening/confinement.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "parsers/base/errno_text.h"
#include "sensor/hardening/landlock.h"
#include "sensor/hardening/system_calls.h"

namespace vedette {
namespace {

// What the libraries read whenever they like; all of it is the same for every user.
constexpr const char* kSystemReads[] = {
    "/usr/lib",
    "/lib",
    "/lib64",  // modules of libcrypto and of the name service, loaded at first use
    "/etc/ld.so.cache",
    "/etc/ssl/openssl.cnf",  // where those are; libcrypto reads its own at first use
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/host.conf",  // endpoints with names
    "/etc/localtime",
    "/usr/share/zoneinfo",  // libc, for a time in a message
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",  // processors and memory there are
    "/sys/class/net",
    "/sys/devices/virtual/net",  // libpcap, about its interface
    "/proc/self",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/core",
    "/dev/urandom",
    "/dev/random",
    "/usr/share/vedette",  // the package's geolocation database
};

bool OnlyThread(std::string& error) {
  std::error_code failure;
  size_t threads = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task", failure)) ++threads;
  if (failure) {
    error = fmt::format("cannot see the threads of the process: /proc/self/task: {}", failure.message());
    return false;
  }
  if (threads != 1) {
    error = fmt::format("{} threads run already and would stay unconfined; confine before threads start", threads);
    return false;
  }
  return true;
}

bool ApplyLandlock(const ConfinementPolicy& policy, Confinement& result, std::string& error) {
  result.landlock_abi = LandlockAbi();
  if (result.landlock_abi == 0) {
    const std::string what = "the kernel has no Landlock (needs Linux 5.13 with `landlock` in its list of LSMs)";
    if (policy.required) {
      error = what + "; boot with lsm=landlock,… or set `hardening: {required: false}`";
      return false;
    }
    result.gaps.push_back(what + ": files are kept by their permissions alone");
    return true;
  }
  LandlockRules rules;
  for (const char* path : kSystemReads) rules.AllowRead(path);
  rules.AllowWriteFile("/dev/null");
  for (const std::string& path : policy.read_folders) rules.AllowRead(path);
  for (const std::string& path : policy.write_folders) {
    if (!rules.AllowWrite(path)) {
      error = fmt::format("{}: {}; create this folder for the user that the sensor runs as", path, ErrnoText(errno));
      return false;
    }
  }
  for (const uint16_t port : policy.listen_ports) rules.AllowListen(port);
  for (const uint16_t port : policy.connect_ports) rules.AllowConnect(port);
  if (policy.connect_anywhere) {
    rules.AllowConnectAnywhere();
    result.gaps.emplace_back("any TCP connection may be made, because the feed's port is not known beforehand");
  }
  if (!rules.Enforce(result.landlock_abi, error)) return false;
  if (result.landlock_abi < 4) result.gaps.push_back("the kernel's Landlock knows no TCP ports (needs Linux 6.7)");
  if (result.landlock_abi < 6) result.gaps.push_back("the kernel's Landlock knows no signals (needs Linux 6.12)");

  // The root folder may be listed by anybody, but not from in here.
  const bool everything =
      std::find(policy.read_folders.begin(), policy.read_folders.end(), "/") != policy.read_folders.end() ||
      std::find(policy.write_folders.begin(), policy.write_folders.end(), "/") != policy.write_folders.end();
  const int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root >= 0) close(root);
  if (root >= 0 && !everything) {
    error = "Landlock had no effect: the root folder can still be read";
    return false;
  }
  result.landlock = true;
  return true;
}

bool ApplySeccomp(const ConfinementPolicy& policy, Confinement& result, std::string& error) {
  bool missing = false;
  if (!AllowListedSystemCalls(missing, error)) {
    if (!missing || policy.required) return false;
    result.gaps.push_back(error + ": every system call is allowed");
    error.clear();
    return true;
  }
  // personality(0xffffffff) only asks, and fails for nobody but a filter.
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2 || syscall(SYS_personality, 0xffffffff) != -1) {
    error = "the filter of system calls had no effect";
    return false;
  }
  result.seccomp = true;
  return true;
}

void AddOnce(std::vector<std::string>& list, const std::string& entry) {
  if (std::find(list.begin(), list.end(), entry) == list.end()) list.push_back(entry);
}

std::string FolderOf(const std::filesystem::path& path) {
  const std::string folder = path.parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

void ConfinementPolicy::Read(const std::string& path) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) {
    AddOnce(read_folders, path);
    return;
  }
  AddOnce(read_folders, FolderOf(path));
  const std::filesystem::path target = std::filesystem::canonical(path, status);
  if (!status) AddOnce(read_folders, FolderOf(target));
}

void ConfinementPolicy::WriteBeside(const std::string& file) {
  if (!file.empty() && file != "-") AddOnce(write_folders, FolderOf(file));
}

bool ConfinementPolicy::Listen(std::string_view endpoint) {
  const size_t scheme = endpoint.find("://");
  if (scheme != endpoint.npos && !endpoint.starts_with("tcp://")) return false;
  const size_t colon = endpoint.rfind(':');
  if (colon == endpoint.npos || colon == scheme) return false;
  const std::string_view text = endpoint.substr(colon + 1);
  uint16_t port = 0;
  if (text != "*") {
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (status != std::errc() || end != text.data() + text.size()) return false;
  }
  if (std::find(listen_ports.begin(), listen_ports.end(), port) == listen_ports.end()) listen_ports.push_back(port);
  return true;
}

bool Confine(const ConfinementPolicy& policy, Confinement& result, std::string& error) {
  result = {};
  if (!OnlyThread(error)) return false;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    error = fmt::format("PR_SET_NO_NEW_PRIVS failed: {}", ErrnoText(errno));
    return false;
  }
  if (!policy.landlock) result.gaps.emplace_back("Landlock is switched off by the configuration");
  if (!policy.seccomp) result.gaps.emplace_back("seccomp is switched off by the configuration");
  if (policy.landlock && !ApplyLandlock(policy, result, error)) return false;
  return !policy.seccomp || ApplySeccomp(policy, result, error);
}

}  // namespace vedette
