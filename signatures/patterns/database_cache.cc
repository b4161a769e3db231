#include "signatures/patterns/database_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "parsers/base/digest.h"
#include "parsers/base/errno_text.h"
#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr std::string_view kMagic = "VEDCACHE";
constexpr uint32_t kFormatVersion = 1;
constexpr std::string_view kEnding = ".db", kAside = ".tmp-";
constexpr time_t kAsideSeconds = 3600;  // a file written aside that is older was left by a process that is gone

template <class Integer>
void AppendNumber(Integer value, std::string& out) {
  for (size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
}

std::string HeaderOf(const DatabaseCache::Key& key, std::string_view content) {
  std::string header(kMagic);
  AppendNumber(kFormatVersion, header);
  header.append(reinterpret_cast<const char*>(key.data()), key.size());
  AppendNumber(uint64_t{content.size()}, header);
  const DatabaseCache::Key digest = DatabaseCache::KeyOf(AsBytes(content));
  header.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  return header;
}

bool HasEnding(std::string_view name, std::string_view ending) {
  return name.size() > ending.size() && name.substr(name.size() - ending.size()) == ending;
}

}  // namespace

DatabaseCache::DatabaseCache(std::string folder) : folder_(std::move(folder)) {}

DatabaseCache::Key DatabaseCache::KeyOf(Bytes bytes) {
  Digester digester(DigestAlgorithm::kSha256);
  return digester.Of(bytes).bytes;
}

std::string DatabaseCache::FileNameOf(const Key& key) {
  return ToHex({reinterpret_cast<const char*>(key.data()), key.size()}).append(kEnding);
}

std::optional<std::string_view> DatabaseCache::ContentOf(std::string_view file, const Key& key) {
  if (file.size() < kHeaderBytes) return std::nullopt;
  const std::string_view content = file.substr(kHeaderBytes);
  if (file.substr(0, kHeaderBytes) != HeaderOf(key, content)) return std::nullopt;
  return content;
}

// The first thing that went wrong is told; what follows from it is not.
void DatabaseCache::Complain(std::string what) {
  if (problem_.empty()) problem_ = folder_ + ": " + std::move(what);
}

// Opened for its entries, or not. What others may write into is not used: they could put files there in our name's
// stead.
FileDescriptor DatabaseCache::OpenFolder() {
  std::error_code ignored;  // what is wrong shows when it is opened
  const std::filesystem::path path(folder_);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
  mkdir(folder_.c_str(), 0700);
  FileDescriptor folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) {
    Complain("cannot be used as a cache: " + ErrnoText());
    return folder;
  }
  struct stat status {};
  if (fstat(folder.get(), &status) != 0 || (status.st_uid != geteuid() && status.st_uid != 0) ||
      (status.st_mode & 022) != 0) {
    Complain("is not used as a cache: it has to belong to this user, and others must not be able to write to it");
    folder.Close();
  }
  return folder;
}

std::optional<std::string> DatabaseCache::Load(const Key& key) {
  if (!enabled()) return std::nullopt;
  const FileDescriptor folder = OpenFolder();
  if (!folder.is_open()) return std::nullopt;
  const std::string name = FileNameOf(key);
  const FileDescriptor file(openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno != ENOENT) Complain(name + " cannot be read: " + ErrnoText());
    return std::nullopt;
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  if (status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
    Complain(name + " is not used: it has to belong to this user, with mode 0600");
    return std::nullopt;
  }
  if (status.st_size < static_cast<off_t>(kHeaderBytes) || static_cast<uint64_t>(status.st_size) > kMaxFileBytes) {
    return std::nullopt;
  }
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  if (ReadUpTo(file.get(), bytes.data(), bytes.size()) != bytes.size()) return std::nullopt;
  if (!ContentOf(bytes, key)) return std::nullopt;
  futimens(file.get(), nullptr);  // used now: the next to go is another
  bytes.erase(0, kHeaderBytes);
  return bytes;
}

void DatabaseCache::Store(const Key& key, std::string_view content) {
  if (!enabled() || content.size() + kHeaderBytes > std::min(kMaxFileBytes, max_folder_bytes_)) return;
  const FileDescriptor folder = OpenFolder();
  if (!folder.is_open()) return;
  const std::string name = FileNameOf(key);
  static constexpr int kTries = 100;  // of a name that no other process has taken
  std::string aside;
  FileDescriptor file;
  for (int i = 0; i < kTries && !file.is_open(); ++i) {
    aside = std::string(kAside) + name.substr(0, 16) + '-' + std::to_string(getpid()) + '-' + std::to_string(i);
    file =
        FileDescriptor(openat(folder.get(), aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.is_open() && errno != EEXIST) break;
  }
  if (!file.is_open()) return Complain("cannot be written: " + ErrnoText());
  // The mode is set once more because of the umask, which may take from it what the owner needs.
  const int fd = file.get();
  if (fchmod(fd, 0600) != 0 || !WriteAll(fd, HeaderOf(key, content)) || !WriteAll(fd, content) || fsync(fd) != 0 ||
      renameat(folder.get(), aside.c_str(), folder.get(), name.c_str()) != 0) {
    Complain(name + " cannot be written: " + ErrnoText());
    unlinkat(folder.get(), aside.c_str(), 0);
    return;
  }
  fsync(folder.get());
  MakeRoom(folder.get(), name);
}

// Removes what was used longest ago until the files are within the bound, and what was left half-written.
void DatabaseCache::MakeRoom(int folder, const std::string& except) {
  struct Entry {
    timespec used;
    uint64_t bytes;
    std::string name;
  };
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = copy < 0 ? nullptr : fdopendir(copy);
  if (list == nullptr) {
    if (copy >= 0) close(copy);
    return;
  }
  const time_t now = time(nullptr);
  std::vector<Entry> entries;
  uint64_t total = 0;
  while (const dirent* const item = readdir(list)) {
    const std::string_view name = item->d_name;
    const bool aside = name.substr(0, kAside.size()) == kAside;
    struct stat status {};
    if ((!aside && !HasEnding(name, kEnding)) || fstatat(folder, item->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    if (aside) {
      if (status.st_mtim.tv_sec + kAsideSeconds < now) unlinkat(folder, item->d_name, 0);
      continue;
    }
    total += static_cast<uint64_t>(status.st_size);
    if (name != except) entries.push_back({status.st_mtim, static_cast<uint64_t>(status.st_size), std::string(name)});
  }
  closedir(list);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.used.tv_sec, a.used.tv_nsec, a.name) < std::tie(b.used.tv_sec, b.used.tv_nsec, b.name);
  });
  for (const Entry& entry : entries) {
    if (total <= max_folder_bytes_) break;
    if (unlinkat(folder, entry.name.c_str(), 0) == 0) total -= entry.bytes;
  }
}

}  // namespace vedette
