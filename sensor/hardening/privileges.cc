#include "sensor/hardening/privileges.h"

#include <cap-ng.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace vedette {
namespace {

constexpr const char* kDefaultUser = "nobody";

// Larger than any entry of a user database; getpwnam_r says ERANGE where it is not.
constexpr size_t kPasswdBytes = 16384;

std::string ErrnoText(int number) { return std::generic_category().message(number); }

struct Identity {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::optional<unsigned> ParseId(std::string_view text) {
  unsigned value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value == UINT32_MAX) return std::nullopt;
  return value;
}

bool LookUp(const std::string& user, Identity& identity) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(kPasswdBytes);
  const std::optional<unsigned> number = ParseId(user);
  const int status = number ? getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found)
                            : getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (status != 0 || found == nullptr) return false;
  identity = {found->pw_name, found->pw_uid, found->pw_gid};
  return true;
}

bool ChooseIdentity(const std::string& user, Identity& identity, std::string& error) {
  if (!user.empty()) {
    if (!LookUp(user, identity)) {
      error =
          fmt::format("there is no user \"{}\" to run as; create it (useradd --system {}) or name another", user, user);
      return false;
    }
  } else {
    const char* const sudo_uid = std::getenv("SUDO_UID");
    const char* const sudo_gid = std::getenv("SUDO_GID");
    const std::optional<unsigned> uid = ParseId(sudo_uid != nullptr ? sudo_uid : "");
    const std::optional<unsigned> gid = ParseId(sudo_gid != nullptr ? sudo_gid : "");
    if (uid && gid && *uid != 0 && *gid != 0) {
      if (!LookUp(std::to_string(*uid), identity)) identity.name = std::to_string(*uid);
      identity.uid = *uid;
      identity.gid = *gid;
    } else if (!LookUp(kDefaultUser, identity)) {
      error = fmt::format("there is no user \"{}\" to run as; name another user", kDefaultUser);
      return false;
    }
  }
  if (identity.uid == 0 || identity.gid == 0) {
    error = fmt::format(
        "user \"{}\" has the rights of root or its group, with which packets are never parsed; name another user",
        identity.name);
    return false;
  }
  return true;
}

// Whether a line of /proc/PID/task/TID/status names a right that was given up.
bool NamesARight(std::string_view line) {
  for (const std::string_view set : {"CapInh:", "CapPrm:", "CapEff:", "CapAmb:"}) {
    if (line.starts_with(set)) return line.find_first_not_of("0\t ", set.size()) != std::string_view::npos;
  }
  return line == "NoNewPrivs:\t0";
}

// Threads have rights of their own.
bool EveryThreadIsHarmless(std::string& error) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", failure)) {
    std::ifstream status(entry.path() / "status");
    std::string line;
    while (std::getline(status, line)) {
      if (!NamesARight(line)) continue;
      error = fmt::format("thread {} still has rights ({}); they must be dropped before threads start",
                          entry.path().filename().string(), line);
      return false;
    }
  }
  if (failure) error = fmt::format("cannot see the threads of the process: /proc/self/task: {}", failure.message());
  return !failure;
}

bool HasOnly(unsigned kept) {
  if (capng_get_caps_process() != 0) return false;
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    for (const capng_type_t set : {CAPNG_EFFECTIVE, CAPNG_PERMITTED}) {
      if ((capng_have_capability(set, capability) == 1) != (capability == kept)) return false;
    }
  }
  return true;
}

bool Verify(const DroppedPrivileges& identity, std::optional<unsigned> kept, std::string& error) {
  uid_t uids[3];
  gid_t gids[3];
  if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0) {
    error = ErrnoText(errno);
    return false;
  }
  for (const uid_t uid : uids) {
    if (uid == 0 || uid != identity.uid) {
      error = fmt::format("the process is still user {}", uid);
      return false;
    }
  }
  for (const gid_t gid : gids) {
    if (gid != identity.gid) {
      error = fmt::format("the process still has group {}", gid);
      return false;
    }
  }
  if (kept && !HasOnly(*kept)) {
    error = fmt::format("the process has other capabilities than the one that it is to keep ({})", *kept);
    return false;
  }
  if (!kept && (capng_get_caps_process() != 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)) {
    error = "the process still has capabilities";
    return false;
  }
  if (setuid(0) == 0 || seteuid(0) == 0) {
    error = "the process could become root again";
    return false;
  }
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
    error = "the process could still gain privileges through programs that it starts";
    return false;
  }
  return kept || EveryThreadIsHarmless(error);
}

// `kept`: the one capability that stays.
bool Drop(const std::string& user, std::optional<unsigned> kept, DroppedPrivileges& dropped, std::string& error) {
  DroppedPrivileges identity;
  if (!WhoIsLeft(user, identity, error)) return false;
  const bool is_root = identity.changed_user;

  capng_clear(CAPNG_SELECT_ALL);
  if (kept) capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), *kept);
  int status = 0;
  if (is_root) {
    status =
        capng_change_id(static_cast<int>(identity.uid), static_cast<int>(identity.gid),
                        static_cast<capng_flags_t>(CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT));
  } else {
    status = capng_apply(CAPNG_SELECT_CAPS);
  }
  if (status != 0) {
    error = fmt::format("dropping the rights of root failed (libcap-ng {}, {}); start as root or with CAP_NET_RAW only",
                        status, ErrnoText(errno));
    return false;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    error = fmt::format("PR_SET_NO_NEW_PRIVS failed: {}", ErrnoText(errno));
    return false;
  }
  if (!Verify(identity, kept, error)) {
    error = fmt::format("dropping the rights of root had no effect: {}", error);
    return false;
  }
  dropped = identity;
  return true;
}

}  // namespace

bool WhoIsLeft(const std::string& user, DroppedPrivileges& left, std::string& error) {
  const bool is_root = geteuid() == 0 || getuid() == 0;
  Identity identity;
  if (is_root) {
    if (!ChooseIdentity(user, identity, error)) return false;
  } else {
    identity = {std::to_string(geteuid()), geteuid(), getegid()};
    LookUp(identity.name, identity);
    identity.gid = getegid();
  }
  left = {identity.name, identity.uid, identity.gid, is_root};
  return true;
}

bool DropPrivileges(const std::string& user, DroppedPrivileges& dropped, std::string& error) {
  return Drop(user, std::nullopt, dropped, error);
}

bool DropPrivilegesButNetRaw(const std::string& user, DroppedPrivileges& dropped, std::string& error) {
  return Drop(user, CAP_NET_RAW, dropped, error);
}

}  // namespace vedette
