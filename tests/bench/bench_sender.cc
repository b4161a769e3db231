// bench_sender INTERFACE [--rate N] [--seconds N] [--capture FILE.pcap | --bytes N] [--stamps N]
//
// Sends frames out of an interface at a rate (packets per second; 0: as fast as it can), and prints what it did as one line
// of JSON: {"sent":N,"seconds":S,"rate":R}. One thread, past the queueing discipline, 32 frames a call.
//
//   --capture   the frames of a capture, again and again; each time around the clients' addresses are others, so that
//               flows are new ones
//   --bytes     UDP datagrams of 1,000 flows in frames of that size (64)
//   --stamps    so many a second are DNS queries for <the time in ns, 16 hex digits>.stamp.bench-traffic.com, evenly
//               spread
//
// On veth the kernel hands a frame to the other end within the send, and copies it into whoever captures there: the sender
// pays for that, too.
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace vedette::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kBatch = 32, kMaxFrames = 400'000, kMaxFrameBytes = 1514;
constexpr size_t kIp = 14, kTransport = 34;

struct Arguments {
  std::string interface, capture;
  double rate = 0, seconds = 1, stamps = 0;
  size_t bytes = 64;
};

uint16_t Get16(const uint8_t* at) { return static_cast<uint16_t>(at[0] << 8 | at[1]); }
void Put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

// Puts a 16-bit word into an IPv4 frame, and mends a checksum that covers it (RFC 1624).
void Mend(uint8_t* checksum, uint16_t before, uint16_t after) {
  uint32_t sum = static_cast<uint16_t>(~Get16(checksum)) + uint32_t{static_cast<uint16_t>(~before)} + after;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  Put16(checksum, static_cast<uint16_t>(~sum));
}

using Bytes = std::vector<uint8_t>;

// UDP over IPv4 without a checksum of its own.
Bytes Datagram(uint32_t flow, uint16_t server_port, const Bytes& payload) {
  Bytes out(kTransport + 8);
  out[5] = 2;
  out[11] = 1;
  out[12] = 8;
  out[kIp] = 0x45;
  Put16(&out[kIp + 2], static_cast<uint32_t>(28 + payload.size()));
  out[kIp + 8] = 64;
  out[kIp + 9] = 17;
  const uint8_t addresses[8] = {10, 9, static_cast<uint8_t>(flow >> 8), static_cast<uint8_t>(flow), 198, 51, 100, 7};
  std::memcpy(&out[kIp + 12], addresses, sizeof addresses);
  uint32_t sum = 0;
  for (size_t i = kIp; i < kTransport; i += 2) sum += Get16(&out[i]);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  Put16(&out[kIp + 10], static_cast<uint16_t>(~sum));
  Put16(&out[kTransport], 1024 + flow % 60'000);
  Put16(&out[kTransport + 2], server_port);
  Put16(&out[kTransport + 4], static_cast<uint32_t>(8 + payload.size()));
  out.insert(out.end(), payload.begin(), payload.end());
  if (out.size() < 60) out.resize(60);
  return out;
}

Bytes Stamp(uint32_t number) {
  const auto now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch());
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(now.count()));
  Bytes dns = {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (const std::string& label :
       {std::string(text), std::string("stamp"), std::string("bench-traffic"), std::string("com")}) {
    dns.push_back(static_cast<uint8_t>(label.size()));
    dns.insert(dns.end(), label.begin(), label.end());
  }
  for (const uint8_t byte : {0, 0, 1, 0, 1}) dns.push_back(byte);
  return Datagram(number, 53, dns);
}

bool Load(const std::string& path, std::vector<Bytes>& frames) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(24);
  uint32_t head[4];
  while (frames.size() < kMaxFrames && file.read(reinterpret_cast<char*>(head), sizeof head)) {
    Bytes frame(head[2]);
    if (!file.read(reinterpret_cast<char*>(frame.data()), head[2])) break;
    if (frame.size() >= kTransport + 20 && frame.size() <= kMaxFrameBytes) frames.push_back(std::move(frame));
  }
  return !frames.empty();
}

