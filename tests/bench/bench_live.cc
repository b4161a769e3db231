// bench_live [RATE] [SECONDS] [ROUNDS]
//
// Live capture over a veth pair in a network namespace of its own. Needs root. Two tables:
//
//   cost     by back end and size: thread CPU per packet of whoever reads (the wait, the source, and three cache lines of
//            each packet), at RATE packets a second, alternating, medians over ROUNDS; and sent = received + dropped
//   latency  from the sender's stamp, which is in the payload, to the alert in the exporter's hands: a whole lane, with
//            RATE packets a second of other traffic beside
//
// Defaults: 100,000 packets a second, 3 s, 3 rounds.
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/alert/export_loop.h"
#include "exporter/policy/alert_policy.h"
#include "sensor/capture/live/live_interface.h"
#include "sensor/capture/live/live_sources.h"
#include "sensor/capture/live/packet/packet_queue.h"
#include "sensor/pipeline/matching_lane.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/setup/inputs.h"

namespace vedette::bench {
namespace {

constexpr size_t kBatch = 32;  // of one sendmmsg
constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

uint64_t ClockNs(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNanosecondsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

// UDP over IPv4 and Ethernet. Pairs of hosts as many as `n` goes round.
std::vector<uint8_t> UdpFrame(uint32_t n, uint16_t port, std::vector<uint8_t> payload) {
  const auto ip_bytes = static_cast<uint16_t>(28 + payload.size()),
             udp_bytes = static_cast<uint16_t>(8 + payload.size());
  const auto high = [](uint32_t value) { return static_cast<uint8_t>(value >> 8); };
  const auto low = [](uint32_t value) { return static_cast<uint8_t>(value); };
  std::vector<uint8_t> frame = {2,
                                0,
                                0,
                                0,
                                0,
                                2,
                                2,
                                0,
                                0,
                                0,
                                0,
                                1,
                                8,
                                0,
                                0x45,
                                0,
                                high(ip_bytes),
                                low(ip_bytes),
                                0,
                                0,
                                0,
                                0,
                                64,
                                17,
                                0,
                                0,
                                10,
                                1,
                                high(n),
                                low(n),
                                10,
                                2,
                                high(n),
                                low(n),
                                high(n + 1024),
                                low(n + 1024),
                                high(port),
                                low(port),
                                high(udp_bytes),
                                low(udp_bytes),
                                0,
                                0};
  for (const uint8_t byte : payload) frame.push_back(byte);
  return frame;
}

// A question for t<stamp>.listed.example; the stamp, 16 digits, begins at kStampAt.
constexpr size_t kStampAt = 42 + 12 + 2;
std::vector<uint8_t> StampedQuery(uint32_t n) {
  std::vector<uint8_t> query = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 17, 't'};
  query.insert(query.end(), 16, '0');
  for (const char* label : {"listed", "example"}) {
    query.push_back(static_cast<uint8_t>(std::strlen(label)));
    query.insert(query.end(), label, label + std::strlen(label));
  }
  for (const uint8_t byte : {0, 0, 1, 0, 1}) query.push_back(byte);
  return UdpFrame(n, 53, std::move(query));
}

// Sends on the far end at a rate, in its own thread, until it is told to stop.
class Sender {
 public:
  // `stamped`: so many of them a second are questions with a stamp.
  Sender(uint32_t rate, size_t payload_bytes, uint32_t stamped) : rate_(rate), stamped_(stamped) {
    for (uint32_t n = 0; n < 4096; ++n) {
      const size_t bytes = payload_bytes != 0 ? payload_bytes : (n % 3 == 0 ? 1400 : n % 3 == 1 ? 18 : 300);
      frames_.push_back(UdpFrame(n, 4000, std::vector<uint8_t>(bytes, static_cast<uint8_t>(n))));
    }
    socket_ = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex("bn1"));
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::perror("bind");
    thread_ = std::thread([this] { Run(); });
  }
  // How many the kernel took.
  uint64_t Stop() {
    stop_.store(true);
    thread_.join();
    close(socket_);
    return sent_;
  }

