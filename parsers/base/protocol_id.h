// The number of a protocol.
#pragma once

#include <cstdint>
#include <string_view>

namespace vedette {

// Each protocol chooses its own, in its description (protocol.h); registry.h checks that no two are the same.
enum class ProtocolId : uint8_t { kUnknown = 0 };

std::string_view NameOf(ProtocolId protocol);  // EVE's app_proto: "dns", "openvpn", …; "failed" where unknown

}  // namespace vedette
