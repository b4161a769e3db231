// What the workers counted, as figures.
#pragma once

#include "exporter/metrics/figures.h"
#include "sensor/pipeline/pipeline.h"

namespace vedette {

// Everything about packets, flows, observables, matching and the workers' memory.
void AppendFigures(const Totals& totals, Figures& out);

}  // namespace vedette
