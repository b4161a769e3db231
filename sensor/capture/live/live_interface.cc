#include "sensor/capture/live/live_interface.h"

#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "parsers/base/errno_text.h"
#include "sensor/capture/compile_filter.h"
#include "sensor/capture/link_type.h"
#include "sensor/capture/live/link_watch.h"

namespace vedette {
namespace {

constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

// The kernel hands a part-filled block of its ring over after the timeout; with another for a busy machine, silence
// means that nothing is left.
constexpr int kDrainTimeouts = 3;

// What a packet takes in the kernel's ring at least: its header and an empty frame's alignment.
constexpr uint32_t kLeastRingBytes = 64;

OpenFailure Explain(const std::string& interface, int status, const std::string& detail) {
  switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return NoSuchInterface(interface);
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
      return NoPermissionToCapture(interface);
    case PCAP_ERROR_IFACE_NOT_UP:
      return InterfaceIsDown(interface);
    default:
      return {InterfaceProblem::kOther,
              fmt::format("{}: {}{}{}", interface, pcap_statustostr(status), detail.empty() ? "" : ": ", detail)};
  }
}

}  // namespace

std::unique_ptr<LiveInterface> LiveInterface::Open(const Options& options, OpenFailure& failure) {
  std::unique_ptr<LiveInterface> live(new LiveInterface(options));
  failure = {};
  if (live->Activate(failure) && live->SetFilter(failure.text)) return live;
  if (failure.kind == InterfaceProblem::kNone) failure.kind = InterfaceProblem::kOther;
  return nullptr;
}

std::unique_ptr<LiveInterface> LiveInterface::Open(const Options& options, std::string& error) {
  OpenFailure failure;
  std::unique_ptr<LiveInterface> live = Open(options, failure);
  if (live == nullptr) error = failure.text;
  return live;
}

LiveInterface::~LiveInterface() {
  if (handle_ != nullptr) pcap_close(handle_);
  if (stop_event_ >= 0) close(stop_event_);
}

bool LiveInterface::Activate(OpenFailure& failure) {
  std::string& error = failure.text;
  if (options_.snap_length == 0 || options_.snap_length > kMaxSnapLength) {
    error = fmt::format("{}: the snap length must be between 1 and {}", options_.interface, kMaxSnapLength);
    return false;
  }
  char reason[PCAP_ERRBUF_SIZE] = "";
  stop_event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_event_ < 0) {
    error = fmt::format("{}: {}", options_.interface, ErrnoText(errno));
    return false;
  }
  handle_ = pcap_create(options_.interface.c_str(), reason);
  if (handle_ == nullptr) {
    error = fmt::format("{}: {}", options_.interface, reason);
    return false;
  }
  pcap_set_snaplen(handle_, static_cast<int>(options_.snap_length));
  pcap_set_promisc(handle_, options_.promiscuous ? 1 : 0);
  pcap_set_timeout(handle_, static_cast<int>(std::min<uint32_t>(options_.timeout_ms, INT32_MAX)));
  pcap_set_buffer_size(handle_, static_cast<int>(std::min<uint32_t>(options_.buffer_bytes, INT32_MAX)));
  pcap_set_tstamp_precision(handle_, PCAP_TSTAMP_PRECISION_NANO);
  const int status = pcap_activate(handle_);
  if (status < 0) {
    failure = Explain(options_.interface, status, pcap_geterr(handle_));
    return false;
  }
  if (options_.ignore_outgoing && pcap_setdirection(handle_, PCAP_D_IN) != 0) {
    error = fmt::format("{}: what it sends cannot be ignored: {}", options_.interface, pcap_geterr(handle_));
    return false;
  }
  if (status > 0) warning_ = Explain(options_.interface, status, pcap_geterr(handle_)).text;
  // Waiting is Poll's own: with a packet ring libpcap may wait for ever.
  if (pcap_setnonblock(handle_, 1, reason) != 0 || pcap_get_selectable_fd(handle_) < 0) {
    error = fmt::format("{}: this kind of interface cannot be polled {}", options_.interface, reason);
    return false;
  }
  nanoseconds_ = pcap_get_tstamp_precision(handle_) == PCAP_TSTAMP_PRECISION_NANO;
  link_type_ = LinkTypeOfDlt(pcap_datalink(handle_));
  burst_bytes_.reset(new uint8_t[kBurst * options_.snap_length]);
  pcap_stat statistics{};
  if (pcap_stats(handle_, &statistics) == 0) {
    last_drop_ = statistics.ps_drop;
    last_ifdrop_ = statistics.ps_ifdrop;
  }
  return true;
}

