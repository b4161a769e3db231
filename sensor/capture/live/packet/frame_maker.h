// How what the kernel left in a ring becomes a frame: what it had taken off is put back, in place.
#pragma once

#include <endian.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "sensor/capture/frame.h"
#include "sensor/capture/link_type.h"

namespace vedette {

// A packet in a ring, as its header there describes it.
struct RingPacket {
  uint8_t* link = nullptr;      // first byte of the link header
  uint32_t network_offset = 0;  // from there to the network header
  uint32_t captured_bytes = 0;  // from `link` on
  uint32_t wire_bytes = 0;      // without what the kernel took off
  uint64_t time_ns = 0;         // since 1970
  uint16_t tag_protocol = 0;    // of the VLAN tag that the kernel took off; 0: it took off none
  uint16_t tag = 0;             // priority and id
  const sockaddr_ll* from = nullptr;
};

//   Ethernet:  the VLAN tag goes back between the addresses and the EtherType:
//
//                ····DDDDDDSSSSSSTT payload
//                DDDDDDSSSSSSVVVVTT payload
//
//   raw IP:    a link without a header (tun, WireGuard): nothing to do
//   radio:     as on the air: nothing to do
//   cooked:    any other link: its own header is replaced by the 16 bytes of LINKTYPE_LINUX_SLL, and the VLAN tag follows
//
// `kReserve` bytes in front of a packet are room for that (PACKET_RESERVE).
class FrameMaker {
 public:
  static constexpr uint32_t kTagBytes = 4, kCookedBytes = 16;
  static constexpr uint32_t kReserve = kTagBytes + kCookedBytes;

  // `hardware`: ARPHRD_ of the interface. `file`: what frames have as Frame::file.
  FrameMaker(uint16_t hardware, uint32_t file, uint32_t snap_length)
      : link_type_(LinkTypeOf(hardware)), file_(file), snap_length_(snap_length) {}

  uint16_t link_type() const { return link_type_; }

  // Numbers are the caller's.
  void Make(const RingPacket& packet, Frame& frame) const {
    uint8_t* data = packet.link;
    uint32_t captured = packet.captured_bytes, wire = packet.wire_bytes;
    if (link_type_ == kLinkCooked) [[unlikely]] {
      Cook(packet, data, captured, wire);
    } else if (packet.tag_protocol != 0 && captured >= kAddressBytes && link_type_ == kLinkEthernet) [[unlikely]] {
      data -= kTagBytes;
      std::memmove(data, packet.link, kAddressBytes);
      PutTag(packet, data + kAddressBytes);
      captured += kTagBytes;
      wire += kTagBytes;
    }
    frame.data = data;
    frame.captured_bytes = std::min(captured, snap_length_);
    frame.wire_bytes = std::max(wire, frame.captured_bytes);
    frame.time_ns = packet.time_ns;
    frame.file = file_;
    frame.link_type = link_type_;
    frame.interface = 0;
  }

  static uint16_t LinkTypeOf(uint16_t hardware) {
    switch (hardware) {
      case ARPHRD_ETHER:
      case ARPHRD_LOOPBACK:
        return kLinkEthernet;
      case ARPHRD_NONE:
      case kHardwareRawIp:
        return kLinkRaw;
      case ARPHRD_IEEE80211:
        return kLink80211;
      case ARPHRD_IEEE80211_RADIOTAP:
        return kLinkRadio;
      default:
        return kLinkCooked;
    }
  }

 private:
  static constexpr uint32_t kAddressBytes = 12;
  static constexpr uint16_t kHardwareRawIp = 519;  // ARPHRD_RAWIP, which <net/if_arp.h> does not have

  static void PutU16(uint16_t value, uint8_t* to) {
    to[0] = static_cast<uint8_t>(value >> 8);
    to[1] = static_cast<uint8_t>(value);
  }
  static void PutTag(const RingPacket& packet, uint8_t* to) {
    PutU16(packet.tag_protocol, to);
    PutU16(packet.tag, to + 2);
  }

  // type 2 | hardware 2 | address length 2 | address 8 | protocol 2
  static void Cook(const RingPacket& packet, uint8_t*& data, uint32_t& captured, uint32_t& wire) {
    const uint32_t skipped = std::min(packet.network_offset, packet.captured_bytes);
    const uint32_t added = kCookedBytes + (packet.tag_protocol != 0 ? kTagBytes : 0);
    const sockaddr_ll from = *packet.from;  // it may stand where the header is written
    data = packet.link + skipped - added;
    PutU16(from.sll_pkttype, data);
    PutU16(from.sll_hatype, data + 2);
    PutU16(from.sll_halen, data + 4);
    std::memcpy(data + 6, from.sll_addr, sizeof from.sll_addr);
    const uint16_t protocol = be16toh(from.sll_protocol);
    if (packet.tag_protocol == 0) {
      PutU16(protocol, data + 14);
    } else {
      PutTag(packet, data + 14);
      PutU16(protocol, data + 18);
    }
    captured = captured - skipped + added;
    wire = wire - std::min(wire, skipped) + added;
  }

  const uint16_t link_type_;
  const uint32_t file_;
  const uint32_t snap_length_;
};

}  // namespace vedette
