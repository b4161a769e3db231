#include "sensor/check/as_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace vedette {
namespace {

int Ask(const AccessWish& wish) {
  const int mode = wish.access == Access::kRead         ? R_OK
                   : wish.access == Access::kReadFolder ? R_OK | X_OK
                   : wish.access == Access::kWrite      ? W_OK
                   : wish.access == Access::kExecute    ? X_OK
                                                        : W_OK | X_OK;
  return access(wish.path.c_str(), mode) == 0 ? 0 : errno;
}

// As DropPrivileges reads it.
bool Find(const std::string& user, uid_t& uid, gid_t& gid) {
  const std::string name = user.empty() ? "nobody" : user;
  const passwd* entry = getpwnam(name.c_str());
  if (entry == nullptr) {
    const auto [end, status] = std::from_chars(name.data(), name.data() + name.size(), uid);
    if (status != std::errc() || end != name.data() + name.size()) return false;
    entry = getpwuid(uid);
    if (entry == nullptr) {
      gid = uid;
      return true;
    }
  }
  uid = entry->pw_uid;
  gid = entry->pw_gid;
  return true;
}

[[noreturn]] void AnswerAs(uid_t uid, gid_t gid, const std::vector<AccessWish>& wishes, int out) {
  if (setgroups(0, nullptr) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) _exit(1);
  for (const AccessWish& wish : wishes) {
    const int answer = Ask(wish);
    if (write(out, &answer, sizeof answer) != sizeof answer) _exit(1);
  }
  _exit(0);
}

}  // namespace

bool AskAs(const std::string& user, const std::vector<AccessWish>& wishes, std::vector<int>& answers) {
  answers.clear();
  if (geteuid() != 0) {
    for (const AccessWish& wish : wishes) answers.push_back(Ask(wish));
    return true;
  }
  uid_t uid = 0;
  gid_t gid = 0;
  int ends[2];
  if (!Find(user, uid, gid) || pipe(ends) != 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    AnswerAs(uid, gid, wishes, ends[1]);
  }
  close(ends[1]);
  int answer = 0;
  while (child > 0 && read(ends[0], &answer, sizeof answer) == sizeof answer) answers.push_back(answer);
  close(ends[0]);
  int status = 0;
  if (child > 0) waitpid(child, &status, 0);
  return child > 0 && answers.size() == wishes.size();
}

}  // namespace vedette
