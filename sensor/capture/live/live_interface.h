// Packets from a network interface, through libpcap (on Linux: AF_PACKET with a ring shared with the kernel).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sensor/capture/frame.h"
#include "sensor/capture/live/live_source.h"

struct pcap;
struct pcap_pkthdr;

namespace vedette {

// One thread polls; any thread, and a signal handler, may call Stop.
//
// Where the interface goes down, it is idle until it is up again; where it is removed, until Rebind.
//
// The kernel reuses its buffers while a burst is being read, so each burst is copied. Measured: 4 ns for a packet
// of 490 bytes that is in the cache; the wait for memory would otherwise fall to the decoder.
class LiveInterface final : public LiveSource {
 public:
  struct Options {
    std::string interface;
    uint32_t file = 0;                  // its place in the sensor's list
    std::string filter;                 // pcap-filter(7); empty: everything
    bool promiscuous = true;            // a sensor wants packets that are not addressed to it
    bool ignore_outgoing = false;       // what this host sends over it is not captured
    uint32_t snap_length = 262144;      // whole packets, also those that the network card has merged
    uint32_t buffer_bytes = 64u << 20;  // the kernel's: half a second at 1 Gbit/s while workers are busy
    uint32_t timeout_ms = 20;           // how long the kernel gathers packets, and the longest Poll waits
  };

  // Null, with `error` saying what is wrong and what to do. Needs CAP_NET_RAW; afterwards no privilege is needed.
  static std::unique_ptr<LiveInterface> Open(const Options& options, std::string& error);
  ~LiveInterface() override;

  // kIdle if nothing came within the timeout. kEnd after Stop, or where libpcap cannot go on: see error().
  PollStatus Poll(std::span<const Frame>& frames) override;
  PollStatus PollNow(std::span<const Frame>& frames) override;
  int descriptor() const override;
  // The kernel hands a block over when it is full, or after the timeout; some more for a busy machine.
  uint64_t delay_ns() const override { return uint64_t{options_.timeout_ms + kSlackMs} * 1'000'000; }
  uint32_t file() const override { return options_.file; }
  void GoOnFrom(const CaptureCounters& before) override;
  // Of what is a network interface; of libpcap's other kinds nothing has a number.
  bool Rebind(unsigned interface_index) override;
  bool Drain() override;
  std::string_view FileName(uint32_t) const override { return options_.interface; }
  CaptureCounters counters() const override;
  // One entry, without an offset, when it failed.
  std::span<const CaptureDamage> damage() const override { return damage_; }

  void Stop();

  uint16_t link_type() const { return link_type_; }
  // Not empty: what libpcap warned of when it opened the interface, such as no promiscuous mode.
  const std::string& warning() const { return warning_; }
  // Not empty after an end without Stop.
  const std::string& error() const { return error_; }

  static constexpr uint32_t kSlackMs = 5;
  // The largest snap length; libpcap allows no more.
  static constexpr uint32_t kMaxSnapLength = 262144;

 private:
  explicit LiveInterface(const Options& options) : options_(options) {}
  bool Activate(std::string& error);
  bool SetFilter(std::string& error);
  void Keep(const pcap_pkthdr& header, const uint8_t* bytes);
  static void OnPacket(unsigned char* self, const pcap_pkthdr* header, const unsigned char* bytes);
  // Whether the packet socket's interface is down or was removed, and libpcap's complaint is about that.
  bool IsAway() const;
  PollStatus Fail(std::string reason);
  void UpdateStatistics() const;
  PollStatus PollWaiting(std::span<const Frame>& frames);

  const Options options_;
  pcap* handle_ = nullptr;
  int stop_event_ = -1;
  std::atomic<bool> stopping_{false};
  bool draining_ = false;
  uint64_t drain_until_ = 0;  // number of the last frame that the kernel had counted when the run was to end
  bool nanoseconds_ = false;
  uint16_t link_type_ = 0;
  std::string warning_;
  std::string error_;
  std::vector<CaptureDamage> damage_;

  // Room for a burst of packets of the largest size; only what is used is ever touched.
  std::unique_ptr<uint8_t[]> burst_bytes_;
  size_t burst_used_ = 0;
  size_t num_frames_ = 0;
  std::array<Frame, kBurst> frames_;
  CaptureCounters counters_;
  uint64_t frames_before_ = 0;  // of sources that this one took the place of

  // libpcap counts in 32 bits, which a busy link fills in an hour.
  mutable uint32_t last_drop_ = 0, last_ifdrop_ = 0;
  mutable uint64_t dropped_by_kernel_ = 0, dropped_by_interface_ = 0;
};

}  // namespace vedette