bool LiveInterface::SetFilter(std::string& error) {
  if (options_.filter.empty()) return true;
  bpf_program program{};
  if (!CompileFilter(handle_, options_.filter, program)) {
    error = fmt::format("filter expression \"{}\" for {}: {}; its language is described in pcap-filter(7)",
                        options_.filter, options_.interface, pcap_geterr(handle_));
    return false;
  }
  const bool ok = pcap_setfilter(handle_, &program) == 0;
  if (!ok)
    error =
        fmt::format("filter expression \"{}\" for {}: {}", options_.filter, options_.interface, pcap_geterr(handle_));
  pcap_freecode(&program);
  return ok;
}

void LiveInterface::OnPacket(unsigned char* self, const pcap_pkthdr* header, const unsigned char* bytes) {
  reinterpret_cast<LiveInterface*>(self)->Keep(*header, bytes);
}

void LiveInterface::Keep(const pcap_pkthdr& header, const uint8_t* bytes) {
  const uint32_t captured = std::min(header.caplen, options_.snap_length);
  uint8_t* const copy = burst_bytes_.get() + burst_used_;
  std::memcpy(copy, bytes, captured);
  burst_used_ += captured;
  Frame& frame = frames_[num_frames_++];
  frame.data = copy;
  frame.captured_bytes = captured;
  frame.wire_bytes = std::max(header.len, captured);
  frame.time_ns = static_cast<uint64_t>(header.ts.tv_sec) * kNanosecondsPerSecond +
                  static_cast<uint64_t>(header.ts.tv_usec) * (nanoseconds_ ? 1 : 1000);
  frame.number = ++counters_.frames;
  frame.file = options_.file;
  frame.link_type = link_type_;
  frame.interface = 0;
  counters_.captured_bytes += captured;
  counters_.wire_bytes += frame.wire_bytes;
}

int LiveInterface::descriptor() const { return pcap_get_selectable_fd(handle_); }

PollStatus LiveInterface::PollNow(std::span<const Frame>& frames) {
  frames = {};
  if (!error_.empty() || stopping_.load(std::memory_order_relaxed)) return PollStatus::kEnd;
  burst_used_ = 0;
  num_frames_ = 0;
  const int status = pcap_dispatch(handle_, kBurst, OnPacket, reinterpret_cast<unsigned char*>(this));
  if (num_frames_ != 0) {
    frames = {frames_.data(), num_frames_};
    return PollStatus::kFrames;
  }
  return status >= 0 || IsAway() ? PollStatus::kIdle : Fail(pcap_geterr(handle_));
}

PollStatus LiveInterface::Poll(std::span<const Frame>& frames) {
  frames = {};
  if (draining_ && error_.empty()) return PollWaiting(frames);
  const PollStatus status = PollNow(frames);
  if (status != PollStatus::kIdle) return status;
  pollfd waiting[2] = {{.fd = descriptor(), .events = POLLIN, .revents = 0},
                       {.fd = stop_event_, .events = POLLIN, .revents = 0}};
  const int ready = poll(waiting, 2, static_cast<int>(options_.timeout_ms));
  if (ready < 0 && errno != EINTR) return Fail(ErrnoText(errno));
  return ready <= 0 ? PollStatus::kIdle : PollNow(frames);
}

bool LiveInterface::Drain() {
  pcap_stat statistics{};
  if (!error_.empty() || pcap_stats(handle_, &statistics) != 0) return false;
  // ps_recv holds what was dropped as well, and all of it in 32 bits. What libpcap took out itself, before the filter
  // was the kernel's, is in it too; for such packets nothing comes, and the wait ends.
  const auto handed_over = static_cast<uint32_t>(counters_.frames - frames_before_);
  const uint32_t waiting = statistics.ps_recv - statistics.ps_drop - handed_over;
  drain_until_ = counters_.frames + std::min(waiting, options_.buffer_bytes / kLeastRingBytes);
  draining_ = true;
  return true;
}

