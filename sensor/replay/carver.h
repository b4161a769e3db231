// Writes the flows that matched as separate captures: a second walk over the capture, by one thread.
//
// The walk sees what the first one saw: the same frames, filter and times, decoded the same way, so that the result
// does not depend on the number of workers. If the capture holds fragments, an earlier walk finds out which
// of them belong to the flows (FragmentPlan). Memory: about a kilobyte per flow, and the bounds of CarveFiles and
// FragmentPlan.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/capture/frame.h"
#include "sensor/capture/packet_filter.h"
#include "sensor/replay/carve_sink.h"

namespace vedette {

struct CarveInput {
  // Opens the capture again, from this file on.
  std::function<std::unique_ptr<CaptureSource>(uint32_t first_file)> open;
  std::function<std::string_view(uint32_t file)> file_name;
  std::vector<CaptureDamage> damage;  // found by the first walk: any other damage shows that a file has changed since
  PacketFilter* filter = nullptr;     // nullptr: all
  uint64_t since_ns = 0, until_ns = UINT64_MAX;
  bool fragments = true;  // false: the capture is known to hold none
  // Called several times a second. May be empty.
  std::function<void(const CaptureCounters&, uint64_t packets_written)> on_progress;
};

struct CarveReport {
  uint64_t flows = 0, files = 0;
  uint64_t packets = 0, bytes = 0;  // written; bytes as on the wire
  uint64_t fragments_left_out = 0;  // beyond FragmentPlan::kMaxEntries
  uint64_t times_beyond_pcap = 0;   // packets from after 2106-02-07, which pcap cannot express: written with that time
  uint64_t packets_cut = 0;         // longer than readers accept; see CarveFiles::kLargestPacket
  std::string error;                // not empty: not everything could be written; says what to do
};

// `folder` is prepared (carve_folder.h). `flows` in the order of their first packet. `stop` ends it early, as a
// failure.
CarveReport Carve(const std::vector<CarvedFlow>& flows, const std::string& folder, const CarveInput& input,
                  const std::atomic<bool>& stop);

}  // namespace vedette
