// The figures of a run: what was counted, measured and held, by name and label.
//
// There is one list of them, and every place that shows figures (metrics endpoint, status, heartbeats, log, the summary
// at the end) shows this list or a part of it, so that two places never disagree. What may stand in it is declared as a
// FigureFamily (parsers/base/counter.h) beside what is counted, or in families.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/metrics/histogram.h"
#include "parsers/base/counter.h"

namespace vedette {

struct Figure {
  const FigureFamily* family;
  std::string label_value;  // of the family's label
  double value = 0;         // counts are exact up to 2^53
  HistogramCounts histogram;
};

class Figures {
 public:
  void Add(const FigureFamily& family, double value) { Add(family, {}, value); }
  void Add(const FigureFamily& family, std::string_view label_value, double value) {
    figures_.push_back({&family, std::string(label_value), value, {}});
  }
  void Add(const FigureFamily& family, const HistogramCounts& histogram) {
    figures_.push_back({&family, {}, 0, histogram});
  }

  void Add(Figure figure) { figures_.push_back(std::move(figure)); }
  // Adds to the figure that is there already.
  void Increase(const FigureFamily& family, std::string_view label_value, double value);

  const std::vector<Figure>& all() const { return figures_; }
  // 0 where it does not stand in the list.
  double Value(const FigureFamily& family, std::string_view label_value = {}) const;
  // Whether anything of the family stands in it.
  bool Has(const FigureFamily& family) const;
  // Over all label values.
  double Sum(const FigureFamily& family) const;

 private:
  std::vector<Figure> figures_;
};

// A part that has figures. AppendFigures is called by any thread, and returns what was published last.
class FigureSource {
 public:
  virtual ~FigureSource() = default;
  virtual void AppendFigures(Figures& out) const = 0;
};

// Who has figures. Sources outlive the registry; all are added before the first Collect.
class FigureRegistry {
 public:
  void Add(const FigureSource& source) { sources_.push_back(&source); }
  Figures Collect() const;

 private:
  std::vector<const FigureSource*> sources_;
};

}  // namespace vedette
