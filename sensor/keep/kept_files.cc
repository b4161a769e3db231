#include "sensor/keep/kept_files.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <tuple>
#include <utility>

#include "parsers/base/errno_text.h"
#include "sensor/keep/pcapng_blocks.h"

namespace vedette {
namespace {

constexpr std::string_view kPrefix = "vedette-", kSuffix = ".pcapng";
constexpr uint32_t kSnapLength = 262'144;  // of all interfaces: tcpdump refuses files where they differ

// Names made here, whichever process made them: START is digits, T and Z, the rest digits, "-", ".link-".
bool IsOurs(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(kSuffix.size());
  const size_t link = name.find(".link-");
  const auto digits = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (link != std::string_view::npos && !digits(name.substr(link + 6))) return false;
  name = name.substr(0, link);
  const size_t zone = name.find("Z");
  if (zone != 15 || name[8] != 'T' || !digits(name.substr(0, 8)) || !digits(name.substr(9, 6))) return false;
  const size_t dash = name.rfind('-');
  return dash != std::string_view::npos && dash >= 16 && digits(name.substr(dash + 1));
}

bool Fits(uint64_t held, uint64_t more, uint64_t quota) { return more <= quota && held <= quota - more; }

}  // namespace

std::unique_ptr<KeptFiles> KeptFiles::Open(Options options, std::string& error) {
  while (options.folder.size() > 1 && options.folder.back() == '/') options.folder.pop_back();
  options.file_bytes = std::min(options.file_bytes, options.quota_bytes / 2);
  std::unique_ptr<KeptFiles> files(new KeptFiles(std::move(options)));
  if (!files->LockFolder(error)) return nullptr;
  files->Scan();
  // A name that was given out before must not mean another file: also where the clock was set back.
  const std::string start = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::time(nullptr)));
  files->start_ = start;
  for (int again = 2;; ++again) {
    const std::string prefix = std::string(kPrefix) + files->start_ + '-';
    const auto taken = [&](const OldFile& file) { return file.name.starts_with(prefix); };
    if (std::none_of(files->old_.begin(), files->old_.end(), taken)) break;
    files->start_ = fmt::format("{}.{}", start, again);
  }
  files->Publish();
  return files;
}

bool KeptFiles::LockFolder(std::string& error) {
  const std::string& folder = options_.folder;
  folder_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0 || access(folder.c_str(), W_OK | X_OK) != 0) {
    error = fmt::format("{}: {}; create this folder for the user that the sensor runs as", folder, ErrnoText(errno));
    return false;
  }
  if (flock(folder_, LOCK_EX | LOCK_NB) == 0) return true;
  error = errno == EWOULDBLOCK
              ? fmt::format("{}: another sensor keeps packets there; give each a folder of its own", folder)
              : fmt::format("{}: cannot be locked: {}", folder, ErrnoText(errno));
  return false;
}

KeptFiles::~KeptFiles() {
  for (File& file : open_) {
    for (auto& [link_type, part] : file.parts) {
      if (part.descriptor >= 0) close(part.descriptor);
    }
  }
  if (folder_ >= 0) close(folder_);
}

std::string KeptFiles::NameOf(uint64_t number) const {
  return fmt::format("{}{}-{:06}{}", kPrefix, start_, number, kSuffix);
}

