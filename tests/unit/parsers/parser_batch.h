// What a parser writes to, as a worker has it: pass it for the ParserOutput, and read the values from it.
#pragma once

#include "parsers/base/observable.h"
#include "parsers/base/parser_output.h"

namespace vedette::testing {

class ParserBatch : public ObservableBatch {
 public:
  operator ParserOutput&() { return output; }

  ProtocolCounters counters;
  ParserOutput output{*this, counters};
};

}  // namespace vedette::testing
