// The sensor's test of itself: a packet with a planted indicator goes the whole way, from the capture to a subscriber
// of the feed, and its alert is waited for.
//
//   frame ──► capture source or interface ──► worker ──► exporter ──► feed ══CURVE, loopback══► listener
//             taken?                            matched, seen by CanaryWatch?   published?       arrived
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exporter/feed/feed_sink.h"
#include "exporter/feed/keys.h"
#include "exporter/metrics/figures.h"
#include "exporter/output/canary_watch.h"
#include "sensor/capture/injecting_source.h"
#include "sensor/capture/live/frame_sender.h"
#include "sensor/config/config.h"
#include "sensor/live/log.h"

namespace vedette {

class CanaryRunner : public FigureSource {
 public:
  // The sensor's other parts, which outlive the runner.
  struct Parts {
    CanaryWatch* watch = nullptr;
    std::vector<InjectingSource*> sources;  // in turn …
    std::vector<FrameSender*> wires;        // … unless there are some: then it is sent, on each in turn
    // nullptr: there is no feed, and the canary has arrived when the exporter has it.
    const FeedSink* feed = nullptr;
    std::string endpoint;           // as the feed is bound
    std::string server_public_key;  // of the feed
    KeyPair keys;                   // of the canary's view
    Log* log = nullptr;
  };
  // Its threads listen, and send a canary at once and then every `config.interval`.
  CanaryRunner(Parts parts, const CanaryConfig& config);
  ~CanaryRunner() { Stop(); }
  // Ends its threads: none is sent, or missed, from here on. What is known stays. Twice is once.
  void Stop();
  CanaryRunner(const CanaryRunner&) = delete;
  CanaryRunner& operator=(const CanaryRunner&) = delete;

  struct Outcome {
    uint64_t number = 0;  // from 1 on; 0: none yet
    bool running = false;
    bool arrived = false;
    std::string name;             // what was asked for
    std::string missing;          // where it was lost and what to do, unless it arrived
    double seconds = 0;           // from the packet to the feed's other end
    double exporter_seconds = 0;  // … to the exporter; 0 where it did not get there
  };
  // Any thread. The number of the canary that this request sends, or joins where one waits already.
  uint64_t Request();
  Outcome last() const;
  void AppendFigures(Figures& out) const override;

 private:
  using Clock = std::chrono::steady_clock;
  void Work();
  void Listen();
  Outcome SendOne(uint64_t number);
  bool Inject(const Canary& canary, std::string& error);
  std::string WhereLost(uint64_t taken_before, uint64_t published_before) const;
  uint64_t Taken() const;
  bool Wait(std::unique_lock<std::mutex>& lock, Clock::time_point until, const bool& condition);

  const Parts parts_;
  const CanaryConfig config_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // of all that follows
  std::condition_variable wake_;
  bool joined_ = false;        // the listener receives its view
  std::string listener_said_;  // the last event of its connection
  std::string awaited_;        // the name that is to come; empty: it came, or none is awaited
  bool arrived_ = false;
  uint64_t requested_ = 0;
  Outcome last_;
  double last_seconds_ = 0;
  uint64_t sent_ = 0, num_arrived_ = 0, missed_ = 0;
  bool failing_ = false;   // the last one that ended was missed
  size_t next_place_ = 0;  // the worker thread's: of the sources, or wires
  std::thread worker_, listener_;
};

// Where a listener in the same machine reaches what is bound at `endpoint`: tcp://0.0.0.0:5577 by tcp://127.0.0.1:5577.
std::string LoopbackOf(const std::string& endpoint);

}  // namespace vedette