// What lies in the folder and is written no more: somebody may have taken files away.
void KeptFiles::Scan() {
  old_.clear();
  old_bytes_ = 0;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, failure)) {
    const std::string name = entry.path().filename().string();
    const bool in_use = std::any_of(open_.begin(), open_.end(), [&](const File& file) {
      return std::any_of(file.parts.begin(), file.parts.end(),
                         [&](const auto& part) { return part.second.name == name; });
    });
    struct stat status {};
    if (in_use || !IsOurs(name) || fstatat(folder_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
      continue;
    const int64_t modified = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    old_.push_back({name, static_cast<uint64_t>(status.st_size), modified});
    old_bytes_ += old_.back().bytes;
  }
  std::sort(old_.begin(), old_.end(), [](const OldFile& a, const OldFile& b) {
    return std::tie(a.modified_ns, a.name) < std::tie(b.modified_ns, b.name);
  });
}

KeptFiles::File& KeptFiles::FileOf(const KeptPacket& packet, Time now) {
  const uint64_t newest = newest_.load(std::memory_order_relaxed);
  const uint64_t wanted = packet.begins || packet.from_ring ? std::min(packet.file, newest) : newest;
  for (File& file : open_) {
    if (file.number == wanted) return file;
  }
  if (wanted < newest && !open_.empty()) return open_.front();
  File& file = open_.emplace_back();
  file.number = newest;
  file.opened = now;
  return file;
}

KeptFiles::Part& KeptFiles::PartOf(File& file, uint16_t link_type) {
  const auto [at, is_new] = file.parts.try_emplace(link_type);
  Part& part = at->second;
  if (!is_new) return part;
  part.name = NameOf(file.number);
  if (file.parts.size() > 1) part.name.insert(part.name.size() - kSuffix.size(), fmt::format(".link-{}", link_type));
  return part;
}

std::string KeptFiles::CommentOf(const KeptPacket& packet) {
  std::string comment;
  const auto add = [&](const std::string& text) { comment += (comment.empty() ? "vedette: " : "; ") + text; };
  if (packet.begins) {
    add(fmt::format("flow_id {} begins here", packet.flow_id));
    if (packet.missing != 0)
      add(fmt::format("its first {} packets are missing: they were held no more", packet.missing));
  } else if (packet.missing != 0) {
    add(fmt::format("before this one, {} packets of flow_id {} are missing", packet.missing, packet.flow_id));
  }
  if (packet.ends) add(fmt::format("no more of flow_id {} is kept: the bound of a flow is reached", packet.flow_id));
  if (lost_since_ != 0) add(fmt::format("before this one, {} packets of any flow could not be written", lost_since_));
  return comment;
}

void KeptFiles::Write(const KeptPacket& packet, Bytes bytes, Time now) {
  if (failing_ && now - failed_at_ < kRetryInterval) {
    ++counters_.lost_disk;
    ++lost_since_;
    return;
  }
  File& file = FileOf(packet, now);
  Part& part = PartOf(file, packet.link_type);
  const size_t before = part.buffer.size();
  if (!part.has_section) AppendSection("vedette " VEDETTE_VERSION, part.buffer);
  part.has_section = true;
  const auto number = static_cast<uint32_t>(part.interfaces.size());
  const auto [interface, is_new] = part.interfaces.try_emplace(packet.interface, number);
  if (is_new) {
    const bool known = packet.interface < options_.interfaces.size();
    AppendInterface(known ? options_.interfaces[packet.interface] : "", packet.link_type, kSnapLength, part.buffer);
  }
  AppendPacket(packet, interface->second, bytes, CommentOf(packet), part.buffer);
  lost_since_ = 0;
  ++part.packets;
  part.packet_bytes += bytes.size();
  file.bytes += part.buffer.size() - before;
  if (part.buffer.size() >= kBufferBytes) Flush(file, part, now);
  Rotate(now);
}

void KeptFiles::Flush(File& file, Part& part, Time now) {
  if (part.buffer.empty()) return;
  if (!MakeRoom(part.buffer.size())) {
    DropBuffer(part, counters_.lost_quota);
    Recount(file);
    return Failed("the quota has no room, and the older files cannot be removed", now);
  }
  if (!OpenPart(part) || !WriteAll(part)) {
    const std::string what = fmt::format("{}: cannot be written: {}", PathOf(part.name), ErrnoText(errno));
    DropBuffer(part, counters_.lost_disk);
    Recount(file);
    return Failed(what, now);
  }
  Works();
  Recount(file);
}

void KeptFiles::Recount(File& file) {
  file.bytes = 0;
  for (const auto& [link_type, part] : file.parts) file.bytes += part.bytes + part.buffer.size();
}

void KeptFiles::Works() {
  if (std::exchange(failing_, false) && options_.log) options_.log("packets can be written again", false);
}

bool KeptFiles::OpenPart(Part& part) {
  if (part.descriptor >= 0) return true;
  part.descriptor = openat(folder_, part.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                           S_IRUSR | S_IWUSR | S_IRGRP);
  if (part.descriptor < 0) return false;
  struct stat status {};
  fstat(part.descriptor, &status);
  part.inode = status.st_ino;
  part.device = status.st_dev;
  part.bytes = 0;
  return true;
}

// All of the buffer or, with errno, nothing.
bool KeptFiles::WriteAll(Part& part) {
  for (size_t done = 0; done < part.buffer.size();) {
    const ssize_t written = write(part.descriptor, part.buffer.data() + done, part.buffer.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int failure = written == 0 ? ENOSPC : errno;
      // Readers stop at half a block.
      if (done != 0 && ftruncate(part.descriptor, static_cast<off_t>(part.bytes)) != 0) part.bytes += done;
      errno = failure;
      return false;
    }
    done += static_cast<size_t>(written);
  }
  part.bytes += part.buffer.size();
  part.buffer.clear();
  counters_.packets += std::exchange(part.packets, 0);
  counters_.bytes += std::exchange(part.packet_bytes, 0);
  return true;
}

// What follows begins a section, for the descriptions of interfaces may have been dropped.
void KeptFiles::DropBuffer(Part& part, uint64_t& lost) {
  lost += part.packets;
  lost_since_ += std::exchange(part.packets, 0);
  part.packet_bytes = 0;
  part.buffer.clear();
  part.has_section = false;
  part.interfaces.clear();
}

bool KeptFiles::MakeRoom(uint64_t num_bytes) {
  uint64_t held = old_bytes_;
  for (const File& file : open_) {
    for (const auto& [link_type, part] : file.parts) held += part.bytes;
  }
  for (size_t tries = old_.size(); !Fits(held, num_bytes, options_.quota_bytes); --tries) {
    if (tries == 0) return false;
    OldFile oldest = std::move(old_.front());
    old_.pop_front();
    if (unlinkat(folder_, oldest.name.c_str(), 0) != 0 && errno != ENOENT) {
      old_.push_back(std::move(oldest));
      continue;
    }
    ++counters_.removed;
    old_bytes_ -= oldest.bytes;
    held -= oldest.bytes;
  }
  return true;
}

void KeptFiles::Failed(const std::string& what, Time now) {
  failed_at_ = now;
  if (!std::exchange(failing_, true) && options_.log)
    options_.log(what + "; packets of flows with alerts are lost until it can; alerts go on", true);
  Publish();
}

void KeptFiles::FlushAll(Time now) {
  for (File& file : open_) {
    for (auto& [link_type, part] : file.parts) Flush(file, part, now);
  }
  flushed_at_ = now;
}

void KeptFiles::Tick(Time now) {
  if (now - flushed_at_ >= kFlushInterval) {
    for (File& file : open_) LeaveMoved(file);
    FlushAll(now);
    if (failing_ && now - failed_at_ >= kRetryInterval && HasSpace()) Works();
  }
  Rotate(now);
  Publish();
}

// Where somebody renamed or removed a file, a new one of its name follows.
void KeptFiles::LeaveMoved(File& file) {
  for (auto& [link_type, part] : file.parts) {
    struct stat status {};
    if (part.descriptor < 0 || (fstatat(folder_, part.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                                status.st_ino == part.inode && status.st_dev == part.device))
      continue;
    if (!part.buffer.empty()) WriteAll(part);
    close(std::exchange(part.descriptor, -1));
    part.bytes = 0;
    DropBuffer(part, counters_.lost_disk);
    Recount(file);
  }
}

// Whether the next packets can probably be written, where none come that would show it.
bool KeptFiles::HasSpace() {
  struct statvfs status {};
  if (fstatvfs(folder_, &status) != 0 || !MakeRoom(kBufferBytes)) return false;
  return status.f_bavail >= kBufferBytes / std::max<uint64_t>(status.f_frsize, 1) + 1 &&
         access(options_.folder.c_str(), W_OK | X_OK) == 0;
}

void KeptFiles::Rotate(Time now) {
  const uint64_t newest = newest_.load(std::memory_order_relaxed);
  if (open_.size() != 1 || open_.back().number != newest || open_.back().bytes == 0) return;
  const File& file = open_.back();
  if (file.bytes < options_.file_bytes && now - file.opened < options_.file_age) return;
  newest_.store(newest + 1, std::memory_order_release);
}

void KeptFiles::Barrier(uint64_t number) {
  bool closed = false;
  while (!open_.empty() && open_.front().number < number && open_.front().number < newest_.load()) {
    CloseFile(open_.front(), flushed_at_);
    open_.pop_front();
    closed = true;
  }
  if (closed) Scan();
}

void KeptFiles::CloseFile(File& file, Time now) {
  for (auto& [link_type, part] : file.parts) {
    Flush(file, part, now);
    if (part.descriptor >= 0) close(std::exchange(part.descriptor, -1));
  }
}

void KeptFiles::Close(Time now) {
  for (File& file : open_) CloseFile(file, now);
  open_.clear();
  Scan();
  Publish();
}

void KeptFiles::Publish() {
  counters_.failing = failing_ ? 1 : 0;
  counters_.folder_bytes = old_bytes_;
  for (const File& file : open_) {
    for (const auto& [link_type, part] : file.parts) counters_.folder_bytes += part.bytes;
  }
  published_.TryPublish(counters_);
}

}  // namespace vedette
