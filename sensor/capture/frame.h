// Where packets come from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "parsers/base/bytes.h"
#include "parsers/base/counter.h"

namespace vedette {

// One captured packet. The bytes belong to the source and are valid until its next Poll.
struct Frame {
  const uint8_t* data = nullptr;
  uint32_t captured_bytes = 0;
  uint32_t wire_bytes = 0;  // what was on the wire; more than captured where a snap length cut it
  uint64_t time_ns = 0;     // since 1970
  uint64_t number = 0;      // in its file, from 1 on (pcap_cnt); on an interface since the start
  uint32_t file = 0;        // index into CaptureSource::FileName
  uint16_t link_type = 0;   // LINKTYPE_ of the registry at tcpdump.org
  uint16_t interface = 0;   // pcapng interface id within its section

  Bytes bytes() const { return {data, captured_bytes}; }
};

enum class PollStatus : uint8_t {
  kFrames,   // some frames
  kIdle,     // none just now (live only)
  kWaiting,  // none just now, from a stream or a followed path: packet time stands still
  kWorking,  // none yet: what was read so far held no packets, and there is more; poll again at once
  kEnd,      // no more
};

// Damage in a file: everything before it was used.
struct CaptureDamage {
  std::string file;
  uint64_t offset = 0;        // bytes from the start of the file
  bool decompressed = false;  // … in its decompressed content
  std::string reason;         // "packet header says 4294967295 bytes; the largest possible is 262144"
};

namespace families {

inline constexpr FigureFamily kPacketsDropped = {"vedette_packets_dropped_total", FigureKind::kCounter,
                                                 "packets lost before they were looked at, by cause", "cause", true};

}  // namespace families

struct CaptureCounters {
  uint64_t frames = 0;
  uint64_t captured_bytes = 0;
  uint64_t wire_bytes = 0;
  uint64_t dropped_by_kernel = 0;     // live
  uint64_t dropped_by_interface = 0;  // live
  uint64_t total_input_bytes = 0;     // 0 where unknown: live, a pipe, what is followed
  uint64_t input_bytes_read = 0;

  static constexpr auto Counters() {
    using C = CaptureCounters;
    constexpr auto kShared = CounterSum::kAddUnlessShared;
    return CounterTable(
        Count(&C::frames, "frames that were read").Sum(kShared),
        Count(&C::captured_bytes, "bytes of frames in the capture").Sum(kShared),
        Count(&C::wire_bytes, "bytes of frames on the wire").Sum(kShared),
        Count(&C::dropped_by_kernel, families::kPacketsDropped, "kernel", "no room in the capture's buffer")
            .Sum(kShared),
        Count(&C::dropped_by_interface, families::kPacketsDropped, "interface", "lost by the network card")
            .Sum(kShared),
        Count(&C::total_input_bytes, "size of all files on disk").Sum(kShared),
        Count(&C::input_bytes_read, "how far the files have been read, for the progress bar").Sum(kShared));
  }
};

// One thread uses a source. Nothing throws.
class CaptureSource {
 public:
  virtual ~CaptureSource() = default;
  // Up to `kBurst` frames; they are valid until the next call. Always returns soon: callers check for a stop and
  // show progress between two calls.
  virtual PollStatus Poll(std::span<const Frame>& frames) = 0;
  // The run is to end. Live: Poll returns what the kernel has counted until now, then kEnd, so that every received
  // packet is accounted for. False if nothing waits that could get lost: do not poll again.
  virtual bool Drain() { return false; }
  // Path as the user gave it (or below the directory given), or the interface's name.
  virtual std::string_view FileName(uint32_t file) const = 0;
  virtual CaptureCounters counters() const = 0;
  virtual std::span<const CaptureDamage> damage() const = 0;

  static constexpr size_t kBurst = 32;  // enough to hide a cache miss each, few enough to stay in the first-level cache
};

}  // namespace vedette
