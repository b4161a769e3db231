#include "sensor/capture/live/packet/packet_queues.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "parsers/base/errno_text.h"
#include "sensor/capture/cpu.h"
#include "sensor/capture/live/packet/fanout_program.h"
#include "sensor/capture/live/packet/frame_maker.h"
#include "sensor/capture/live/packet/kernel_filter.h"
#include "sensor/capture/live/packet/packet_socket.h"
#include "sensor/capture/live/packet/tpacket_v2_ring.h"
#include "sensor/capture/live/packet/tpacket_v3_ring.h"

namespace vedette {
namespace {

// Of TPACKET_V3 each block is used up after gather_ms, however little is in it: many small ones bridge a longer stall of
// a worker, 2.5 s with the default buffer. It holds the largest packets that networks and merging cards make; a longer
// one is cut.
constexpr uint32_t kBlockBytes = 256u << 10;
// A ring of fewer blocks loses more of itself to the one that is being read.
constexpr uint32_t kWantedBlocks = 8;
// Of a block and of a packet in it, beside the packet's bytes.
constexpr uint32_t kBlockOverheadBytes = 1024;
constexpr uint32_t kLeastBlockBytes = 64u << 10;

// <linux/if_packet.h> has it since Linux 5.14.
constexpr int kFanoutIgnoreOutgoing = 0x4000;

// There are at least two blocks.
RingShape ShapeOf(const PacketQueueOptions& options, uint32_t mtu) {
  RingShape shape;
  shape.slot_bytes = TpacketV2Ring::SlotBytes(mtu);
  const uint32_t largest = options.low_latency ? shape.slot_bytes : options.snap_length + kBlockOverheadBytes;
  const uint32_t wanted = std::max(kLeastBlockBytes, std::bit_floor(options.buffer_bytes / kWantedBlocks));
  shape.block_bytes = std::min(kBlockBytes, std::max(wanted, std::bit_ceil(largest)));
  shape.num_blocks = std::max(options.buffer_bytes / shape.block_bytes, 2u);
  return shape;
}

template <class Value>
bool Set(int socket, int option, const Value& value) {
  return setsockopt(socket, SOL_PACKET, option, &value, sizeof value) == 0;
}

class Starter {
 public:
  Starter(const PacketQueueOptions& options, StartedRings& started) : options_(options), started_(started) {}

  bool Start(std::vector<FileDescriptor> sockets) {
    if (options_.snap_length == 0 || options_.snap_length > PacketQueueOptions::kMaxSnapLength)
      return Fail(fmt::format("the snap length must be between 1 and {}", PacketQueueOptions::kMaxSnapLength));
    if (options_.buffer_bytes < PacketQueueOptions::kLeastBufferBytes)
      return Fail(fmt::format("its buffer must have at least {} bytes", PacketQueueOptions::kLeastBufferBytes));
    if (!AskInterface(sockets.at(0).get(), options_.interface, facts_, started_.failure)) return false;
    // A socket of an interface that is down receives once it is up. Only up can it join a group.
    if (!facts_.up && sockets.size() > 1) {
      started_.failure = InterfaceIsDown(options_.interface);
      return false;
    }
    if (!CompileFilter()) return false;
    const size_t num_queues = sockets.size();
    for (FileDescriptor& socket : sockets) {
      const size_t queue = started_.rings.size();
      const RunOnCpu near(queue < options_.cpus.size() ? options_.cpus[queue] : -1);
      if (!MakeRing(std::move(socket))) return false;
      if (num_queues > 1 && !Join(started_.rings.back()->descriptor(), started_.rings.size() == 1)) return false;
    }
    return OpenAll();
  }

 private:
  bool Fail(const std::string& why, InterfaceProblem kind = InterfaceProblem::kOther) {
    started_.failure = {kind, fmt::format("{}: {}", options_.interface, why)};
    return false;
  }
  bool FailWithErrno(const char* what) {
    const int number = errno;
    if (number == ENODEV) {
      started_.failure = NoSuchInterface(options_.interface);
      return false;
    }
    return Fail(fmt::format("{}: {}", what, ErrnoText(number)),
                number == ENETDOWN ? InterfaceProblem::kDown : InterfaceProblem::kOther);
  }

  bool CompileFilter() {
    program_ = PassAll(options_.snap_length);
    if (options_.filter.empty()) return true;
    KernelProgram compiled;
    std::string error;
    const uint16_t link_type = FrameMaker::LinkTypeOf(facts_.hardware);
    if (!CompileForKernel(options_.filter, link_type, options_.snap_length, compiled, error)) return Fail(error);
    started_.filter_in_kernel = !compiled.empty();
    if (!compiled.empty()) program_ = std::move(compiled);
    return true;
  }

