// Rows for what some packets show, as `vedette observe` would list it: the indicators that a capture is replayed with.
#pragma once

#include <random>
#include <vector>

#include "tests/views/view_replay.h"

namespace vedette::views {

// At most `most` values that the packets show, each listed several times: by its own type, by a wider one, as a pattern
// in its field and in payload; by random owners.
std::vector<Indicator> RowsForWhatIsSeen(const Bursts& bursts, std::mt19937_64& random, size_t most);

}  // namespace vedette::views
