#include "sensor/capture/files/capture_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "parsers/base/errno_text.h"
#include "sensor/capture/files/capture_head.h"
#include "sensor/capture/files/follower.h"
#include "sensor/capture/files/inspect_file.h"
#include "sensor/capture/files/mapped_file.h"

namespace vedette {
namespace {

// How long a request to stop may go unseen.
constexpr std::chrono::milliseconds kGrowthWait{50};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

int CompareNumbers(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

std::string NoCapture(const std::string& name, const OtherFormat& format) {
  return fmt::format("{}: not a pcap or pcapng capture: {}", name, format.description);
}

}  // namespace

bool NameBefore(std::string_view a, std::string_view b) {
  std::string_view rest_a = a;
  std::string_view rest_b = b;
  while (!rest_a.empty() && !rest_b.empty()) {
    if (IsDigit(rest_a[0]) && IsDigit(rest_b[0])) {
      const int order = CompareNumbers(TakeDigits(rest_a), TakeDigits(rest_b));
      if (order != 0) return order < 0;
    } else {
      const auto first_a = static_cast<unsigned char>(rest_a[0]);
      const auto first_b = static_cast<unsigned char>(rest_b[0]);
      if (first_a != first_b) return first_a < first_b;
      rest_a.remove_prefix(1);
      rest_b.remove_prefix(1);
    }
  }
  if (rest_a.empty() != rest_b.empty()) return rest_a.empty();
  return a < b;
}

CaptureList::Growth::~Growth() {
  const int left = fd.load();
  if (left >= 0) close(left);
}

int CaptureList::Unread::Take(size_t num_readers) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_.is_open()) return -1;
  if (++num_taken_ >= num_readers) return descriptor_.Release();
  return fcntl(descriptor_.get(), F_DUPFD_CLOEXEC, 0);
}

void CaptureList::Unread::LetGo() {
  const std::lock_guard<std::mutex> lock(mutex_);
  descriptor_ = FileDescriptor();
}

int CaptureList::File::Open(size_t num_readers) const {
  const int held = unread == nullptr ? -1 : unread->Take(num_readers);
  if (held >= 0) return held;
  // O_NONBLOCK: opening a FIFO would wait for a writer. It means nothing for regular files.
  return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

std::string CaptureList::File::WhyAnother(const struct stat& now) const {
  if (now.st_dev != device || now.st_ino != inode) return "another file has taken its place since the run began";
  return {};
}

CaptureList::CaptureList() = default;

CaptureList::~CaptureList() {
  file_follower_.reset();
  folder_follower_.reset();
  for (const File& file : files_) {
    if (file.fd >= 0) close(file.fd);
  }
}

std::shared_ptr<const CaptureList> CaptureList::Resolve(std::span<const std::string> paths, const Options& options,
                                                        std::string& error) {
  std::shared_ptr<CaptureList> list(new CaptureList);
  if (paths.empty()) {
    error = "no capture named; give files, folders or - for standard input";
    return nullptr;
  }
  for (size_t i = 0; i < paths.size(); ++i) {
    const bool follow = options.follow && i + 1 == paths.size();
    if (!list->AddPath(paths[i], options, follow, error)) return nullptr;
  }
  return list;
}

const CaptureList::File& CaptureList::file(uint32_t index) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return files_[index];
}

CaptureList::Next CaptureList::WaitForFile(uint32_t index) const {
  std::unique_lock<std::mutex> lock(mutex_);
  if (index < files_.size()) return Next::kFile;
  if (!follow_) return Next::kEnd;
  const bool there = grown_.wait_for(lock, kGrowthWait, [&] { return index < files_.size(); });
  return there ? Next::kFile : Next::kNotYet;
}

bool CaptureList::Holds(const struct stat& status) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(files_.begin(), files_.end(), [&](const File& file) {
    return file.name != "-" && file.device == status.st_dev && file.inode == status.st_ino;
  });
}

bool CaptureList::has_streams() const {
  return follow_ ||
         std::any_of(files_.begin(), files_.end(), [](const File& file) { return file.kind != Kind::kWhole; });
}

bool CaptureList::AddPath(const std::string& path, const Options& options, bool follow, std::string& error) {
  if (path == "-") return AddStandardInput(options, error);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    error = fmt::format("{}: {}", path, ErrnoText(errno));
    return false;
  }
  if (follow) return S_ISDIR(status.st_mode) ? FollowFolder(path, options, error) : FollowFile(path, options, error);
  if (S_ISDIR(status.st_mode)) {
    const size_t before = files_.size();
    const uint64_t skipped_before = num_skipped_;
    if (!AddFolder(path, 0, error)) return false;
    if (files_.size() != before) return true;
    error = fmt::format("{}: no pcap or pcapng capture in this folder or below", path);
    if (num_skipped_ != skipped_before && skipped_before < skipped_.size()) {
      const Skipped& first = skipped_[skipped_before];
      error +=
          fmt::format(" ({} other files, such as {}: {})", num_skipped_ - skipped_before, first.name, first.reason);
    }
    return false;
  }
  Inspection inspection;
  if (!InspectPath(path, inspection, error)) {
    error = fmt::format("{}: {}", path, error);
    return false;
  }
  if (inspection.file.format == CaptureFormat::kOther && !inspection.head.unknown) {
    error = NoCapture(path, inspection.head.other);
    return false;
  }
  return Append(std::move(inspection.file), error);
}