  // Bound, and closed: nothing passes until OpenAll.
  bool MakeRing(FileDescriptor socket) {
    const int descriptor = socket.get();
    const FrameMaker maker(facts_.hardware, options_.file, options_.snap_length);
    const RingShape shape = ShapeOf(options_, facts_.mtu);
    if (!AttachFilter(descriptor, PassAll(0))) return FailWithErrno("no filter can be attached");
    std::unique_ptr<PacketRing> ring;
    if (options_.low_latency) {
      ring = TpacketV2Ring::Make(std::move(socket), maker, shape);
    } else {
      ring = TpacketV3Ring::Make(std::move(socket), maker, shape, options_.gather_ms);
    }
    if (ring == nullptr) {
      if (errno == ENOMEM)
        return Fail(
            fmt::format("there is no memory for a buffer of {} MiB for each queue; lower "
                        "`capture: buffer_mebibytes` or `workers`",
                        options_.buffer_bytes >> 20));
      return FailWithErrno("the kernel gives it no ring");
    }
    // The kernel tells of a loopback interface's packets twice, as sent and as received.
    if ((options_.ignore_outgoing || facts_.hardware == ARPHRD_LOOPBACK) && !Set(descriptor, PACKET_IGNORE_OUTGOING, 1))
      return FailWithErrno("what it sends cannot be ignored");
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htobe16(ETH_P_ALL);
    address.sll_ifindex = facts_.index;
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return FailWithErrno("the capture socket cannot be bound to it");
    packet_mreq membership{};
    membership.mr_ifindex = facts_.index;
    membership.mr_type = PACKET_MR_PROMISC;
    if (options_.promiscuous && !Set(descriptor, PACKET_ADD_MEMBERSHIP, membership))
      return FailWithErrno("no promiscuous mode");
    started_.rings.push_back(std::move(ring));
    return true;
  }

  // A group belongs to a network namespace and has a number of 16 bits, which another process may have chosen, too. So
  // the kernel chooses one that is free.
  bool Join(int descriptor, bool first) {
    const bool ignores = options_.ignore_outgoing || facts_.hardware == ARPHRD_LOOPBACK;
    const int type = PACKET_FANOUT_CBPF | (ignores ? kFanoutIgnoreOutgoing : 0);
    if (!first) {
      const int group = group_ | type << 16;
      return Set(descriptor, PACKET_FANOUT, group) || FailWithErrno("its packets cannot be spread over queues");
    }
    const int group = static_cast<int>(static_cast<uint32_t>(type | PACKET_FANOUT_FLAG_UNIQUEID) << 16);
    int chosen = 0;
    socklen_t size = sizeof chosen;
    KernelProgram program = FanoutProgram(options_.fanout_seed);
    const sock_fprog given = {.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
    if (!Set(descriptor, PACKET_FANOUT, group) ||
        getsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &chosen, &size) != 0 ||
        !Set(descriptor, PACKET_FANOUT_DATA, given))
      return FailWithErrno("its packets cannot be spread over queues");
    group_ = chosen & 0xffff;
    return true;
  }

  bool OpenAll() {
    for (const std::unique_ptr<PacketRing>& ring : started_.rings) {
      if (AttachFilter(ring->descriptor(), program_)) continue;
      if (errno != ENOMEM || options_.filter.empty()) return FailWithErrno("the kernel refuses the filter");
      // Longer than it takes: then all pass, and those that match are chosen later.
      started_.filter_in_kernel = false;
      program_ = PassAll(options_.snap_length);
      if (!AttachFilter(ring->descriptor(), program_)) return FailWithErrno("the kernel refuses a filter");
    }
    return true;
  }

  const PacketQueueOptions& options_;
  StartedRings& started_;
  InterfaceFacts facts_;
  KernelProgram program_;
  int group_ = 0;
};

}  // namespace

StartedRings StartPacketRings(std::vector<FileDescriptor> sockets, const PacketQueueOptions& options) {
  StartedRings started;
  if (!Starter(options, started).Start(std::move(sockets))) started.rings.clear();
  return started;
}

StartedRings OpenPacketRings(const PacketQueueOptions& options, size_t num_queues) {
  StartedRings started;
  std::vector<FileDescriptor> sockets;
  for (size_t queue = 0; queue < num_queues; ++queue) {
    sockets.push_back(OpenPacketSocket(options.interface, started.failure));
    if (!sockets.back().is_open()) return started;
  }
  return StartPacketRings(std::move(sockets), options);
}

}  // namespace vedette
