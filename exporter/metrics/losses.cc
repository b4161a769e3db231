#include "exporter/metrics/losses.h"

#include <algorithm>

#include "exporter/metrics/figures_json.h"

namespace vedette {

std::string LossesOf(const Figures& figures) {
  Figures told;
  for (const Figure& figure : figures.all()) {
    const FigureFamily& family = *figure.family;
    if (!family.is_loss || figure.value == 0) continue;
    if (std::find(family.no_loss.begin(), family.no_loss.end(), figure.label_value) != family.no_loss.end()) continue;
    told.Add(family, figure.label_value, figure.value);
  }
  return JsonOf(told, true);
}

}  // namespace vedette
