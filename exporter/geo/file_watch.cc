#include "exporter/geo/file_watch.h"

#include <sys/stat.h>

namespace vedette {
namespace {

int64_t Nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

FileStamp StampOf(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size), Nanoseconds(status.st_mtim),
          Nanoseconds(status.st_ctim)};
}

FileWatch::Seen FileWatch::Look() {
  const FileStamp now = StampOf(path_);
  const bool settled = now == pending_;
  pending_ = now;
  if (!settled || now == known_) return Seen::kNothing;
  known_ = now;
  return now == FileStamp() ? Seen::kGone : Seen::kReplaced;
}

}  // namespace vedette
