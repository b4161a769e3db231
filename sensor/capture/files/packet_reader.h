// Packets out of a capture file's bytes, whatever its format. Parsing only: the owner of a reader supplies the bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "parsers/base/bytes.h"
#include "sensor/capture/frame.h"
#include "sensor/capture/stream/load_integer.h"

namespace vedette {

// One packet holds at most this much, whatever its header says; a larger length is damage. It is 64 times the largest
// snap length that tcpdump and Wireshark use for network links; only USB and D-Bus captures, which hold no network
// packets, know larger ones. The tighter the bound, the sooner a damaged length is noticed.
constexpr uint32_t kLargestPacketBytes = uint32_t{16} << 20;

// Packet headers follow each other at distances that the hardware prefetcher cannot guess, so readers have the bytes
// fetched this far ahead: a page hides the wait for memory and stays in the first-level cache. Every cache line of it,
// not one a packet, which makes the walk 4 times faster: half of all lines are needed anyway, and memory delivers lines
// that are asked for in order several times faster (see tests/bench/bench_capture.cc).
constexpr uint64_t kPrefetchAheadBytes = 4096;
constexpr uint64_t kCacheLineBytes = 64;

// A reader of a stream keeps this much of it contiguous, so that every packet fits. Larger blocks of pcapng are
// damage if they hold a packet or an interface; others are skipped.
constexpr uint32_t kLargestRecordBytes = uint32_t{32} << 20;

// One thread uses a reader. Frames point into the bytes given and are numbered from 1 on.
//
// The bytes are a window: the whole file if it is mapped, or a part of a stream. SetWindow moves the window of a
// stream; an incomplete record waits for the next one. The result does not depend on the windows.
class PacketReader {
 public:
  virtual ~PacketReader() = default;
  PacketReader(const PacketReader&) = delete;
  PacketReader& operator=(const PacketReader&) = delete;

  // Continues from position(): records that begin before `until`, as many as `out` has room for. Returns how many
  // frames it filled. Never blocks; walks at most until - position() bytes and the record in which they end.
  virtual size_t Read(std::span<Frame> out, uint64_t until) = 0;

  // Where the next record begins, in bytes from the start of the file; may lie beyond the window if the bytes between
  // are of no interest. After damage: where the damaged record begins.
  uint64_t position() const { return position_; }
  // Nothing more will come: the end of the file or damage.
  bool done() const { return done_; }
  // After a Read that filled nothing, and not done: how far a window must reach, in bytes from the start of the file.
  uint64_t wanted() const { return wanted_; }
  // The bytes of the file from `offset`, which is not beyond position(). `last`: the file ends with them; until then an
  // incomplete record is not damage.
  void SetWindow(Bytes bytes, uint64_t offset, bool last) {
    file_ = bytes;
    offset_ = offset;
    last_ = last;
    prefetched_ = 0;
  }
  bool damaged() const { return !damage_reason_.empty(); }
  const std::string& damage_reason() const { return damage_reason_; }
  // The mapped file has become shorter than the bytes given: nothing from `size` on is touched from now on.
  void Shorten(uint64_t size) {
    if (size < file_.size()) file_ = file_.first(size);
  }

 protected:
  // To be called at every record, with its position in the window.
  void PrefetchFrom(uint64_t at) {
    const uint64_t end = std::min<uint64_t>(at + kPrefetchAheadBytes, file_.size());
    if (prefetched_ < at) prefetched_ = at;
    for (; prefetched_ < end; prefetched_ += kCacheLineBytes) __builtin_prefetch(file_.data() + prefetched_);
  }
  PacketReader(Bytes file, uint32_t file_index, bool last) : file_(file), last_(last), file_index_(file_index) {}
  // The item at `offset` needs this many bytes, but the window ends earlier. True: the next window may have them.
  bool WaitFor(uint64_t offset, uint64_t num_bytes) {
    wanted_ = offset + num_bytes;
    return !last_;
  }
  void Damage(uint64_t offset, std::string reason) {
    position_ = offset;
    damage_reason_ = std::move(reason);
    done_ = true;
  }

  Bytes file_;           // the window
  uint64_t offset_ = 0;  // of its first byte
  bool last_;            // the file ends where it ends
  uint64_t position_ = 0;
  uint64_t num_frames_ = 0;
  const uint32_t file_index_;
  bool done_ = false;

 private:
  std::string damage_reason_;
  uint64_t wanted_ = 0;
  uint64_t prefetched_ = 0;  // in the window
};

// Told where a packet's header should be and a capture's begins.
constexpr const char* kAnotherCapture =
    "another capture begins here, as where files or gzip members are put one after another (cat); name them one by "
    "one, "
    "or join them with mergecap";

}  // namespace vedette
