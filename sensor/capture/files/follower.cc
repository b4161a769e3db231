#include "sensor/capture/files/follower.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "parsers/base/errno_text.h"
#include "sensor/capture/files/inspect_file.h"
#include "sensor/capture/files/mapped_file.h"
#include "sensor/capture/files/pcap_file.h"

namespace vedette {
namespace {

constexpr int kLookMs = 100;  // how often; also how long a request to stop may go unseen
constexpr uint32_t kFolderEvents = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ATTRIB | IN_ONLYDIR;

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

enum class Writers : uint8_t { kNone, kSome, kUnknown };

Writers WritersOf(int fd) {
  // Whoever wants to write meanwhile has the lease broken by a signal, which by default ends the process: SIGIO.
  if (fcntl(fd, F_SETSIG, SIGURG) != 0) return Writers::kUnknown;
  if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return Writers::kNone;
  }
  return errno == EAGAIN ? Writers::kSome : Writers::kUnknown;
}

// FNV-1a: tells captures apart that nobody made to look alike; who writes here can leave files away as well.
uint64_t DigestOfHead(int fd, size_t& num_bytes) {
  std::array<uint8_t, 4096> head{};
  const ssize_t num_read = pread(fd, head.data(), std::min(num_bytes, head.size()), 0);
  num_bytes = static_cast<size_t>(std::max<ssize_t>(num_read, 0));
  uint64_t digest = 0xcbf29ce484222325ull;
  for (size_t i = 0; i < num_bytes; ++i) digest = (digest ^ head[i]) * 0x100000001b3ull;
  return digest;
}

}  // namespace

FileFollower::FileFollower(CaptureList::File first, AppendFile append)
    : current_(std::move(first)), append_(std::move(append)), thread_([this] { Run(); }) {}

FileFollower::~FileFollower() {
  stop_.store(true);
  thread_.join();
}

CaptureList::File FileFollower::Open(const std::string& path, std::string& error) {
  CaptureList::File file;
  file.name = file.path = path;
  file.kind = CaptureList::Kind::kGrowing;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) {
    error = ErrnoText(errno);
  } else {
    error = WhyNotRegular(status.st_mode);
  }
  if (!error.empty()) {
    if (fd >= 0) close(fd);
    return file;
  }
  file.device = status.st_dev;
  file.inode = status.st_ino;
  file.growth = std::make_shared<CaptureList::Growth>(fd);
  return file;
}

bool FileFollower::Replaced() {
  struct stat status {};
  if (stat(current_.path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;  // perhaps in a moment
  const auto size = static_cast<uint64_t>(status.st_size);
  const bool another = status.st_dev != current_.device || status.st_ino != current_.inode;
  const bool cut = size < largest_;
  largest_ = size;
  return another || cut;
}

void FileFollower::Run() {
  while (!stop_.load()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookMs));
    if (!Replaced()) continue;
    std::string error;
    CaptureList::File next = Open(current_.path, error);
    if (next.growth == nullptr) continue;
    current_.growth->superseded.store(true, std::memory_order_release);
    current_ = next;
    append_(std::move(next));
  }
}

std::unique_ptr<FolderFollower> FolderFollower::Start(const std::string& folder, AppendFile append, WarnOf warn,
                                                      std::string& error) {
  const int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify < 0) {
    error = fmt::format("{}: cannot be watched: {} (fs.inotify.max_user_instances)", folder, ErrnoText(errno));
    return nullptr;
  }
  std::unique_ptr<FolderFollower> follower(new FolderFollower(inotify, std::move(append), std::move(warn)));
  follower->root_ = folder;
  if (!follower->AddFolder(folder, 0)) {
    error = fmt::format("{}: cannot be watched: {}{}", folder, ErrnoText(errno),
                        errno == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
    return nullptr;
  }
  follower->thread_ = std::thread([self = follower.get()] { self->Run(); });
  return follower;
}

FolderFollower::FolderFollower(int inotify, AppendFile append, WarnOf warn)
    : inotify_(inotify), append_(std::move(append)), warn_(std::move(warn)) {}

FolderFollower::~FolderFollower() {
  stop_.store(true);
  if (thread_.joinable()) thread_.join();
  close(inotify_);
}

// Watches before it looks, so that nothing comes unseen in between.
bool FolderFollower::AddFolder(const std::string& folder, int depth) {
  if (depth > CaptureList::kMaxDepth) return true;
  if (folders_.size() >= kMaxWatches) {
    if (!told_of_watches_ && warn_) {
      warn_(fmt::format("{}: is not watched, nor are other folders: more than {}; follow a folder with fewer in it",
                        folder, kMaxWatches));
    }
    told_of_watches_ = true;
    return true;
  }
  const int watch = inotify_add_watch(inotify_, folder.c_str(), kFolderEvents);
  if (watch < 0) return false;
  folders_[watch] = folder;
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) return false;
  const std::string prefix = folder.ends_with('/') ? folder : folder + '/';
  while (const dirent* const entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const std::string path = prefix + std::string(name);
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) continue;  // gone since
    if (S_ISDIR(status.st_mode)) {
      if (!AddFolder(path, depth + 1) && warn_) warn_(fmt::format("{}: is not watched: {}", path, ErrnoText(errno)));
    } else if (candidates_.size() < CaptureList::kMaxFiles) {
      candidates_.try_emplace(path);
    }
  }
  closedir(directory);
  return true;
}

