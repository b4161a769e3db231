#include "parsers/base/hash_index.h"

namespace vedette {

HashIndex::HashIndex(size_t max_keys)
    : filter_(max_keys * 12 / 64 + 1, 0), slots_(max_keys + max_keys * 3 / 7 + 2, kFree) {}

}  // namespace vedette
