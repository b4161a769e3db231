// The files that kept packets are written to: pcapng that rotate by size and age, within a quota for all of them.
//
//   FOLDER/vedette-20261130T143204Z-000001.pcapng          START: when this process opened the folder
//   FOLDER/vedette-20261130T143204Z-000002.pcapng          NUMBER: from 1 on
//   FOLDER/vedette-20261130T143204Z-000002.link-113.pcapng the packets of another link type, where interfaces differ:
//                                                          tcpdump reads files of one link type only
//
// A flow begins in the file that its alert names; what of it comes after a rotation is in the files that follow. So the
// file before the newest stays open until nothing begins in it any more (Barrier).
//
// Files of other names in the folder are neither counted nor removed. One process has the folder at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/metrics/published.h"
#include "parsers/base/bytes.h"
#include "sensor/keep/keep_counters.h"
#include "sensor/keep/kept_packet.h"

namespace vedette {

// One thread, but for what says otherwise.
class KeptFiles {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Options {
    std::string folder;
    uint64_t quota_bytes = uint64_t{1} << 30;
    uint64_t file_bytes = uint64_t{64} << 20;  // at most half of the quota
    std::chrono::seconds file_age{3600};
    std::vector<std::string> interfaces;                              // names, by KeptPacket::interface
    std::function<void(std::string_view text, bool is_problem)> log;  // may be empty
  };
  static constexpr size_t kBufferBytes = size_t{256} << 10;  // written at once
  static constexpr std::chrono::seconds kFlushInterval{1};   // by when a packet is in its file
  static constexpr std::chrono::seconds kRetryInterval{1};   // after a failure

  // nullptr with an error: the folder cannot be used.
  static std::unique_ptr<KeptFiles> Open(Options options, std::string& error);
  ~KeptFiles();
  KeptFiles(const KeptFiles&) = delete;
  KeptFiles& operator=(const KeptFiles&) = delete;

  // Any thread: the file in which flows begin from now on, and what it is called.
  uint64_t newest() const { return newest_.load(std::memory_order_acquire); }
  std::string NameOf(uint64_t number) const;
  KeptFilesCounters counters() const { return published_.Read(); }

  // Of a packet that begins a flow or comes from the ring, `packet.file` says the file; else it is the newest. What
  // cannot be written is counted.
  void Write(const KeptPacket& packet, Bytes bytes, Time now);
  // Several times a second: what is due by the clock.
  void Tick(Time now);
  // No flow begins in a file before this one any more.
  void Barrier(uint64_t number);
  // Whatever waits is written.
  void Close(Time now);

 private:
  // A file of one link type.
  struct Part {
    std::string name;
    int descriptor = -1;
    uint64_t bytes = 0;                      // on disk
    std::string buffer;                      // not yet
    uint64_t packets = 0, packet_bytes = 0;  // in the buffer
    uint64_t inode = 0, device = 0;
    bool has_section = false;
    std::map<uint32_t, uint32_t> interfaces;  // their numbers in the section
  };
  struct File {
    uint64_t number = 0;
    Time opened{};
    std::map<uint16_t, Part> parts;  // by link type
    uint64_t bytes = 0;              // of all parts, with what is in buffers
  };
  struct OldFile {
    std::string name;
    uint64_t bytes = 0;
    int64_t modified_ns = 0;
  };

  explicit KeptFiles(Options options) : options_(std::move(options)) {}
  bool LockFolder(std::string& error);
  void Scan();
  File& FileOf(const KeptPacket& packet, Time now);
  Part& PartOf(File& file, uint16_t link_type);
  std::string CommentOf(const KeptPacket& packet);
  void Flush(File& file, Part& part, Time now);
  bool OpenPart(Part& part);
  bool WriteAll(Part& part);
  bool MakeRoom(uint64_t num_bytes);
  void DropBuffer(Part& part, uint64_t& lost);
  void FlushAll(Time now);
  void Rotate(Time now);
  void CloseFile(File& file, Time now);
  void LeaveMoved(File& file);
  static void Recount(File& file);
  bool HasSpace();
  void Works();
  void Failed(const std::string& what, Time now);
  void Publish();
  std::string PathOf(const std::string& name) const { return options_.folder + '/' + name; }

  Options options_;
  std::string start_;  // "20261130T143204Z"
  int folder_ = -1;
  std::atomic<uint64_t> newest_{1};
  std::deque<File> open_;  // by number; at most two
  uint64_t barrier_ = 1;
  std::deque<OldFile> old_;  // the oldest first
  uint64_t old_bytes_ = 0;
  Time flushed_at_{}, failed_at_{};
  bool failing_ = false;
  uint64_t lost_since_ = 0;  // packets that could not be written since the last one that was
  KeptFilesCounters counters_;
  Published<KeptFilesCounters> published_;
};

}  // namespace vedette
