#include "exporter/metrics/figures.h"

#include <algorithm>

namespace vedette {

double Figures::Value(const FigureFamily& family, std::string_view label_value) const {
  for (const Figure& figure : figures_) {
    if (figure.family == &family && figure.label_value == label_value) return figure.value;
  }
  return 0;
}

bool Figures::Has(const FigureFamily& family) const {
  return std::any_of(figures_.begin(), figures_.end(), [&](const Figure& figure) { return figure.family == &family; });
}

double Figures::Sum(const FigureFamily& family) const {
  double sum = 0;
  for (const Figure& figure : figures_) {
    if (figure.family == &family) sum += figure.value;
  }
  return sum;
}

void Figures::Increase(const FigureFamily& family, std::string_view label_value, double value) {
  for (Figure& figure : figures_) {
    if (figure.family != &family || figure.label_value != label_value) continue;
    figure.value += value;
    return;
  }
  Add(family, label_value, value);
}

Figures FigureRegistry::Collect() const {
  Figures out;
  for (const FigureSource* source : sources_) source->AppendFigures(out);
  return out;
}

}  // namespace vedette
