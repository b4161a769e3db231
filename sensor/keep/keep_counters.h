// What is counted of packets that are kept. Each struct is counted by one thread, which publishes copies.
#pragma once

#include <cstdint>

#include "exporter/metrics/families.h"
#include "parsers/base/counter.h"

namespace vedette {

namespace families {

inline constexpr FigureFamily kKeptFlows = {"vedette_kept_flows_total", FigureKind::kCounter,
                                            "flows with alerts whose packets are kept (`capture: keep`), by outcome",
                                            "outcome"};
inline constexpr FigureFamily kKeptPackets = {"vedette_kept_packets_total", FigureKind::kCounter,
                                              "packets of these flows that were written", ""};
inline constexpr FigureFamily kKeptBytes = {"vedette_kept_bytes_total", FigureKind::kCounter,
                                            "bytes of these packets, as captured", ""};
inline constexpr FigureFamily kKeptLost = {"vedette_kept_packets_lost_total", FigureKind::kCounter,
                                           "packets of these flows that are not in the files, by cause", "cause"};
inline constexpr FigureFamily kKeptFilesRemoved = {"vedette_kept_files_removed_total", FigureKind::kCounter,
                                                   "oldest files that were removed for the quota", ""};
inline constexpr FigureFamily kKeptFolder = {"vedette_kept_folder_bytes", FigureKind::kGauge,
                                             "size of the files that are kept", ""};
inline constexpr FigureFamily kKeepFailing = {"vedette_keep_failing", FigureKind::kGauge,
                                              "1 while packets of flows with alerts cannot be written", ""};

}  // namespace families

// Of a lane.
struct KeeperCounters {
  uint64_t flows = 0;         // whose packets were handed over
  uint64_t not_followed = 0;  // of these: more than FlowKeeper::kMaxWatched at once; what follows is not kept
  uint64_t lost_before = 0;   // before the first that is kept: the ring, or half of a bound, held no more
  uint64_t lost_between = 0;  // after it: overrun while it waited, or passed over before the alert
  uint64_t lost_queue = 0;    // the writer was too slow
  uint64_t lost_bound = 0;    // beyond the flow's bounds
  uint64_t memory_bytes = 0;  // ring, index and queue

  static constexpr auto Counters() {
    using namespace families;
    using C = KeeperCounters;
    return CounterTable(
        Count(&C::flows, kKeptFlows, "kept", "flows"),
        Count(&C::not_followed, kKeptFlows, "not_followed", "of these: too many at once, kept up to their alert only"),
        Count(&C::lost_before, kKeptLost, "before", "before the first that is kept, and no longer held"),
        Count(&C::lost_between, kKeptLost, "between", "overrun while they waited, or passed over before the alert"),
        Count(&C::lost_queue, kKeptLost, "queue_full", "the writer was too slow"),
        Count(&C::lost_bound, kKeptLost, "flow_bound", "beyond what is kept of one flow"),
        Count(&C::memory_bytes, kMemory, "keep", "packets that may have to be kept"));
  }
};

// Of the thread that writes.
struct KeptFilesCounters {
  uint64_t packets = 0, bytes = 0;
  uint64_t lost_disk = 0;   // they could not be written
  uint64_t lost_quota = 0;  // nothing was left to remove
  uint64_t removed = 0;     // files
  uint64_t folder_bytes = 0;
  uint64_t failing = 0;

  static constexpr auto Counters() {
    using namespace families;
    using C = KeptFilesCounters;
    return CounterTable(Count(&C::packets, kKeptPackets), Count(&C::bytes, kKeptBytes),
                        Count(&C::lost_disk, kKeptLost, "disk", "they could not be written"),
                        Count(&C::lost_quota, kKeptLost, "quota", "the quota had no room, and no older file was left"),
                        Count(&C::removed, kKeptFilesRemoved), Count(&C::folder_bytes, kKeptFolder),
                        Count(&C::failing, kKeepFailing));
  }
};

// Of the exporter.
struct KeepSinkCounters {
  uint64_t refused = 0;

  static constexpr auto Counters() {
    using C = KeepSinkCounters;
    return CounterTable(Count(&C::refused, families::kKeptFlows, "refused", "too many alerts at once: not kept"));
  }
};

}  // namespace vedette