PollStatus LiveInterface::PollWaiting(std::span<const Frame>& frames) {
  for (int i = 0; i <= kDrainTimeouts && counters_.frames < drain_until_; ++i) {
    burst_used_ = 0;
    num_frames_ = 0;
    const auto limit = static_cast<int>(std::min<uint64_t>(kBurst, drain_until_ - counters_.frames));
    if (pcap_dispatch(handle_, limit, OnPacket, reinterpret_cast<unsigned char*>(this)) < 0) break;
    if (num_frames_ != 0) {
      frames = {frames_.data(), num_frames_};
      return PollStatus::kFrames;
    }
    pollfd waiting{.fd = descriptor(), .events = POLLIN, .revents = 0};
    poll(&waiting, 1, static_cast<int>(options_.timeout_ms));
  }
  return PollStatus::kEnd;
}

// libpcap waits for an interface that is down as if it were silent, and complains at each poll of one that has gone.
bool LiveInterface::IsAway() const {
  int index = 0;
  if (!BoundInterface(descriptor(), index) || index == 0) return false;  // "any" is never away
  ifreq request{};
  request.ifr_ifindex = index;
  if (index < 0 || ioctl(descriptor(), SIOCGIFNAME, &request) != 0) return true;
  if (options_.interface != std::string_view(request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ))) return true;
  return ioctl(descriptor(), SIOCGIFFLAGS, &request) != 0 || (request.ifr_flags & IFF_UP) == 0;
}

// The kernel keeps ring and filter of a socket whose interface has gone, and takes another interface for it.
bool LiveInterface::Rebind(unsigned interface_index) {
  int old = 0;
  if (!BoundInterface(descriptor(), old)) return false;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(interface_index);
  if (bind(descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (!options_.promiscuous) return true;
  // That of the old interface went with it.
  packet_mreq membership{};
  membership.mr_ifindex = address.sll_ifindex;
  membership.mr_type = PACKET_MR_PROMISC;
  return setsockopt(descriptor(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) == 0;
}

void LiveInterface::GoOnFrom(const CaptureCounters& before) {
  counters_ = before;
  dropped_by_kernel_ = before.dropped_by_kernel;
  dropped_by_interface_ = before.dropped_by_interface;
  frames_before_ = before.frames;
}

PollStatus LiveInterface::Fail(std::string reason) {
  error_ = fmt::format("{}: capturing failed: {}", options_.interface, reason);
  damage_.push_back({.file = options_.interface, .offset = 0, .reason = std::move(reason)});
  return PollStatus::kEnd;
}

void LiveInterface::Stop() {
  stopping_.store(true, std::memory_order_relaxed);
  const uint64_t one = 1;
  // The event only cuts the wait short; should it not, the timeout does.
  [[maybe_unused]] const ssize_t written = write(stop_event_, &one, sizeof one);
}

void LiveInterface::UpdateStatistics() const {
  pcap_stat statistics{};
  if (pcap_stats(handle_, &statistics) != 0) return;
  dropped_by_kernel_ += static_cast<uint32_t>(statistics.ps_drop - last_drop_);
  // libpcap reads it from sysfs; where that is not to be read any more, it falls back to nothing.
  const auto step = static_cast<int32_t>(statistics.ps_ifdrop - last_ifdrop_);
  if (step > 0) dropped_by_interface_ += static_cast<uint32_t>(step);
  last_drop_ = statistics.ps_drop;
  last_ifdrop_ = statistics.ps_ifdrop;
}

CaptureCounters LiveInterface::counters() const {
  UpdateStatistics();
  CaptureCounters counters = counters_;
  counters.dropped_by_kernel = dropped_by_kernel_;
  counters.dropped_by_interface = dropped_by_interface_;
  return counters;
}

}  // namespace vedette
