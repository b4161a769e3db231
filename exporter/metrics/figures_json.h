// Figures as one JSON object: a family without label as `"name": value`, one with a label as `"name": {"label value":
// value, …}`, a histogram as `"name": {"count": …, "sum_seconds": …, "p50_seconds": …, "p99_seconds": …}`, quantiles as
// the upper bound of the bucket that holds them.
#pragma once

#include <string>

#include "exporter/metrics/figures.h"

namespace vedette {

// One line, without a newline; families in the order of the list. Zeros are left out of families with a label where
// `brief`.
std::string JsonOf(const Figures& figures, bool brief = false);

}  // namespace vedette
