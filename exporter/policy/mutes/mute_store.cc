#include "exporter/policy/mutes/mute_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "exporter/metrics/families.h"

namespace vedette {
namespace {

// A thousand mutes with the longest texts take 7 MB; with texts of people 500 KB.
constexpr size_t kMaxFileBytes = size_t{8} << 20;

// A full disk stays full for a while, and each attempt that fails is said.
constexpr int64_t kSaveAgainNs = int64_t{60} * 1'000'000'000;

constexpr const char* kNothingChanged =
    "; nothing has changed. Does the state folder belong to the sensor's user, and is there space?";

std::string ErrnoText() { return std::generic_category().message(errno); }

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : descriptor_(open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

// `absent`: there is no such file. False with `error`.
bool ReadFile(const std::string& path, std::string& text, bool& absent, std::string& error) {
  const File file(path, O_RDONLY | O_NONBLOCK);
  absent = file.get() < 0 && errno == ENOENT;
  if (absent) return true;
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    error = "cannot be read: " + ErrnoText() + "; it has to belong to the sensor's user";
    return false;
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    error =
        "others can write it, or it is not a regular file, so they could hide alerts with it; check its contents, then "
        "run chmod 600";
    return false;
  }
  text.assign(kMaxFileBytes + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      error = "cannot be read: " + ErrnoText();
      return false;
    }
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  text.resize(size);
  if (size <= kMaxFileBytes) return true;
  error = "is larger than 8 MiB, the limit for a list of mutes";
  return false;
}

bool WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    text.remove_prefix(static_cast<size_t>(put));
  }
  return true;
}

}  // namespace

std::unique_ptr<MuteStore> MuteStore::Open(std::string path, const std::vector<Mute>& configured, int64_t now_ns,
                                           std::string& error) {
  std::unique_ptr<MuteStore> store(new MuteStore(std::move(path)));
  std::string text, why;
  std::vector<Mute> made;
  bool absent = false;
  if (!ReadFile(store->path_, text, absent, why) || (!absent && !ReadMutes(text, made, why))) {
    error = store->path_ + ": " + why +
            ". The sensor does not guess mutes: fix the file, or remove it and mute again what has to be muted";
    return nullptr;
  }
  for (const Mute& mute : configured) {
    if (mute.until_ns > now_ns) store->configured_.emplace(mute.id, mute);
  }
  for (const Mute& mute : made) {
    if (mute.until_ns > now_ns) store->made_.emplace(mute.id, mute);
  }
  for (const auto* list : {&store->configured_, &store->made_}) {
    for (const auto& [id, mute] : *list) store->CountsOf(id);
  }
  return store;
}

std::shared_ptr<MuteCounts> MuteStore::CountsOf(const std::string& id) {
  std::shared_ptr<MuteCounts>& counts = counts_[id];
  if (counts == nullptr) counts = std::make_shared<MuteCounts>();
  return counts;
}

bool MuteStore::Save(const std::map<std::string, Mute>& mutes, std::string& error) {
  std::vector<Mute> list;
  for (const auto& [id, mute] : mutes) list.push_back(mute);
  const std::string text = WriteMutes(list);
  const std::string next = path_ + ".new";
  const auto fail = [&](const std::string& file) {
    error = file + ": cannot be written: " + ErrnoText();
    unlink(next.c_str());
    return false;
  };
  {
    const File file(next, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file.get() < 0 || !WriteAll(file.get(), text) || fsync(file.get()) != 0) return fail(next);
  }
  if (rename(next.c_str(), path_.c_str()) != 0) return fail(path_);
  const size_t slash = path_.rfind('/');
  const File folder(slash == std::string::npos ? "." : path_.substr(0, slash + 1), O_RDONLY | O_DIRECTORY);
  // What is renamed is there; should the power fail right now, the old list may come back. Not worth an error.
  if (folder.get() >= 0) fsync(folder.get());
  unsaved_ = false;
  return true;
}