 private:
  void SendStamped() {
    std::vector<uint8_t> query = StampedQuery(num_stamped_++ % 30'000);
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(ClockNs(CLOCK_REALTIME)));
    std::memcpy(query.data() + kStampAt, text, 16);
    sent_ += send(socket_, query.data(), query.size(), 0) > 0 ? 1 : 0;
  }
  void Run() {
    mmsghdr messages[kBatch] = {};
    iovec parts[kBatch];
    const uint64_t begin = ClockNs(CLOCK_MONOTONIC);
    uint64_t due_stamped = 0;
    for (size_t next = 0; !stop_.load(std::memory_order_relaxed);) {
      const uint64_t passed = ClockNs(CLOCK_MONOTONIC) - begin;
      if (passed * stamped_ / kNanosecondsPerSecond > due_stamped) {
        ++due_stamped;
        SendStamped();
      }
      if (sent_ > passed * rate_ / kNanosecondsPerSecond) {
        const timespec moment{0, 50'000};
        nanosleep(&moment, nullptr);
        continue;
      }
      for (size_t i = 0; i < kBatch; ++i) {
        std::vector<uint8_t>& frame = frames_[next++ % frames_.size()];
        parts[i] = {frame.data(), frame.size()};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
      }
      const int taken = sendmmsg(socket_, messages, kBatch, 0);
      if (taken > 0) sent_ += static_cast<uint64_t>(taken);
    }
  }

  const uint32_t rate_, stamped_;
  std::vector<std::vector<uint8_t>> frames_;
  int socket_ = -1;
  std::atomic<bool> stop_{false};
  uint64_t sent_ = 0;  // the thread's until it is joined
  uint32_t num_stamped_ = 0;
  std::thread thread_;
};

enum class Backend { kLibpcap, kV3, kV2 };
constexpr std::pair<Backend, const char*> kBackends[] = {
    {Backend::kLibpcap, "libpcap"}, {Backend::kV3, "af_packet"}, {Backend::kV2, "af_packet, low"}};

std::unique_ptr<CaptureSource> OpenSource(Backend backend) {
  std::vector<std::unique_ptr<LiveSource>> sources;
  std::string error;
  if (backend == Backend::kLibpcap) {
    LiveInterface::Options options;
    options.interface = "bn0";
    sources.push_back(LiveInterface::Open(options, error));
  } else {
    PacketQueueOptions options;
    options.interface = "bn0";
    options.low_latency = backend == Backend::kV2;
    OpenFailure failure;
    for (auto& queue : PacketQueue::Open(options, 1, failure)) sources.push_back(std::move(queue));
    error = failure.text;
  }
  if (sources.empty() || sources[0] == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    std::exit(1);
  }
  return std::make_unique<LiveSources>(std::move(sources));
}

struct Cost {
  double ns_per_packet = 0;
  uint64_t sent = 0, received = 0, dropped = 0;
};

Cost MeasureCost(Backend backend, uint32_t rate, size_t payload_bytes, double seconds) {
  const std::unique_ptr<CaptureSource> source = OpenSource(backend);
  Sender sender(rate, payload_bytes, 0);
  Cost cost;
  uint64_t sum = 0;
  const auto take = [&](std::span<const Frame> frames) {
    for (const Frame& frame : frames) {
      for (uint32_t at = 0; at < std::min(frame.captured_bytes, 192u); at += 64) sum += frame.data[at];
    }
    cost.received += frames.size();
  };
  std::span<const Frame> frames;
  const uint64_t until = ClockNs(CLOCK_MONOTONIC) + static_cast<uint64_t>(seconds * 1e9);
  const uint64_t before = ClockNs(CLOCK_THREAD_CPUTIME_ID);
  while (ClockNs(CLOCK_MONOTONIC) < until) {
    if (source->Poll(frames) == PollStatus::kFrames) take(frames);
  }
  cost.ns_per_packet = static_cast<double>(ClockNs(CLOCK_THREAD_CPUTIME_ID) - before) /
                       static_cast<double>(std::max<uint64_t>(cost.received, 1));
  cost.sent = sender.Stop();
  if (source->Drain()) {
    while (source->Poll(frames) != PollStatus::kEnd) take(frames);
  }
  cost.dropped = source->counters().dropped_by_kernel;
  if (sum == 1) std::printf(" ");
  return cost;
}

// Takes alerts as the feed does, and looks at the stamp in what matched.
class StampSink : public AlertSink {
 public:
  bool Accept(const Event& event) override {
    const uint64_t now = ClockNs(CLOCK_REALTIME);
    const std::string& name = event.alert->value;
    uint64_t stamp = 0;
    if (name.size() < 17 || std::from_chars(name.data() + 1, name.data() + 17, stamp, 16).ec != std::errc())
      return true;
    if (now > stamp) delays_us.push_back(static_cast<double>(now - stamp) / 1e3);
    return true;
  }
  const std::string& error() const override { return error_; }
  std::vector<double> delays_us;

