// Rows that are used and may hit less than was meant: nobody would notice that they never do.
#pragma once

#include <string_view>

#include "signatures/indicator.h"
#include "signatures/last_label.h"

namespace vedette {

// Not thread safe.
class Remarks {
 public:
  // `normal`: the value's normal form. Begins with "used, "; empty: nothing is known against the row.
  std::string_view On(IndicatorType type, std::string_view normal);

 private:
  std::string_view OnHost(std::string_view host);
  std::string_view OnUrl(std::string_view url);

  LastLabels last_labels_;
};

}  // namespace vedette