bool MuteStore::Add(const MuteRequest& request, int64_t now_ns, Mute& made, std::string& error) {
  MuteRequest dated = request;
  dated.created_ns = now_ns;
  const std::optional<Mute> mute = MakeMute(dated, now_ns, error);
  if (!mute) return false;
  if (mute->until_ns <= now_ns) {
    error = "a mute has to end in the future";
    return false;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto same = configured_.find(mute->id); same != configured_.end()) {
    error = Describe(*mute) + " is muted by the configuration (" + mute->id + "); change it there";
    return false;
  }
  std::map<std::string, Mute> next = made_;
  next[mute->id] = *mute;
  if (next.size() + configured_.size() > kMaxMutes || (counts_.size() >= kMaxCounted && !counts_.contains(mute->id))) {
    error = "there are too many mutes; take the indicators out of their file instead";
    return false;
  }
  if (!Save(next, error)) {
    error += kNothingChanged;
    return false;
  }
  made_ = std::move(next);
  CountsOf(mute->id);
  made = *mute;
  return true;
}

bool MuteStore::Remove(const std::string& name, Mute& removed, std::string& error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string id;
  for (const auto* list : {&configured_, &made_}) {
    for (const auto& [candidate, mute] : *list) {
      if (name != candidate && name != mute.indicator && name != mute.value) continue;
      if (!id.empty()) {
        error = "several mutes hide " + name + "; name one by its own id, such as " + id;
        return false;
      }
      id = candidate;
    }
  }
  if (id.empty()) {
    error = "no mute of that name is active; `vedette indicators mutes` lists them";
    return false;
  }
  if (configured_.contains(id)) {
    error = id + " is in the configuration; remove it there, and restart the sensor";
    return false;
  }
  std::map<std::string, Mute> next = made_;
  next.erase(id);
  if (!Save(next, error)) {
    error += kNothingChanged;
    return false;
  }
  removed = made_.at(id);
  made_ = std::move(next);
  return true;
}

std::vector<Mute> MuteStore::Expire(int64_t now_ns, std::string& error) {
  std::vector<Mute> over;
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto take = [&](std::map<std::string, Mute>& mutes) {
    return std::erase_if(mutes, [&](const auto& entry) {
      if (entry.second.until_ns > now_ns) return false;
      over.push_back(entry.second);
      return true;
    });
  };
  take(configured_);
  if (take(made_) > 0) {
    unsaved_ = true;
    save_at_ns_ = now_ns;
  }
  // A clock that was set back does not put it off.
  if (unsaved_ && (now_ns >= save_at_ns_ || save_at_ns_ - now_ns > kSaveAgainNs) && !Save(made_, error)) {
    error +=
        "; expired mutes are still in it, but hide nothing. The sensor tries again every minute: does the state folder "
        "belong to its user, and is there space?";
    save_at_ns_ = now_ns + kSaveAgainNs;
  }
  return over;
}

std::vector<MuteStore::Status> MuteStore::All() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Status> all;
  for (const auto* list : {&configured_, &made_}) {
    for (const auto& [id, mute] : *list) {
      const MuteCounts& counts = *counts_.at(id);
      all.push_back({.mute = mute,
                     .configured = list == &configured_,
                     .alerts = counts.alerts.load(std::memory_order_relaxed),
                     .hits = counts.hits.load(std::memory_order_relaxed),
                     .last_ns = counts.last_ns.load(std::memory_order_relaxed)});
    }
  }
  return all;
}

std::shared_ptr<const MuteList> MuteStore::List() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<MuteList::Entry> entries;
  for (const auto* list : {&configured_, &made_}) {
    for (const auto& [id, mute] : *list) entries.push_back({.mute = mute, .counts = counts_.at(id)});
  }
  return std::make_shared<const MuteList>(std::move(entries));
}

void MuteStore::AppendFigures(Figures& out) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, counts] : counts_) {
    out.Add(families::kAlertsMuted, id, static_cast<double>(counts->alerts.load(std::memory_order_relaxed)));
  }
}

}  // namespace vedette
