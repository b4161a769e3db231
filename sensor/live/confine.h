// What the configuration of a live sensor needs when it is confined, and how far it is.
#pragma once

#include <string>

#include "exporter/metrics/figures.h"
#include "sensor/config/config.h"
#include "sensor/hardening/confinement.h"
#include "sensor/live/log.h"

namespace vedette {

// Reads: the configuration, indicators, public keys and geolocation databases. Writes: the folders of `state`, `cache`,
// `control`, `output` and `capture: keep`. Listens: feed and metrics. What of `state`, `control` and `metrics` is not
// there and was not asked for is left out.
ConfinementPolicy PolicyOf(const Config& config);

// Shows both layers as vedette_confinement_active.
class ConfinementFigures : public FigureSource {
 public:
  // Confines the process; whatever is missing goes to the log. False where the process has to end.
  bool Confine(const Config& config, Log& log, std::string& error);
  void AppendFigures(Figures& out) const override;

 private:
  Confinement confinement_;
};

}  // namespace vedette
