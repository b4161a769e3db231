// The queues of one interface: from sockets to running rings, in one step.
//
//   socket 0 ─► ring 0 ┐                       packets by hash % N
//   socket 1 ─► ring 1 ┤ one fanout group ◄─── (fanout_program.h) ◄── filter ◄── interface
//   …                  ┘
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parsers/base/file.h"
#include "sensor/capture/live/interface_problem.h"
#include "sensor/capture/live/packet/packet_ring.h"

namespace vedette {

// The same for all queues of an interface.
struct PacketQueueOptions {
  std::string interface;
  uint32_t file = 0;                  // its place in the sensor's list
  std::string filter;                 // pcap-filter(7); empty: everything
  bool promiscuous = true;            // a sensor wants packets that are not addressed to it
  bool ignore_outgoing = false;       // what this host sends over it is not captured; never is on loopback
  bool low_latency = false;           // each packet at once (TPACKET_V2), not blocks of them (TPACKET_V3)
  uint32_t snap_length = 262'144;     // whole packets, also those that the network card has merged
  uint32_t buffer_bytes = 64u << 20;  // of one queue: half a second at 1 Gbit/s while its worker is busy
  uint32_t gather_ms = 10;            // how long the kernel gathers packets; with low_latency it does not
  uint32_t fanout_seed = 0;           // see FanoutProgram
  std::vector<int> cpus;              // by queue: near which its memory is to be; below 0, or none: wherever

  static constexpr uint32_t kMaxSnapLength = 262'144;  // as libpcap has it
  static constexpr uint32_t kLeastBufferBytes = 1u << 20;
};

struct StartedRings {
  std::vector<std::unique_ptr<PacketRing>> rings;  // in the order of the sockets; empty: `failure` says why
  bool filter_in_kernel = true;                    // false: whoever reads them applies it to the frames
  OpenFailure failure;
};

// The second step, which needs no right that a confined process does not have: it calls setsockopt, getsockopt, bind,
// mmap, munmap, close, and ioctl as AskInterface does. With a filter that names hosts it also asks the resolver.
//
// `sockets`: fresh ones, of OpenPacketSocket or of a SocketOpener; one for each queue. A socket belongs to one life of an
// interface: where that goes down and comes up again, the kernel goes on with the same rings; where it is removed and
// made anew, all queues of it need fresh sockets. Nothing is in a ring but what the filter let pass, and no queue
// receives before all are there, so that no flow changes its queue.
StartedRings StartPacketRings(std::vector<FileDescriptor> sockets, const PacketQueueOptions& options);

// Both steps: opens `num_queues` sockets, and starts their rings.
StartedRings OpenPacketRings(const PacketQueueOptions& options, size_t num_queues);

}  // namespace vedette