class Sender {
 public:
  bool Open(const std::string& interface) {
    socket_ = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    const int on = 1, size = 4 << 20;
    if (socket_ < 0 || bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
    setsockopt(socket_, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return true;
  }
  // Kept until the batch is sent.
  void Add(const uint8_t* data, size_t size) {
    pieces_[count_] = {const_cast<uint8_t*>(data), size};
    messages_[count_] = {};
    messages_[count_].msg_hdr.msg_iov = &pieces_[count_];
    messages_[count_].msg_hdr.msg_iovlen = 1;
    ++count_;
  }
  bool full() const { return count_ == kBatch; }
  bool Flush() {
    for (unsigned at = 0; at < count_;) {
      const int done = sendmmsg(socket_, messages_ + at, count_ - at, 0);
      if (done > 0) {
        at += static_cast<unsigned>(done);
        sent_ += static_cast<uint64_t>(done);
      } else if (errno != ENOBUFS && errno != EINTR && errno != EAGAIN) {
        return false;
      }
    }
    count_ = 0;
    return true;
  }
  uint64_t sent() const { return sent_; }

 private:
  int socket_ = -1;
  mmsghdr messages_[kBatch];
  iovec pieces_[kBatch];
  unsigned count_ = 0;
  uint64_t sent_ = 0;
};

// The frames in turn; around the end, the clients' second byte moves on.
class Frames {
 public:
  explicit Frames(std::vector<Bytes> frames) : frames_(std::move(frames)) {}
  const Bytes& Next() {
    Bytes& frame = frames_[at_];
    if (round_ != 0) MoveOn(frame);
    if (++at_ == frames_.size()) {
      at_ = 0;
      ++round_;
    }
    return frame;
  }

 private:
  static void MoveOn(Bytes& frame) {
    uint8_t* const checksum = &frame[kTransport + (frame[kIp + 9] == 6 ? 16 : 6)];
    for (const size_t at : {kIp + 12, kIp + 16}) {
      if (frame[at] != 10) continue;
      const uint16_t before = Get16(&frame[at]);
      ++frame[at + 1];
      Mend(&frame[kIp + 10], before, Get16(&frame[at]));
      if (frame[kIp + 9] == 6 || Get16(checksum) != 0) Mend(checksum, before, Get16(&frame[at]));
    }
  }
  std::vector<Bytes> frames_;
  size_t at_ = 0;
  uint64_t round_ = 0;
};

int Send(const Arguments& arguments) {
  std::vector<Bytes> frames;
  if (!arguments.capture.empty()) {
    if (!Load(arguments.capture, frames)) {
      std::fprintf(stderr, "%s: no frames that can be sent\n", arguments.capture.c_str());
      return 1;
    }
  } else {
    for (uint32_t flow = 0; flow < 1'000; ++flow) {
      frames.push_back(Datagram(flow, 9999, Bytes(std::max<size_t>(arguments.bytes, 60) - kTransport - 8, 'x')));
    }
  }
  Frames source(std::move(frames));
  Sender sender;
  if (!sender.Open(arguments.interface)) {
    std::fprintf(stderr, "%s: %s\n", arguments.interface.c_str(), std::strerror(errno));
    return 1;
  }
  Bytes stamps[kBatch];
  uint32_t num_stamps = 0;
  const auto begin = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  for (double now = 0; now < arguments.seconds; now = passed()) {
    if (arguments.rate > 0 && static_cast<double>(sender.sent()) > now * arguments.rate) {
      // Short of the next batch: sleeps where that is longer than waking up takes.
      const double ahead = static_cast<double>(sender.sent()) / arguments.rate - now;
      if (ahead > 200e-6) std::this_thread::sleep_for(std::chrono::duration<double>(ahead - 100e-6));
      continue;
    }
    const bool few = arguments.rate > 0 && arguments.rate < 20'000;  // one by one, so that they are not sent in bursts
    while (!sender.full()) {
      if (arguments.stamps > 0 && now * arguments.stamps > num_stamps) {
        stamps[num_stamps % kBatch] = Stamp(num_stamps);
        sender.Add(stamps[num_stamps % kBatch].data(), stamps[num_stamps % kBatch].size());
        ++num_stamps;
        break;
      }
      const Bytes& frame = source.Next();
      sender.Add(frame.data(), frame.size());
      if (few) break;
    }
    if (!sender.Flush()) {
      std::fprintf(stderr, "%s: %s\n", arguments.interface.c_str(), std::strerror(errno));
      return 1;
    }
  }
  const double seconds = passed();
  std::printf("{\"sent\":%llu,\"stamps\":%u,\"seconds\":%.6f,\"rate\":%.1f}\n",
              static_cast<unsigned long long>(sender.sent()), num_stamps, seconds,
              static_cast<double>(sender.sent()) / seconds);
  return 0;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (argc < 2 || argc % 2 != 0) {
    std::fprintf(stderr,
                 "usage: bench_sender INTERFACE [--rate N] [--seconds N] [--capture FILE | --bytes N] [--stamps N]\n");
    return 2;
  }
  arguments.interface = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    const double value = std::strtod(argv[i + 1], nullptr);
    if (option == "--rate") arguments.rate = value;
    if (option == "--seconds") arguments.seconds = value;
    if (option == "--stamps") arguments.stamps = value;
    if (option == "--bytes") arguments.bytes = static_cast<size_t>(value);
    if (option == "--capture") arguments.capture = argv[i + 1];
  }
  return Send(arguments);
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc, argv); }
