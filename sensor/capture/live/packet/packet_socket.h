// A packet socket (packet(7)), and what the kernel says of its interface.
#pragma once

#include <cstdint>
#include <string>

#include "parsers/base/file.h"
#include "sensor/capture/live/interface_problem.h"

namespace vedette {

// The first of two steps, and the only one that needs CAP_NET_RAW: a socket that receives nothing yet. None, with
// `failure`, where that is not permitted. The second step makes a ring of it (packet_queues.h); it takes a socket of
// sensor/hardening/processes/socket_opener.h as well.
FileDescriptor OpenPacketSocket(const std::string& interface, OpenFailure& failure);

struct InterfaceFacts {
  int index = 0;
  uint16_t hardware = 0;  // ARPHRD_ of <net/if_arp.h>
  uint32_t mtu = 0;       // bytes, without the link header
  bool up = false;
};
// Asks with ioctl: SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCGIFMTU. False, with `failure`, where there is no such
// interface.
bool AskInterface(int socket, const std::string& interface, InterfaceFacts& facts, OpenFailure& failure);

// Whether the host itself uses it, so that what it sends there is half of somebody's traffic: the interface has an IPv4
// address or an IPv6 address that is not link-local, or another device stands on it (a bridge, a bond, a VLAN). The port
// of a tap or a mirror has none of these. Asks with netlink, and looks into /sys/class/net.
bool IsInUse(const std::string& interface);

}  // namespace vedette
