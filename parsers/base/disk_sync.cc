#include "parsers/base/disk_sync.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"

namespace vedette {

DiskSync::DiskSync(std::string path, std::chrono::milliseconds interval) : path_(std::move(path)), interval_(interval) {
  thread_ = std::thread([this] { Work(); });
}

DiskSync::~DiskSync() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void DiskSync::Written(const std::shared_ptr<OutputFile>& file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool known =
      std::any_of(waiting_.begin(), waiting_.end(), [&](const Entry& entry) { return entry.file == file; });
  if (known) return;
  const bool is_new = named_.lock() != file;
  named_ = file;
  waiting_.push_back({file, is_new});
  if (waiting_.size() == 1) wake_.notify_all();
}

std::string DiskSync::problem() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return problem_;
}

void DiskSync::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    wake_.wait_for(lock, interval_, [&] { return ending_; });
    const std::vector<Entry> now = std::exchange(waiting_, {});
    if (now.empty() && ending_) return;
    lock.unlock();
    std::string problem;
    for (const Entry& entry : now) {
      std::string one = Sync(entry);
      if (!one.empty()) problem = std::move(one);
    }
    lock.lock();
    problem_ = std::move(problem);
  }
}

std::string DiskSync::Sync(const Entry& entry) const {
  // A device or a pipe has nothing to bring anywhere.
  const auto failed = [](int status) { return status != 0 && errno != EINVAL && errno != EROFS; };
  if (failed(fdatasync(entry.file->descriptor()))) return ErrnoText();
  if (!entry.is_new) return {};
  // The folder may be gone: where its files are then is not looked at here.
  return SyncFolderOf(path_) || errno == EROFS || errno == ENOENT ? std::string() : ErrnoText();
}

}  // namespace vedette
