#include "sensor/replay/carve_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"
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
  FileDescriptor descriptor(
      open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | (file.on_disk ? 0 : O_CREAT | O_TRUNC), 0640));
  if (!descriptor.is_open()) return Fail(file.name, "cannot be written: " + ErrnoText());
  file.on_disk = true;
  const bool ok = WriteTo(descriptor.get(), file) && descriptor.Close();
  const int reason = errno;
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
    if (!WriteAllAt(descriptor, {reinterpret_cast<const char*>(&header), sizeof header}, 0)) return false;
    file.written_bytes = sizeof header;
  } else if (file.nanoseconds && !file.file_nanoseconds && !TurnIntoNanoseconds(descriptor, file)) {
    return false;
  }
  if (!file.file_nanoseconds) {
    ChangeFractions(file.buffer.data(), file.buffer.data() + file.buffer.size(), [](uint32_t ns) { return ns / 1000; });
  }
  if (!WriteAllAt(descriptor, file.buffer, file.written_bytes)) return false;
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
  return ReplaceFile(PathOf(name), text, {.suffix = kUnfinished, .to_disk = false}) ||
         Fail(name, "cannot be written: " + ErrnoText());
}

std::vector<std::string> CarveFiles::NamesOf(uint32_t flow) const {
  std::vector<std::string> names;
  for (const File& file : flows_[flow]) names.push_back(file.name);
  return names;
}

}  // namespace vedette
