// The value that is most likely meant by a row that cannot be read: what a reason shows as the nearest reading.
#pragma once

#include <string>
#include <string_view>

#include "signatures/last_label.h"

namespace vedette {

// The first address, block, URL or name in `text` that could be an indicator by itself; empty: none of its first words
// is one. Not an address that is private or reserved, and not the name of a file.
std::string NearestIn(std::string_view text, LastLabels& last_labels);

}  // namespace vedette