void FolderFollower::ReadEvents() {
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t num_read = read(inotify_, buffer.data(), buffer.size());
    if (num_read <= 0) return;
    for (ssize_t at = 0; at < num_read;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        AddFolder(root_, 0);  // the kernel forgot some: look at everything
        continue;
      }
      if ((event->mask & IN_IGNORED) != 0) {
        folders_.erase(event->wd);  // the folder is gone
        continue;
      }
      const auto folder = folders_.find(event->wd);
      if (folder == folders_.end() || event->len == 0) continue;
      const std::string path =
          (folder->second.ends_with('/') ? folder->second : folder->second + '/') + std::string(event->name);
      if ((event->mask & IN_ISDIR) != 0) {
        const auto depth =
            static_cast<int>(std::count(path.begin() + static_cast<ptrdiff_t>(root_.size()), path.end(), '/'));
        if (!AddFolder(path, depth) && errno != ENOENT && warn_)
          warn_(fmt::format("{}: is not watched: {}", path, ErrnoText(errno)));
        continue;
      }
      if (candidates_.size() >= CaptureList::kMaxFiles) continue;
      Candidate& candidate = candidates_[path];
      if ((event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) candidate.closed = true;
    }
  }
}

bool FolderFollower::TakenBefore(const std::string& path, const CaptureList::File& file, int fd) {
  // Without packets it begins like any other, and to read it again adds nothing.
  if (file.bytes <= kPcapFileHeaderBytes) return false;
  const auto found = taken_.find({file.device, file.inode});
  if (found != taken_.end()) {
    Taken& before = found->second;
    size_t num_bytes = before.head_bytes;
    if (DigestOfHead(fd, num_bytes) == before.head_digest && num_bytes == before.head_bytes) {
      if (file.bytes > before.bytes && warn_)
        warn_(fmt::format("{}: {} bytes were appended after it was complete; they are not read", path,
                          file.bytes - before.bytes));
      before.bytes = std::max(before.bytes, file.bytes);
      return true;
    }
  }
  Taken now{.head_digest = 0, .head_bytes = SIZE_MAX, .bytes = file.bytes};
  now.head_digest = DigestOfHead(fd, now.head_bytes);
  taken_[{file.device, file.inode}] = now;
  return false;
}

bool FolderFollower::Look(const std::string& path, Candidate& candidate) {
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open() && errno != ENOENT && warn_) warn_(fmt::format("{}: is not read: {}", path, ErrnoText(errno)));
  struct stat status {};
  // Gone, or nothing to read; with another mode it is a candidate again.
  if (!file.is_open() || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return true;
  const int64_t now = NowNs();
  const auto bytes = static_cast<uint64_t>(status.st_size);
  if (bytes != candidate.bytes || ModifiedNs(status) != candidate.modified_ns) {
    candidate.bytes = bytes;
    candidate.modified_ns = ModifiedNs(status);
    candidate.unchanged_since_ns = now;
  }
  const Writers writers = WritersOf(file.get());
  const bool quiet = now - candidate.unchanged_since_ns >= int64_t{kQuietSeconds} * 1'000'000'000;
  if (writers == Writers::kSome || (writers == Writers::kUnknown && !candidate.closed && !quiet)) {
    candidate.complete_since_ns = 0;
    return false;
  }
  if (candidate.complete_since_ns == 0) candidate.complete_since_ns = now;
  if (now - candidate.complete_since_ns < int64_t{kLookMs} * 1'000'000) return false;
  Inspection inspection;
  std::string error;
  OtherFormat why_not;
  // An empty file is one that somebody is about to write.
  const bool inspected = bytes != 0 && InspectFile(file.get(), inspection, error);
  if (bytes != 0 && !inspected && warn_) warn_(fmt::format("{}: is not read: {}", path, error));
  if (inspected && IsCaptureOfFolder(path, inspection, why_not) && !TakenBefore(path, inspection.file, file.get()))
    Append(std::move(inspection.file), path, std::move(file));
  return true;
}

void FolderFollower::Append(CaptureList::File file, const std::string& path, FileDescriptor descriptor) {
  file.name = path;
  file.path = path;
  file.unread = std::make_shared<CaptureList::Unread>(std::move(descriptor));
  unread_.push_back(file.unread);
  if (unread_.size() > kMaxUnread) {
    unread_.front()->LetGo();
    unread_.pop_front();
  }
  append_(std::move(file));
}

void FolderFollower::LookAtCandidates() {
  for (auto candidate = candidates_.begin(); candidate != candidates_.end() && !stop_.load();) {
    if (Look(candidate->first, candidate->second)) {
      candidate = candidates_.erase(candidate);
    } else {
      ++candidate;
    }
  }
}

void FolderFollower::Run() {
  while (!stop_.load()) {
    LookAtCandidates();
    pollfd waiting{.fd = inotify_, .events = POLLIN, .revents = 0};
    poll(&waiting, 1, kLookMs);
    ReadEvents();
  }
}

}  // namespace vedette
