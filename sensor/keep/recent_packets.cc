#include "sensor/keep/recent_packets.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "parsers/base/errno_text.h"

namespace vedette {

std::unique_ptr<RecentPackets> RecentPackets::Make(size_t bytes, std::string& error) {
  const size_t num_units = std::max(bytes, kLeastBytes) / kUnit;
  // Touched as far as it is used only.
  void* const memory =
      mmap(nullptr, num_units * kUnit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    error = fmt::format("no memory for the packets to keep ({} MiB): {}", bytes >> 20, ErrnoText(errno));
    return nullptr;
  }
  madvise(memory, num_units * kUnit, MADV_HUGEPAGE);
  return std::unique_ptr<RecentPackets>(new RecentPackets(num_units, static_cast<uint8_t*>(memory)));
}

// The first position is not 0, and none is overrun before the ring is full.
RecentPackets::RecentPackets(size_t num_units, uint8_t* memory)
    : num_units_(num_units), memory_(memory), head_(num_units) {
  size_t sets = 1;
  while (sets * kWays * kBytesPerEntry < num_units * kUnit) sets *= 2;
  index_ = std::make_unique<Set[]>(sets);
  index_mask_ = sets - 1;
}

RecentPackets::~RecentPackets() { munmap(memory_, num_units_ * kUnit); }

RecentPackets::Entry* RecentPackets::Find(uint64_t key) const {
  for (Entry& entry : SetOf(key).ways) {
    if (entry.key == key && entry.newest != 0) return &entry;
  }
  return nullptr;
}

RecentPackets::Entry* RecentPackets::Take(uint64_t key) {
  Entry* oldest = nullptr;
  for (Entry& entry : SetOf(key).ways) {
    if (entry.key == key) return &entry;
    if (entry.marked == 0 && (oldest == nullptr || entry.newest < oldest->newest)) oldest = &entry;
  }
  if (oldest != nullptr) *oldest = {.key = key, .newest = 0, .count = 0, .marked = 0};
  return oldest;
}

RecentPackets::Record& RecentPackets::Append(Entry& entry, uint32_t num_bytes) {
  const size_t need = (sizeof(Record) + num_bytes + kUnit - 1) / kUnit;
  // In one piece: what is too long for the rest of the ring begins at its start.
  const size_t rest = num_units_ - head_ % num_units_;
  const Position position = rest < need ? head_ + rest : head_;
  head_ = position + need;
  Record& record = *Place(position);
  record.prev = entry.newest;
  entry.newest = position;
  return record;
}

void RecentPackets::Add(Entry& entry, const Frame& frame, uint32_t most_bytes, uint64_t ordinal) {
  const uint32_t captured = std::min(frame.captured_bytes, most_bytes);
  Record& record = Append(entry, captured);
  record.fragments = 0;
  record.ordinal = ordinal;
  record.time_ns = frame.time_ns;
  record.captured_bytes = captured;
  record.wire_bytes = frame.wire_bytes;
  record.interface = frame.file;
  record.link_type = frame.link_type;
  record.reserved = 0;
  std::memcpy(&record + 1, frame.data, captured);
}

void RecentPackets::AddLink(Entry& entry, uint64_t fragments, uint64_t ordinal) {
  Record& record = Append(entry, 0);
  record = {.prev = record.prev,
            .fragments = fragments,
            .ordinal = ordinal,
            .time_ns = 0,
            .captured_bytes = 0,
            .wire_bytes = 0,
            .interface = 0,
            .link_type = 0,
            .reserved = 0};
}

}  // namespace vedette
