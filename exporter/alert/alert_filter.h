// What decides about an alert before any sink sees it.
#pragma once

#include "exporter/alert/alert.h"

namespace vedette {

// Called by the exporter thread only.
class AlertFilter {
 public:
  virtual ~AlertFilter() = default;
  // May take hits out of the alert. False: it goes nowhere; the filter has counted it.
  virtual bool Admit(Alert& alert) = 0;
};

}  // namespace vedette
