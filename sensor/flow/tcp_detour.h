// What a TcpHalf keeps of a direction that is not all in order. Included by the half's own files only.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sensor/flow/recent_segments.h"
#include "sensor/flow/segment_queue.h"
#include "sensor/flow/tcp_half.h"

namespace vedette {

// What is kept of a place while the stream is at another one.
struct TcpHalf::Place {
  uint32_t next = 0;
  uint32_t run_begin = 0;  // everything from here to `next` was seen
  uint32_t gap = 0;
  bool passed_any = false, started = false;
  SegmentQueue held;
  std::vector<SegmentQueue::Segment> other_copies;  // see Detour
};

struct TcpHalf::Candidate {
  Place place;             // `next` holds where was_place; else the stream begins at the first that waits
  bool was_place = false;  // what comes there goes on where the stream stopped
  bool from_syn = false;
  bool peer_spoke = false;                                // the peer acknowledged something else since it was opened
  uint8_t acknowledgments = 0, segments = 0, strays = 0;  // in a row
  uint32_t begin = 0;                                     // of what waits
  uint32_t anchor = 0;                                    // where it was opened
  uint32_t run_begin = 0, run_end = 0;                    // of the segments in a row
  uint64_t run_since_ns = 0;

  explicit Candidate(uint32_t sequence) : begin(sequence), anchor(sequence), run_begin(sequence), run_end(sequence) {}

  // Evidence that a few strays must not take away.
  bool HasEvidence() const { return was_place || from_syn || acknowledgments != 0 || segments > 1; }
};

struct TcpHalf::Detour {
  SegmentQueue held;                                // ahead of the place
  std::vector<SegmentQueue::Segment> other_copies;  // that differ from what is held, or was held and is doubted
  uint32_t run_begin = 0;                           // everything from here to the place was seen
  uint8_t padding = 0;                              // zero bytes at the place that may be no data
  bool checked = false;                             // the checksum of data at its place was right
  bool peer_spoke = false;                          // since the first of `held` came
  bool copies_held = false;                         // what was passed differs from what is held …
  bool doubts_held = false;                         // … and from that which goes on behind the place
  bool lost_any = false;                            // a hole was acknowledged
  bool syn_pending = false;
  uint32_t hole_begin = 0, hole_bytes = 0;  // the last hole that was acknowledged …
  uint32_t hole_unseen = 0;                 // … and how much of it counts as lost
  uint32_t syn_place = 0;                   // behind a SYN that came in the stream
  std::unique_ptr<RecentSegments> recent;
  std::unique_ptr<Candidate> candidate;

  void Remember(TcpCounters& counters) {
    recent = std::make_unique<RecentSegments>();
    counters.detour_bytes += sizeof(RecentSegments);
  }
};

inline uint32_t EndOf(const TcpSegment& segment) {
  return segment.sequence + static_cast<uint32_t>(segment.payload.size()) + segment.missing_bytes;
}

}  // namespace vedette
