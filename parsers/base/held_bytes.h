// Bytes of a stream that wait for more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "parsers/base/bytes.h"

namespace vedette {

// Appends `bytes`, which are not of `held` itself. std::vector::insert does the same, but g++ 14 takes its branch for a
// place in the middle, which the end never is, for an overflow (-Wstringop-overflow).
inline void AppendBytes(std::vector<uint8_t>& held, Bytes bytes) {
  const size_t old_size = held.size();
  held.resize(old_size + bytes.size());
  std::copy(bytes.begin(), bytes.end(), held.data() + old_size);
}

}  // namespace vedette
