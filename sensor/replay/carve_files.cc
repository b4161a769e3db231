#include "sensor/replay/carve_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

#include "sensor/replay/carve_sink.h"

namespace vedette {
namespace {

constexpr uint32_t kMagicMicroseconds = 0xa1b2c3d4, kMagicNanoseconds = 0xa1b23c4d;
constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr char kUnfinished[] = ".part";

struct FileHeader {
  uint32_t magic;
  uint16_t major = 2, minor = 4;
  uint32_t reserved[2] = {0, 0};
  uint32_t snap_length = CarveFiles::kLargestPacket;
  uint32_t link_type;
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  uint32_t seconds, fraction, captured_bytes, wire_bytes;
};
static_assert(sizeof(RecordHeader) == 16);

std::string ErrnoText(int number) { return std::generic_category().message(number); }

// Calls change(fraction) for each of the records that follow each other from `begin` on.
template <class Change>
void ChangeFractions(char* begin, const char* end, const Change& change) {
  for (char* at = begin; static_cast<size_t>(end - at) >= sizeof(RecordHeader);) {
    RecordHeader record;
    std::memcpy(&record, at, sizeof record);
    record.fraction = change(record.fraction);
    std::memcpy(at, &record, sizeof record);
    at += sizeof record + record.captured_bytes;
  }
}

bool WriteAll(int descriptor, const char* data, size_t size, uint64_t offset) {
  while (size != 0) {
    const ssize_t n = pwrite(descriptor, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    data += n;
    size -= static_cast<size_t>(n);
    offset += static_cast<uint64_t>(n);
  }
  return true;
}

}  // namespace

CarveFiles::CarveFiles(std::string folder, size_t num_flows, const Limits& limits)
    : folder_(std::move(folder) + '/'), limits_(limits), flows_(num_flows) {}

CarveFiles::~CarveFiles() {
  for (const std::vector<File>& files : flows_) {
    for (const File& file : files) {
      if (file.on_disk) unlink((PathOf(file.name) + kUnfinished).c_str());
    }
  }
}

bool CarveFiles::Fail(const std::string& name, const std::string& what) {
  error_ = fmt::format(
      "{}: {}; the {} finished files are whole, the others were removed. Free some space, or name another folder with "
      "--carve, and run again",
      PathOf(name), what, num_finished_);
  return false;
}

bool CarveFiles::Add(uint32_t flow, uint64_t flow_id, const Frame& frame) {
  if (!error_.empty()) return false;
  std::vector<File>& files = flows_[flow];
  auto file = std::find_if(files.begin(), files.end(),
                           [&](const File& candidate) { return candidate.link_type == frame.link_type; });
  if (file == files.end()) {
    file = files.emplace(files.end());
    file->link_type = frame.link_type;
    file->name = CarvedName(flow_id);
    if (files.size() > 1) file->name.insert(file->name.rfind('.'), fmt::format(".link-{}", frame.link_type));
  }
  RecordHeader record{};
  record.captured_bytes = std::min(frame.captured_bytes, kLargestPacket);
  packets_cut_ += frame.captured_bytes > kLargestPacket;
  record.wire_bytes = frame.wire_bytes;
  record.seconds = static_cast<uint32_t>(std::min<uint64_t>(frame.time_ns / kSecondNs, UINT32_MAX));
  record.fraction = static_cast<uint32_t>(frame.time_ns % kSecondNs);
  if (frame.time_ns / kSecondNs > UINT32_MAX) {
    ++times_beyond_pcap_;
    record.fraction = 0;
  }
  file->nanoseconds = file->nanoseconds || record.fraction % 1000 != 0;
  file->buffer.append(reinterpret_cast<const char*>(&record), sizeof record);
  file->buffer.append(reinterpret_cast<const char*>(frame.data), record.captured_bytes);
  buffered_bytes_ += sizeof record + record.captured_bytes;
  if (file->buffer.size() >= limits_.file_bytes && !Flush(*file)) return false;
  return buffered_bytes_ <= limits_.total_bytes || FlushLargest();
}

// The longest pieces first: as few writes as can be.
bool CarveFiles::FlushLargest() {
  std::vector<File*> order;
  for (std::vector<File>& files : flows_) {
    for (File& file : files) {
      if (!file.buffer.empty()) order.push_back(&file);
    }
  }
  std::sort(order.begin(), order.end(),
            [](const File* a, const File* b) { return a->buffer.size() > b->buffer.size(); });
  for (File* file : order) {
    if (buffered_bytes_ <= limits_.total_bytes / 2) break;
    if (!Flush(*file)) return false;
  }
  return true;
}

bool CarveFiles::Flush(File& file) {
  if (!error_.empty()) return false;
  if (file.buffer.empty()) return true;
  const std::string path = PathOf(file.name) + kUnfinished;
  const int descriptor =
      open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (file.on_disk ? 0 : O_CREAT | O_TRUNC), 0640);
  if (descriptor < 0) return Fail(file.name, "cannot be written: " + ErrnoText(errno));
  file.on_disk = true;
  bool ok = WriteTo(descriptor, file);
  int reason = errno;
  if (close(descriptor) != 0 && ok) {
    ok = false;
    reason = errno;
  }
  buffered_bytes_ -= file.buffer.size();
  file.buffer = std::string();
  return ok || Fail(file.name, "cannot be written: " + ErrnoText(reason));
}

// False with errno.
bool CarveFiles::WriteTo(int descriptor, File& file) {
  if (file.written_bytes == 0) {
    file.file_nanoseconds = file.nanoseconds;
    const FileHeader header{.magic = file.nanoseconds ? kMagicNanoseconds : kMagicMicroseconds,
                            .link_type = file.link_type};
    if (!WriteAll(descriptor, reinterpret_cast<const char*>(&header), sizeof header, 0)) return false;
    file.written_bytes = sizeof header;
  } else if (file.nanoseconds && !file.file_nanoseconds && !TurnIntoNanoseconds(descriptor, file)) {
    return false;
  }
  if (!file.file_nanoseconds) {
    ChangeFractions(file.buffer.data(), file.buffer.data() + file.buffer.size(), [](uint32_t ns) { return ns / 1000; });
  }
  if (!WriteAll(descriptor, file.buffer.data(), file.buffer.size(), file.written_bytes)) return false;
  file.written_bytes += file.buffer.size();
  return true;
}

// Once at most: a capture whose times are in nanoseconds shows it by its first thousand packets.
bool CarveFiles::TurnIntoNanoseconds(int descriptor, File& file) {
  void* const mapped = mmap(nullptr, file.written_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) return false;
  char* const begin = static_cast<char*>(mapped);
  ChangeFractions(begin + sizeof(FileHeader), begin + file.written_bytes, [](uint32_t us) { return us * 1000; });
  std::memcpy(begin, &kMagicNanoseconds, sizeof kMagicNanoseconds);
  file.file_nanoseconds = true;
  return munmap(mapped, file.written_bytes) == 0;
}

bool CarveFiles::Finish(uint32_t flow) {
  for (File& file : flows_[flow]) {
    if (!Flush(file)) return false;
    if (!file.on_disk) continue;
    if (std::rename((PathOf(file.name) + kUnfinished).c_str(), PathOf(file.name).c_str()) != 0)
      return Fail(file.name, "cannot get its name: " + ErrnoText(errno));
    file.on_disk = false;
    ++num_finished_;
  }
  return true;
}

bool CarveFiles::WriteText(const std::string& name, std::string_view text) {
  const std::string path = PathOf(name) + kUnfinished;
  const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_CREAT | O_TRUNC, 0640);
  if (descriptor < 0) return Fail(name, "cannot be written: " + ErrnoText(errno));
  bool ok = WriteAll(descriptor, text.data(), text.size(), 0);
  int reason = errno;
  if (close(descriptor) != 0 && ok) {
    ok = false;
    reason = errno;
  }
  if (ok && std::rename(path.c_str(), PathOf(name).c_str()) == 0) return true;
  if (ok) reason = errno;
  unlink(path.c_str());
  return Fail(name, "cannot be written: " + ErrnoText(reason));
}

std::vector<std::string> CarveFiles::NamesOf(uint32_t flow) const {
  std::vector<std::string> names;
  for (const File& file : flows_[flow]) names.push_back(file.name);
  return names;
}

}  // namespace vedette
