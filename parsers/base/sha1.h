// SHA-1, where a published format asks for it: Community ID and name-based UUIDs. Not for security.
#pragma once

#include <array>
#include <cstdint>

#include "parsers/base/bytes.h"

namespace vedette {

using Sha1Digest = std::array<uint8_t, 20>;
Sha1Digest Sha1(Bytes message);

}  // namespace vedette
