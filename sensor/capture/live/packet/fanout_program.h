// Which queue of an interface a packet goes to.
//
// By its two addresses alone, whichever is the source, so that both directions of a flow meet in one queue, and by the
// same rule on every interface, so that they also do where each comes over an interface of its own. Not by ports: only
// the first fragment of a datagram has them, and an ICMP error has none.
//
//   IPv4, IPv6, behind up to kFanoutTags VLAN tags    f(source) + f(destination), mixed
//   anything else, or cut short before the addresses  queue 0
//
// A packet in a tunnel goes by the addresses of the tunnel's ends. An ICMP error goes by its own addresses, not by those
// that it quotes: it is a flow of its own (FlowKey), whose fragments carry no quotation.
#pragma once

#include <cstdint>

#include "sensor/capture/live/packet/kernel_filter.h"

namespace vedette {

// As many as the decoder looks through; one that the kernel has taken off does not count.
constexpr int kFanoutTags = 4;

// For PACKET_FANOUT_CBPF. The kernel takes its result modulo the number of queues. `seed`: random, so that nobody can
// choose addresses that meet in one queue, and the same for all interfaces of a sensor.
KernelProgram FanoutProgram(uint32_t seed);

// f(address) = mix(… mix(mix(seed, word 1), word 2) …), words in network order, all in 32 bits
// mix(t, word) = u ^ u >> 15 where u = (t ^ word) * kFanoutFactor
// the hash     = h ^ h >> 16 where h = (f(source) + f(destination)) * kFanoutFactor
constexpr uint32_t kFanoutFactor = 0x9e3779b1;  // 2^32 divided by the golden ratio, as xxHash has it

}  // namespace vedette
