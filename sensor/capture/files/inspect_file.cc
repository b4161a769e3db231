#include "sensor/capture/files/inspect_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "parsers/base/errno_text.h"
#include "sensor/capture/files/mapped_file.h"

namespace vedette {
namespace {

// trace.pcap, trace.pcapng3, Wireshark's .cap, tcpdump.dump: whether a file without content was meant to be a capture.
bool NamedLikeCapture(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  constexpr std::array<std::string_view, 3> kParts = {"cap", "dmp", "dump"};
  return std::any_of(kParts.begin(), kParts.end(),
                     [name](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

}  // namespace

bool InspectFile(int fd, Inspection& out, std::string& error) {
  struct stat status {};
  if (fstat(fd, &status) != 0) {
    error = ErrnoText(errno);
    return false;
  }
  error = WhyNotRegular(status.st_mode);
  if (!error.empty()) return false;
  out.file.bytes = static_cast<uint64_t>(status.st_size);
  out.file.device = status.st_dev;
  out.file.inode = status.st_ino;
  std::vector<uint8_t> head(kFormatHeadBytes);
  for (size_t have = 0;;) {
    const ssize_t num_read = pread(fd, head.data() + have, head.size() - have, static_cast<off_t>(have));
    if (num_read < 0) {
      error = ErrnoText(errno);
      return false;
    }
    have += static_cast<size_t>(num_read);
    const bool whole = num_read == 0 || have == out.file.bytes;
    if (!whole && have < head.size()) continue;
    if (have == kFormatHeadBytes && !whole && IdentifyCompression(head) != Compression::kNone) {
      head.resize(kCompressedHeadBytes);
      continue;
    }
    head.resize(have);
    out.head = JudgeHead(head, whole);
    break;
  }
  out.file.format = out.head.format;
  if (out.head.compression != Compression::kNone) out.file.kind = CaptureList::Kind::kCompressed;
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
  const bool ok = InspectFile(fd, out, error);
  close(fd);
  return ok;
}

bool IsCaptureOfFolder(const std::string& path, const Inspection& inspection, OtherFormat& why_not) {
  if (inspection.head.unknown) {
    why_not = {fmt::format("{}-compressed, and nothing of it can be decompressed", NameOf(inspection.head.compression)),
               true};
    return NamedLikeCapture(path);
  }
  if (inspection.file.format == CaptureFormat::kOther) {
    why_not = inspection.head.other;
    return false;
  }
  why_not = {"empty", false};
  return inspection.file.format != CaptureFormat::kEmpty || NamedLikeCapture(path);
}

int64_t ModifiedNs(const struct stat& status) {
  return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace vedette
