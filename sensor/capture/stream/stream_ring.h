// Bytes that one thread writes and several threads read, each at its own pace: a ring that is overwritten once all have
// passed.
//
//   … passed by all | ← the slowest reader … the fastest reader … the writer's head → | room …
//
// The ring is mapped twice in a row, so that what crosses its end is contiguous as well. The bytes are those of
// files, one after another, each with an end that says whether it was damaged.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"

namespace vedette {

// How a file's bytes ended.
struct StreamEnd {
  std::string damage;          // empty: none
  uint64_t damage_offset = 0;  // in the input, as it is on disk
  uint64_t input_bytes = 0;
  bool compressed = false;
};

// One thread writes; `num_readers` threads read, each with its own number. Any thread may call Close.
class StreamRing {
 public:
  // Whole size: holds the largest record of a capture twice. Memory is touched only as far as needed.
  static constexpr uint64_t kRingBytes = uint64_t{64} << 20;
  // The writer runs this far ahead of the slowest reader while no other reader waits for it: what was written is still
  // in the cache when it is read.
  static constexpr uint64_t kLeadBytes = uint64_t{2} << 20;
  // Written in pieces of at most this size.
  static constexpr uint64_t kPieceBytes = uint64_t{256} << 10;

  // nullptr, with `error`, if there is no memory.
  static std::unique_ptr<StreamRing> Make(size_t num_readers, std::string& error);
  ~StreamRing();
  StreamRing(const StreamRing&) = delete;
  StreamRing& operator=(const StreamRing&) = delete;

  // Writer. What follows belongs to this file, whose number is higher than all before.
  void BeginFile(uint32_t file);
  // Waits until there is room. Empty: closed.
  std::span<uint8_t> WaitForRoom();
  // This many bytes of the room are filled.
  void Commit(size_t num_bytes);
  void EndFile(StreamEnd end);
  // Nothing more comes, and all waiting ends.
  void Close();

  enum class Status : uint8_t { kReady, kWaiting };
  struct View {
    Bytes bytes;          // of the file from `offset` on, as far as they are there
    uint64_t offset = 0;  // in the file
    bool last = false;    // the file ends with them
  };
  // Reader. Releases the bytes of `file` before `position`, which may lie beyond what is there, and waits, some 50 ms
  // at most, until the file reaches `wanted` or its end. The bytes are valid until they are released.
  Status Look(size_t reader, uint32_t file, uint64_t position, uint64_t wanted, View& view);
  void Release(size_t reader, uint32_t file, uint64_t position);
  // This reader is done with the file, whose end it has seen.
  StreamEnd Leave(size_t reader, uint32_t file);
  // This reader reads no more.
  void Detach(size_t reader);

 private:
  struct File {
    uint64_t begin = 0;  // in the ring's count of bytes, which never wraps
    uint64_t end = 0;    // so far
    bool ended = false;
    StreamEnd how;
    size_t readers_left = 0;
  };

  StreamRing(size_t num_readers, uint8_t* memory);
  uint64_t Room() const;
  // Moves forward to a count of bytes, but not beyond what is there of the file.
  void Advance(size_t reader, const File& file, uint64_t to);

  uint8_t* const memory_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable bytes_;
  std::map<uint32_t, File> files_;  // that some reader has not left
  uint32_t writing_ = 0;            // the file
  std::vector<uint64_t> passed_;    // by reader
  uint64_t head_ = 0;
  size_t num_waiting_ = 0;
  size_t num_attached_;
  bool writer_waits_ = false;
  bool closed_ = false;
};

}  // namespace vedette
