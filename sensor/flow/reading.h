// One reading of a stream by the protocol parsers: which protocol it is, and what its parser wants to see next.
//
// A stream has one reading as a rule. It has a second where copies of the same bytes differ, or where the stream went
// on at another place: see stream_inspector.h.
#pragma once

#include <cstdint>
#include <string>

#include "parsers/observable.h"
#include "parsers/registry.h"
#include "sensor/flow/flow.h"

namespace vedette {

struct InspectionCounters;

// Arrays are indexed by the flow's direction.
struct Reading {
  StreamParser parser;
  uint64_t skip[2] = {0, 0};  // bytes that the parser does not want to see
  std::string first[2];       // bytes held until a protocol is recognised; at most kStreamIdentifyBytes
  bool first_start[2] = {false, false};
  uint8_t attempts[2] = {0, 0};         // segments that no protocol knew
  bool answer_due[2] = {false, false};  // the protocol began behind something that this direction may still answer
  uint8_t hand_overs = 0;
  bool over = false;         // no parser will look again …
  bool complete = false;     // … because it has seen everything
  uint32_t parser_held = 0;  // bytes, as counted in InspectionCounters::parser_held_bytes

  bool identified() const { return !std::holds_alternative<std::monostate>(parser); }
  void SwapEnds();
  size_t memory_bytes() const;  // beside what parsers hold
};

// Feeds the readings of one worker's flows. Not thread safe.
class StreamReader {
 public:
  struct Options {
    size_t parser_bytes;  // held by all parsers together
  };
  // `batch` and `counters` outlive the reader.
  StreamReader(const Options& options, ObservableBatch& batch, InspectionCounters& counters)
      : options_(options), batch_(batch), counters_(counters) {}

  // The next bytes of direction `index`. `chunk.direction` is what is believed of it; where the bytes tell that the
  // client is at the other end and the flow does not know yet, `flip` changes, and the direction of what follows with
  // it. `leading`: the reading that says which protocol the flow has.
  void Feed(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading);
  // The same for a datagram of OpenVPN, the one protocol over UDP that has a state.
  void FeedOpenVpn(Reading& reading, Bytes datagram, Direction direction);
  void Stop(Reading& reading);

 private:
  void Parse(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading);
  // Feeds the parser once. False: the reading is over, or handed over with `rest` still to be identified.
  bool FeedParser(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool leading, Bytes& rest);
  void Identify(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading);
  // Takes the answer to a preamble off the front. False: there is nothing else.
  static bool PassAnswer(Reading& reading, size_t index, Chunk& chunk);
  bool WithinMemory(Reading& reading);

  Options options_;
  ObservableBatch& batch_;
  InspectionCounters& counters_;
};

}  // namespace vedette
