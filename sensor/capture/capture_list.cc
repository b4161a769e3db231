#include "sensor/capture/capture_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "sensor/capture/mapped_file.h"
#include "sensor/capture/spool.h"

namespace vedette {
namespace {

std::string ErrnoText(int number) { return std::generic_category().message(number); }

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

// trace.pcap, trace.pcapng3, Wireshark's .cap, tcpdump.dump: whether a file without content was meant to be a capture.
bool NamedLikeCapture(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 3> kParts = {"cap", "dmp", "dump"};
  return std::any_of(kParts.begin(), kParts.end(),
                     [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

// What an open file is, by its status and its first bytes.
struct Inspection {
  CaptureList::File file;
  std::vector<uint8_t> head;
  bool regular = false;
};

bool Inspect(int fd, Inspection& out, std::string& error) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    error = ErrnoText(errno);
    return false;
  }
  error = WhyNotRegular(status.st_mode);
  if (!error.empty()) return false;
  out.regular = true;
  out.file.bytes = static_cast<uint64_t>(status.st_size);
  out.file.device = status.st_dev;
  out.file.inode = status.st_ino;
  out.head.resize(kFormatHeadBytes);
  const ssize_t num_read = pread(fd, out.head.data(), out.head.size(), 0);
  if (num_read < 0) {
    error = ErrnoText(errno);
    return false;
  }
  out.head.resize(static_cast<size_t>(num_read));
  out.file.format = IdentifyCapture(out.head);
  return true;
}

bool InspectPath(const std::string& path, Inspection& out, std::string& error) {
  out.file.name = path;
  out.file.path = path;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    error = ErrnoText(errno);
    return false;
  }
  const bool ok = Inspect(fd, out, error);
  close(fd);
  return ok;
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

CaptureList::~CaptureList() {
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
  for (const std::string& path : paths) {
    if (!list->AddPath(path, options, error)) return nullptr;
  }
  return list;
}

bool CaptureList::AddPath(const std::string& path, const Options& options, std::string& error) {
  if (path == "-") return AddStandardInput(options, error);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    error = fmt::format("{}: {}", path, ErrnoText(errno));
    return false;
  }
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
  if (inspection.file.format == CaptureFormat::kOther) {
    error = NoCapture(path, DescribeOther(inspection.head));
    return false;
  }
  return Append(std::move(inspection.file), error);
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
    return Append({.name = folder, .path = folder, .error = ErrnoText(errno)}, error);
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
  if (inspection.file.format == CaptureFormat::kOther) {
    Skip(path, DescribeOther(inspection.head));
    return true;
  }
  if (inspection.file.format == CaptureFormat::kEmpty && !NamedLikeCapture(path)) {
    Skip(path, {"empty", false});
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
  int fd = -1;
  struct stat status {};
  if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
    fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) error = ErrnoText(errno);
  } else {
    fd = SpoolPipe(STDIN_FILENO, options.spool_folder, options.stop, error);
  }
  if (fd < 0) {
    error = fmt::format("standard input: {}", error);
    return false;
  }
  Inspection inspection;
  if (!Inspect(fd, inspection, error)) {
    error = fmt::format("standard input: {}", error);
    close(fd);
    return false;
  }
  if (inspection.file.format == CaptureFormat::kOther) {
    error = NoCapture("standard input", DescribeOther(inspection.head));
    close(fd);
    return false;
  }
  inspection.file.name = std::string("-");
  inspection.file.fd = fd;
  return Append(std::move(inspection.file), error);
}

bool CaptureList::Append(File file, std::string& error) {
  if (files_.size() == kMaxFiles) {
    error = fmt::format("{}: more than {} captures; give a part of them at a time", file.name, kMaxFiles);
    if (file.fd >= 0) close(file.fd);
    return false;
  }
  total_bytes_ += file.bytes;
  files_.push_back(std::move(file));
  return true;
}

void CaptureList::Skip(const std::string& name, OtherFormat why) {
  ++num_skipped_;
  if (skipped_.size() < kMaxSkipped) skipped_.push_back({name, std::move(why.description), why.holds_packets});
}

}  // namespace vedette
