#include "exporter/metrics/figures_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace vedette {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kExact = 9007199254740992;  // 2^53: whole numbers up to it are exact in a double

Json NumberOf(double value) {
  if (value >= 0 && value < kExact && value == std::floor(value)) return static_cast<uint64_t>(value);
  return value;
}

}  // namespace

std::string JsonOf(const Figures& figures, bool brief) {
  Json out = Json::object();
  for (const Figure& figure : figures.all()) {
    Json& at = out[std::string(figure.family->name)];
    if (figure.family->kind == FigureKind::kHistogram) {
      at = {{"count", figure.histogram.count},
            {"sum_seconds", figure.histogram.sum_seconds},
            {"p50_seconds", figure.histogram.Quantile(0.5)},
            {"p99_seconds", figure.histogram.Quantile(0.99)}};
    } else if (figure.family->label.empty()) {
      at = NumberOf(figure.value);
    } else {
      if (at.is_null()) at = Json::object();
      if (!brief || figure.value != 0) at[figure.label_value] = NumberOf(figure.value);
    }
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace vedette