bool CaptureList::FollowFile(const std::string& path, const Options&, std::string& error) {
  Inspection inspection;
  if (!InspectPath(path, inspection, error)) {
    error = fmt::format("{}: {}", path, error);
    return false;
  }
  // A file that has only begun may not show what it is.
  if (inspection.file.format == CaptureFormat::kOther && !inspection.head.unknown && inspection.file.bytes >= 4) {
    error = NoCapture(path, inspection.head.other);
    return false;
  }
  File file = FileFollower::Open(path, error);
  if (file.growth == nullptr) {
    error = fmt::format("{}: {}", path, error);
    return false;
  }
  follow_ = true;
  total_known_ = false;
  if (!Append(file, error)) return false;
  file_follower_ = std::make_unique<FileFollower>(std::move(file), [this](File next) {
    std::string full;
    static_cast<void>(Append(std::move(next), full));
  });
  return true;
}

bool CaptureList::FollowFolder(const std::string& path, const Options& options, std::string& error) {
  follow_ = true;
  total_known_ = false;
  const auto append = [this, warn = options.warn](File next) {
    std::string full;
    if (!Append(std::move(next), full) && warn) warn(full);
  };
  folder_follower_ = FolderFollower::Start(path, append, options.warn, error);
  return folder_follower_ != nullptr;
}

bool CaptureList::AddFolder(const std::string& folder, int depth, std::string& error) {
  if (depth > kMaxDepth) {
    error = fmt::format("{}: folders are nested deeper than {}", folder, kMaxDepth);
    return false;
  }
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) {
    if (depth == 0) {
      error = fmt::format("{}: {}", folder, ErrnoText(errno));
      return false;
    }
    File file;
    file.name = file.path = folder;
    file.error = ErrnoText(errno);
    return Append(std::move(file), error);
  }
  std::vector<std::string> names;
  while (const dirent* const entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    if (names.size() > kMaxFiles) break;
  }
  closedir(directory);
  if (names.size() > kMaxFiles) {
    error = fmt::format("{}: more than {} files; give a part of them at a time", folder, kMaxFiles);
    return false;
  }
  std::sort(names.begin(), names.end(), NameBefore);

  const std::string prefix = folder.ends_with('/') ? folder : folder + '/';
  for (const std::string& name : names) {
    const std::string path = prefix + name;
    struct stat link {};
    struct stat status {};
    if (lstat(path.c_str(), &link) != 0) continue;  // gone since
    if (stat(path.c_str(), &status) != 0) {
      Skip(path, {"a link that leads nowhere", false});
    } else if (!S_ISDIR(status.st_mode)) {
      if (!AddFromFolder(path, error)) return false;
    } else if (S_ISLNK(link.st_mode)) {
      Skip(path, {"a link to a folder, which is not followed; name it to have it read", false});
    } else if (!AddFolder(path, depth + 1, error)) {
      return false;
    }
  }
  return true;
}

bool CaptureList::AddFromFolder(const std::string& path, std::string& error) {
  Inspection inspection;
  std::string reason;
  struct stat status {};
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    Skip(path, {WhyNotRegular(status.st_mode), false});
    return true;
  }
  if (!InspectPath(path, inspection, reason)) {
    inspection.file.error = reason;
    return Append(std::move(inspection.file), error);
  }
  OtherFormat why_not;
  if (!IsCaptureOfFolder(path, inspection, why_not)) {
    Skip(path, std::move(why_not));
    return true;
  }
  return Append(std::move(inspection.file), error);
}

bool CaptureList::AddStandardInput(const Options& options, std::string& error) {
  for (const File& file : files_) {
    if (file.fd >= 0) {
      error = "-: standard input is named twice; it can be read once";
      return false;
    }
  }
  struct stat status {};
  const bool regular = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
  const int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  Inspection inspection;
  bool ok = fd >= 0;
  if (!ok) {
    error = ErrnoText(errno);
  } else if (regular) {
    ok = InspectFile(fd, inspection, error);
  } else {
    inspection.file.kind = Kind::kPipe;
    ok = ReadPipeHead(fd, options.stop, inspection.file.head, inspection.head, error);
    inspection.file.format = inspection.head.format;
    total_known_ = false;
  }
  if (!ok) {
    error = fmt::format("standard input: {}", error);
  } else if (inspection.file.format == CaptureFormat::kOther && !inspection.head.unknown) {
    error = NoCapture("standard input", inspection.head.other);
    ok = false;
  }
  if (!ok) {
    if (fd >= 0) close(fd);
    return false;
  }
  inspection.file.name = std::string("-");
  inspection.file.fd = fd;
  return Append(std::move(inspection.file), error);
}

bool CaptureList::Append(File file, std::string& error) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (files_.size() == kMaxFiles) {
    error = fmt::format("{}: more than {} captures; give a part of them at a time", file.name, kMaxFiles);
    if (file.fd >= 0) close(file.fd);
    return false;
  }
  total_bytes_ += file.bytes;
  files_.push_back(std::move(file));
  grown_.notify_all();
  return true;
}

void CaptureList::Skip(const std::string& name, OtherFormat why) {
  ++num_skipped_;
  if (skipped_.size() < kMaxSkipped) skipped_.push_back({name, std::move(why.description), why.holds_packets});
}

}  // namespace vedette
