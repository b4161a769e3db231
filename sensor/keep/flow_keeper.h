// Keeps the packets of a lane's flows with alerts: what the lane saw last stands in a ring; once the exporter asks for a
// flow, its packets are taken out of the ring and handed to the thread that writes, and what follows of it too.
//
//   packets ─► ring ──┐ request for a flow                     lane's thread
//                     ▼                                    ────────────────────
//           packets of the flow, then those that come ─► queue ─► thread that writes
//
// Between an alert and the request for its flow, which comes by way of the exporter (mutes and canaries are taken out
// there), nothing of the flow is passed over: the matcher says at once that the flow alerted (Expect).
//
// Calls are of the lane's thread where nothing else is said. Nothing here waits.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/metrics/published.h"
#include "parsers/base/address.h"
#include "sensor/decode/packet.h"
#include "sensor/flow/flow.h"
#include "sensor/keep/keep_counters.h"
#include "sensor/keep/kept_queue.h"
#include "sensor/keep/recent_packets.h"

namespace vedette {

// What a keeper knows a flow by, either way round: its first packet and its ports. Never 0 for a flow that is there.
inline uint64_t KeepKeyOf(uint64_t first_packet, uint16_t port, uint16_t other_port) {
  return Mix64((first_packet + 1) ^ (uint64_t{port} + other_port) << 47);
}

class FlowKeeper {
 public:
  static constexpr uint32_t kLargestPacket = 262'144;  // the most that libpcap reads
  struct Options {
    size_t ring_bytes = size_t{64} << 20;
    uint32_t packet_bytes = kLargestPacket;  // of one packet
    // Of one flow, headers not counted; half of it at most before its alert.
    uint64_t flow_bytes = uint64_t{4} << 20;
    uint64_t flow_packets = 10'000;
  };
  // Flows with alerts that go on, at once. Those beyond are kept up to their alert.
  static constexpr size_t kMaxWatched = 65'536;
  // Requests that wait for the lane. It serves them between two bursts.
  static constexpr size_t kMaxRequests = 4096;
  // A flow that has less than this left is full; see Options::flow_bytes.
  static constexpr uint64_t kLeastLeft = uint64_t{16} << 10;
  // Copied from the ring between two bursts at most, some 50 us, and one packet over it.
  static constexpr uint64_t kServeBytes = uint64_t{256} << 10;
  // Of a flow that is passed over because nothing more can be learned of it (Flow::bypass): so many packets are held all
  // the same, for the alert may stand in the batch of this very burst.
  static constexpr uint64_t kHeldOfBypassed = CaptureSource::kBurst;

  // nullptr with an error: no memory.
  static std::unique_ptr<FlowKeeper> Make(uint32_t lane, const Options& options, std::string& error);
  FlowKeeper(const FlowKeeper&) = delete;
  FlowKeeper& operator=(const FlowKeeper&) = delete;

  // A packet of the flow, which has counted it.
  void Add(const Flow& flow, const Packet& packet);
  // A frame that is a fragment, whatever became of it; before Add of the packet that it completes.
  void AddFragment(const Frame& frame, const Packet& packet);
  // An alert of the flow is out. True the first time.
  bool Expect(uint64_t key);
  // It has ended; only of flows that were expected.
  void End(uint64_t key);
  // Between two bursts.
  void Serve() {
    if (requests_tail_.load(std::memory_order_acquire) != requests_head_.load(std::memory_order_relaxed) || job_ ||
        dirty_) [[unlikely]] {
      ServeSome();
    }
  }
  // The lane adds no more; any one thread may call Serve from here on.
  void Ended() { ended_.store(true, std::memory_order_release); }

  uint32_t lane() const { return lane_; }
  // Any thread.
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  KeeperCounters counters() const { return published_.Read(); }

  // Exporter. Keep this flow, in the file of that number. False: too many wait.
  bool Request(uint64_t key, uint64_t flow_id, uint64_t file) { return Push({key, flow_id, file}); }
  // Exporter: no later request is for a file before that one. False: ask again.
  bool RequestBarrier(uint64_t file) { return Push({0, 0, file}); }
  // Whether all requests have been served; where no more come.
  bool Served() const { return !job_ && requests_head_.load() == requests_tail_.load(); }

  // The thread that writes, as consumer.
  KeptQueue& queue() { return queue_; }

 private:
  struct Asked {
    uint64_t key = 0;  // 0: a barrier
    uint64_t flow_id = 0;
    uint64_t file = 0;
  };
  // How far a flow that is kept has come, and how much more may come.
  struct Course {
    uint64_t flow_id = 0, file = 0;
    uint64_t next_ordinal = 1;  // of the packet that comes next, where none is missing
    uint64_t missing = 0;       // since the one that was handed over last
    uint64_t bytes_left = 0, packets_left = 0;
    bool begun = false;
  };
  enum class State : uint8_t {
    kExpected,  // its packets stand in the ring, and nobody has asked for it
    kAsked,     // … and the job takes them out
    kFollowed,  // what comes goes to the queue
    kFull,      // its bounds are reached
  };
  struct Watched {
    State state = State::kExpected;
    Course course;
  };
  // A request at work: first all of the flow that stands in the ring, then what has come meanwhile, until nothing has.
  struct Job {
    Asked asked;
    Course course;
    std::vector<RecentPackets::Position> list;  // oldest first
    size_t next = 0;                            // in it
    RecentPackets::Position listed_to = 0;
    bool full = false;
  };
  enum class Handed : uint8_t { kYes, kNoRoom, kFull };

  FlowKeeper(uint32_t lane, const Options& options, std::unique_ptr<RecentPackets> ring);
  bool Push(const Asked& asked);
  bool TakeRequest(Asked& asked);
  void ServeSome();
  void Begin(const Asked& asked);
  // False: not done yet.
  bool Run(uint64_t& budget);
  void List();
  void Finish();
  void CountOrdinal(Course& course, uint64_t ordinal);
  Handed Hand(Course& course, const RecentPackets::Record& record, Bytes bytes, bool from_ring);
  void Follow(Watched& watched, const Flow& flow, const Packet& packet);
  void HandLive(Watched& watched, const RecentPackets::Record& record, Bytes bytes);
  void Publish();

  const uint32_t lane_;
  const Options options_;
  const std::unique_ptr<RecentPackets> ring_;
  KeptQueue queue_;
  std::unordered_map<uint64_t, Watched> watched_;  // by key
  std::optional<Job> job_;
  KeeperCounters counters_;
  bool dirty_ = true;  // counters that are not published
  std::chrono::steady_clock::time_point published_at_{};
  Published<KeeperCounters> published_;
  std::vector<Asked> requests_;
  std::atomic<bool> ended_{false};
  alignas(64) std::atomic<size_t> requests_head_{0};
  alignas(64) std::atomic<size_t> requests_tail_{0};
};

}  // namespace vedette
