#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "exporter/policy/mutes/mute_store.h"
#include "parsers/base/errno_text.h"
#include "parsers/base/time_text.h"
#include "sensor/check/as_user.h"
#include "sensor/check/holder.h"
#include "sensor/check/parts.h"
#include "sensor/hardening/privileges.h"
#include "sensor/live/control.h"
#include "signatures/readers/folder.h"

namespace vedette {
namespace {

constexpr size_t kUnreadableShown = 10;
constexpr int kMaxGroups = 65'536;  // that Linux lets a process have

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

bool Exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

bool IsFolder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string UserOf(const Config& config) {
  return geteuid() == 0 ? "user " + (config.capture.user.empty() ? "nobody" : config.capture.user) : "this user";
}

struct Need {
  const char* part = "";
  AccessWish wish;
  bool error = false;  // without it the sensor does not start
  std::string what;    // "for what outlives a restart"
};

std::vector<Need> NeedsOf(const Config& config) {
  std::vector<Need> needs;
  const auto add = [&needs](const char* part, const std::string& path, Access access, bool error,
                            const std::string& what) {
    Need& need = needs.emplace_back();
    need.part = part;
    need.wish.path = path;
    need.wish.access = access;
    need.error = error;
    need.what = what;
  };
  add("file", config.path, Access::kRead, true, "each reload");
  for (const std::string& path : config.public_key_files) {
    add("feed", path, Access::kRead, true, "each reload");
  }
  for (const std::string& path : config.indicators) {
    add("indicators", path, IsFolder(path) ? Access::kReadFolder : Access::kRead, true,
        "the indicators, at each reload");
  }
  for (const std::string& path : config.geo) add("geo", path, Access::kRead, true, "the database");
  if (!config.cache.empty() && (config.cache_given || Exists(config.cache)))
    add("cache", config.cache, Access::kWriteFolder, false, "compiled patterns, for a fast start");
  add("state", config.state, Access::kWriteFolder, false, "mutes, so that they survive a restart");
  if (const std::string& folder = config.capture.keep.folder; !folder.empty())
    add("capture", folder, Access::kWriteFolder, true, "packets of flows with alerts");
  if (!config.output.empty() && config.output != "-") {
    if (Exists(config.output)) {
      add("output", config.output, Access::kWrite, true, "alerts");
      if (!IsFolder(config.output))
        add("output", FolderOf(config.output), Access::kWriteFolder, false,
            "a new file of alerts, where this one is rotated");
    } else {
      add("output", FolderOf(config.output), Access::kWriteFolder, true, "the file of alerts");
    }
  }
  if (!config.control.empty()) {
    add("control", FolderOf(config.control), Access::kWriteFolder, config.control_given,
        "the socket through which `vedette status` and others reach the sensor");
  }
  if (!config.alarms.command.empty())
    add("alarms", config.alarms.command[0], Access::kExecute, true, "the alarm command");
  return needs;
}

void CheckNeeds(const Config& config, CheckReport& report) {
  const std::vector<Need> needs = NeedsOf(config);
  std::vector<AccessWish> wishes;
  for (const Need& need : needs) wishes.push_back(need.wish);
  std::vector<int> answers;
  if (!AskAs(config.capture.user, wishes, answers))
    return report.Error("capture", fmt::format("cannot become user `{}`: does it exist?", config.capture.user));
  const std::string user = UserOf(config);
  for (size_t i = 0; i < needs.size(); ++i) {
    const Need& need = needs[i];
    const Access access = need.wish.access;
    const char* const verb = access == Access::kRead || access == Access::kReadFolder ? "read"
                             : access == Access::kExecute                             ? "start"
                                                                                      : "write";
    if (answers[i] == 0) {
      report.Ok(need.part, fmt::format("{} can {} {}", user, verb, need.wish.path));
      continue;
    }
    const std::string text = fmt::format("{} cannot {} {}: {}; it is needed for {}", user, verb, need.wish.path,
                                         ErrnoText(answers[i]), need.what);
    need.error ? report.Error(need.part, text) : report.Warn(need.part, text);
  }
}

// The files in folders: the sensor goes on without one of them, but not without any.
void CheckIndicatorFiles(const Config& config, CheckReport& report) {
  std::vector<AccessWish> wishes;
  size_t named = 0;  // looked at already
  for (const std::string& path : config.indicators) {
    std::string error;
    if (!IsFolder(path)) {
      ++named;
      continue;
    }
    for (const std::string& file : IndicatorFiles(path, error)) wishes.push_back({file, Access::kRead});
  }
  std::vector<int> answers;
  if (wishes.empty() || !AskAs(config.capture.user, wishes, answers)) return;
  size_t unreadable = 0;
  for (size_t i = 0; i < wishes.size(); ++i) {
    if (answers[i] == 0 || ++unreadable > kUnreadableShown) continue;
    report.Warn("indicators", fmt::format("{} cannot read {}: {}; it will not be used", UserOf(config), wishes[i].path,
                                          ErrnoText(answers[i])));
  }
  if (unreadable > kUnreadableShown)
    report.Warn("indicators", fmt::format("… and {} more files", unreadable - kUnreadableShown));
  if (unreadable == wishes.size() && named == 0)
    report.Error("indicators", UserOf(config) + " can read none of the files; there is nothing to look for");
}

void CheckPaths(const Config& config, CheckReport& report) {
  std::optional<Holder> holder;
  if (!config.output.empty() && config.output != "-" && IsFolder(config.output)) {
    report.Error("output", config.output + ": is a folder; name the file that alerts are written to");
  } else if (config.output != "-" && IsLocked(config.output, holder)) {
    if (holder ? RunsWith(*holder, config.path) : OurSensorRuns(config)) {
      report.Ok("output", config.output + " is written by this sensor, which is running");
    } else {
      report.Error("output", fmt::format("{}: another sensor is writing it{}; stop that one, or name another file",
                                         config.output, TextOf(holder)));
    }
  }
  std::string error;
  if (config.control.empty()) return;
  if (!IsControlPath(config.control, error)) return report.Error("control", error);
  struct stat status {};
  if (lstat(config.control.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    report.Error(
        "control",
        config.control +
            ": is not a socket; `control` names the socket to create, so remove the file or choose another path");
  }
  const std::optional<Holder> answers = HolderOfSocket(config.control);
  if (answers && !RunsWith(*answers, config.path)) {
    report.Error("control",
                 fmt::format("{}: another sensor answers there{}; stop it, or give this one its own `control`",
                             config.control, TextOf(answers)));
  }
}

bool IsMember(const std::string& user, unsigned group) {
  const passwd* const entry = getpwnam(user.c_str());
  if (entry == nullptr) return false;
  std::vector<gid_t> groups(kMaxGroups);
  int count = kMaxGroups;
  return getgrouplist(user.c_str(), entry->pw_gid, groups.data(), &count) >= 0 &&
         std::find(groups.begin(), groups.begin() + count, group) != groups.begin() + count;
}

// A process without rights can give a socket to groups of its own only; one of root to any.
void CheckControlGroup(const Config& config, CheckReport& report) {
  if (config.control.empty() || config.control_group.empty()) return;
  std::string error;
  const std::optional<unsigned> group = GroupOf(config.control_group, error);
  if (!group) return report.Error("control", error);
  DroppedPrivileges left;
  if (!WhoIsLeft(config.capture.user, left, error)) return;  // said of `user`
  const std::string text = fmt::format("members of group {} may query {}", config.control_group, config.control);
  if (IsMember(left.user, *group)) return report.Ok("control", text);
  const std::string join = fmt::format("adduser {} {}", left.user, config.control_group);
  if (left.changed_user) {
    report.Warn("control",
                fmt::format("{} if root starts the sensor; the service starts it as {}, who is not in that group: {}",
                            text, left.user, join));
  } else {
    report.Error("control", fmt::format("user {} is not in `control_group` {} and cannot give it the socket: {}",
                                        left.user, config.control_group, join));
  }
}

void CheckMutes(const Config& config, CheckReport& report) {
  const int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  for (const Mute& mute : config.mutes) {
    if (mute.until_ns <= now) {
      report.Warn("mutes", fmt::format("the mute of {} expired at {} and hides nothing; remove it", Describe(mute),
                                       Rfc3339(mute.until_ns)));
    }
  }
  std::string error;
  const std::unique_ptr<MuteStore> store = MuteStore::Open(config.state + "/mutes.json", config.mutes, now, error);
  if (store == nullptr) return report.Error("mutes", error);
  const size_t count = store->All().size();
  if (count != 0) report.Ok("mutes", fmt::format("{} active", count));
}

void CheckCommand(const Config& config, CheckReport& report) {
  if (config.alarms.command.empty()) return;
  struct stat status {};
  const std::string& program = config.alarms.command[0];
  if (stat(program.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    report.Error("alarms", program + " is not a program; give the absolute path of one");
}

// The unit of a further sensor lets it write folders of its own only.
void CheckInstance(const Config& config, CheckReport& report) {
  const std::filesystem::path path = std::filesystem::path(config.path);
  const std::string name = path.stem().string();
  if (path.parent_path() != "/etc/vedette" || config.path == kDefaultConfig) return;
  const vedette::Config defaults;
  if (config.state != defaults.state && config.control != defaults.control && config.cache != defaults.cache) return;
  report.Warn("file", fmt::format("vedette@{0}.service writes only /var/lib/vedette-sensors/{0}, "
                                  "/var/cache/vedette-sensors/{0} and /run/vedette-sensors/{0}: name them in `state`, "
                                  "`cache` and `control`",
                                  name));
}

}  // namespace

void CheckFiles(const Config& config, CheckReport& report) {
  CheckNeeds(config, report);
  CheckInstance(config, report);
  CheckIndicatorFiles(config, report);
  CheckPaths(config, report);
  CheckControlGroup(config, report);
  CheckCommand(config, report);
  CheckMutes(config, report);
}

}  // namespace vedette
