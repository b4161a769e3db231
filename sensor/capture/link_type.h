// Numbers of link types, the one place that has them: files use the LINKTYPE_ registry at tcpdump.org/linktypes.html,
// libpcap's functions the DLT_ numbers of the system.
#pragma once

#include <cstdint>
#include <string>

namespace vedette {

// 12 and 14 are how raw IP is written by some systems.
constexpr uint16_t kLinkNull = 0, kLinkEthernet = 1, kLinkPpp = 9, kLinkRawBsd = 12, kLinkRawOpenBsd = 14,
                   kLinkPppHdlc = 50, kLinkRaw = 101, kLinkCiscoHdlc = 104, kLink80211 = 105, kLinkLoop = 108,
                   kLinkCooked = 113, kLinkRadio = 127, kLinkIpv4 = 228, kLinkIpv6 = 229, kLinkCooked2 = 276;

// Of all link types that carry IP only raw IP has numbers that differ (101 in files, 12 for libpcap on Linux).
int DltOfLinkType(uint16_t link_type);
uint16_t LinkTypeOfDlt(int dlt);

// "EN10MB (Ethernet)", or "link type 4711".
std::string LinkTypeName(uint16_t link_type);

}  // namespace vedette
