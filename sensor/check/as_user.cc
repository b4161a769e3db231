#include "sensor/check/as_user.h"

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sensor/hardening/privileges.h"

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
  DroppedPrivileges left;
  std::string error;
  int ends[2];
  if (!WhoIsLeft(user, left, error) || pipe(ends) != 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    AnswerAs(left.uid, left.gid, wishes, ends[1]);
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
