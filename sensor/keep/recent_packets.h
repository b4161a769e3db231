// The packets that a lane saw last, found by flow: bytes are copied in, and the newest push out the oldest.
//
//   index                       ring (bytes given), oldest … newest
//   ┌ key │ newest record ┐     │ record │ record │ record │ … │
//   └─────┴───────┬───────┘         ▲───────┘ prev   ▲
//                 └──────────────────────────────────┘
//
// A flow is a key: a number that its owner gives it, spread over 64 bits. The index is a set-associative table: a key
// has a place in one of kWays entries of its set, and takes that of the key whose newest record is the oldest. Records
// of a key are chained backwards; a chain ends where it was overrun. Adding costs one cache miss of the index and the
// copy. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"
#include "sensor/capture/frame.h"

namespace vedette {

class RecentPackets {
 public:
  // Place of a record, in units of kUnit bytes since the start: grows with each, never reused. 0: none.
  using Position = uint64_t;

  // What the index has of a key. Holds until the next Take.
  struct Entry {
    uint64_t key;
    uint64_t newest : 57;  // Position; 41 years at 100 Gbit/s
    uint64_t count : 6;    // its owner's
    uint64_t marked : 1;   // its owner's; one that is marked gives way to no other
  };
  static_assert(sizeof(Entry) == 16);

  struct Record {
    Position prev;       // of the same key; it may have been overrun
    uint64_t fragments;  // not 0: no packet of its own; those of this key stand here
    uint64_t ordinal;    // its owner's
    uint64_t time_ns;
    uint32_t captured_bytes;  // of those that follow
    uint32_t wire_bytes;
    uint32_t interface;
    uint16_t link_type;
    uint16_t reserved;

    Bytes bytes() const { return {reinterpret_cast<const uint8_t*>(this + 1), captured_bytes}; }
  };
  static_assert(sizeof(Record) == 48);

  static constexpr size_t kLeastBytes = size_t{1} << 20;  // some times the largest packet
  static constexpr uint32_t kUnit = 16;
  static constexpr size_t kWays = 4;
  static constexpr size_t kBytesPerEntry = 256;  // of the ring: one of the index for so many

  // nullptr with an error: no memory. `bytes`: at least kLeastBytes; the index takes a sixteenth more.
  static std::unique_ptr<RecentPackets> Make(size_t bytes, std::string& error);
  ~RecentPackets();
  RecentPackets(const RecentPackets&) = delete;
  RecentPackets& operator=(const RecentPackets&) = delete;

  // nullptr where the key is not in the index.
  Entry* Find(uint64_t key) const;
  // Its place, made where there is none; nullptr where all of its set are marked.
  Entry* Take(uint64_t key);
  // Copies the first `most_bytes` of the frame, behind all before.
  void Add(Entry& entry, const Frame& frame, uint32_t most_bytes, uint64_t ordinal);
  // A record of no bytes, which stands for all records of the key `fragments`.
  void AddLink(Entry& entry, uint64_t fragments, uint64_t ordinal);

  // nullptr where it was overrun. Valid until the next Add.
  const Record* At(Position position) const {
    return position != 0 && position + num_units_ >= head_ ? Place(position) : nullptr;
  }
  size_t memory_bytes() const { return (num_units_ + num_units_ / (kBytesPerEntry / kUnit)) * kUnit; }

 private:
  RecentPackets(size_t num_units, uint8_t* memory);
  struct alignas(64) Set {
    Entry ways[kWays];
  };

  Record* Place(Position position) const { return reinterpret_cast<Record*>(memory_ + position % num_units_ * kUnit); }
  Set& SetOf(uint64_t key) const { return index_[key & index_mask_]; }
  Record& Append(Entry& entry, uint32_t num_bytes);

  const size_t num_units_;
  uint8_t* const memory_;
  std::unique_ptr<Set[]> index_;
  size_t index_mask_ = 0;
  Position head_;  // where the next record begins
};

}  // namespace vedette
