// Numbers of link types: files use the LINKTYPE_ registry, libpcap's functions the DLT_ numbers of the system.
#pragma once

#include <cstdint>
#include <string>

namespace vedette {

// Of all link types that carry IP only raw IP has numbers that differ (101 in files, 12 for libpcap on Linux).
int DltOfLinkType(uint16_t link_type);
uint16_t LinkTypeOfDlt(int dlt);

// "EN10MB (Ethernet)", or "link type 4711".
std::string LinkTypeName(uint16_t link_type);

}  // namespace vedette