 private:
  std::string error_;
};

void PrintLatency(Backend backend, const char* name, uint32_t rate, double seconds) {
  LoadOptions quiet;
  quiet.quiet = true;
  const LoadedIndicators loaded = LoadIndicators({}, {"listed.example"}, "", "", quiet);
  Doorbell doorbell;
  std::vector<LaneSetup> setups(1);
  setups[0].source = OpenSource(backend);
  setups[0].options.believe_stamps = true;
  MakeMatching(setups[0], loaded.set, doorbell, {.generation = 1});
  Pipeline pipeline(std::move(setups), Sharing::kOwnPackets);
  GeoLookup geo;
  AlertPolicy policy(CatalogueOf(loaded.set, 1),
                     {.file_name = [](uint32_t) { return std::string_view("bn0"); }, .geo = &geo});
  StampSink sink;
  std::atomic<bool> stop{false};
  ExportLoop loop(doorbell, pipeline.alert_queues(), policy, {&sink}, false, stop);
  std::thread exporter([&] { loop.Run(); });
  Sender sender(rate, 0, 200);
  std::thread timer([&] {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    sender.Stop();
    stop.store(true);
  });
  const Totals totals = pipeline.Run(stop, {});
  timer.join();
  exporter.join();
  std::vector<double>& delays = sink.delays_us;
  if (delays.empty()) return (void)std::printf("  %-16s no alerts\n", name);
  std::sort(delays.begin(), delays.end());
  const auto at = [&](double share) {
    return delays[static_cast<size_t>(share * static_cast<double>(delays.size() - 1))];
  };
  std::printf("  %-16s %8zu alerts   p50 %9.0f us   p99 %9.0f us   largest %9.0f us   dropped %llu\n", name,
              delays.size(), at(0.5), at(0.99), delays.back(),
              static_cast<unsigned long long>(totals.capture.dropped_by_kernel));
}

int Main(int argc, char** argv) {
  const auto rate = static_cast<uint32_t>(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000);
  const double seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 3;
  const size_t rounds = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 3;
  if (unshare(CLONE_NEWNET) != 0 || std::system("ip link add bn0 type veth peer name bn1 && "
                                                "ip link set bn0 addrgenmode none up && "
                                                "ip link set bn1 addrgenmode none up") != 0) {
    std::fprintf(stderr, "needs root and network namespaces\n");
    return 2;
  }
  std::printf("cost: thread CPU of the reader at %u packets a second, median of %zu\n", rate, rounds);
  for (const auto& [payload_bytes, size] :
       {std::pair<size_t, const char*>{18, "60 bytes"}, {0, "mixed (60 to 1442)"}}) {
    std::vector<double> medians[std::size(kBackends)];
    Cost last[std::size(kBackends)];
    for (size_t round = 0; round < rounds; ++round) {
      for (size_t i = 0; i < std::size(kBackends); ++i) {
        last[i] = MeasureCost(kBackends[i].first, rate, payload_bytes, seconds);
        medians[i].push_back(last[i].ns_per_packet);
      }
    }
    for (size_t i = 0; i < std::size(kBackends); ++i) {
      std::sort(medians[i].begin(), medians[i].end());
      const double mine = medians[i][rounds / 2], libpcap = medians[0][rounds / 2];
      std::printf("  %-16s %-19s %7.1f ns a packet   %5.2f of libpcap   sent %llu = received %llu + dropped %llu%s\n",
                  kBackends[i].second, size, mine, mine / libpcap, static_cast<unsigned long long>(last[i].sent),
                  static_cast<unsigned long long>(last[i].received), static_cast<unsigned long long>(last[i].dropped),
                  last[i].sent == last[i].received + last[i].dropped ? "" : "  DIFFERS");
    }
  }
  std::printf("latency: sender's stamp to the alert in the exporter's hands, %u packets a second beside\n", rate);
  for (const auto& [backend, name] : kBackends) PrintLatency(backend, name, rate, seconds);
  return 0;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
