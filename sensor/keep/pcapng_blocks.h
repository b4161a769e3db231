// Blocks of pcapng (draft-ietf-opsawg-pcapng, drawn in sensor/capture/README.md), in this machine's byte order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/base/bytes.h"
#include "sensor/keep/kept_packet.h"

namespace vedette {

// A section begins: interfaces are numbered from 0 on after it. `program`: what wrote it.
void AppendSection(std::string_view program, std::string& out);
// Times of its packets are in nanoseconds.
void AppendInterface(std::string_view name, uint16_t link_type, uint32_t snap_length, std::string& out);
// `interface`: its number in the section. An empty comment is none.
void AppendPacket(const KeptPacket& packet, uint32_t interface, Bytes bytes, std::string_view comment,
                  std::string& out);

}  // namespace vedette
