// One reading of a stream by the protocol parsers: which protocol it is, and what its parser wants to see next.
//
// A stream has one reading as a rule. It has a second where copies of the same bytes differ, or where the stream went
// on at another place: see stream_inspector.h.
#pragma once

#include <cstdint>
#include <string>

#include "parsers/base/observable.h"
#include "parsers/registry.h"
#include "sensor/flow/flow.h"
#include "sensor/flow/inspection_counters.h"

namespace vedette {

// Arrays are indexed by the flow's direction.
struct Reading {
  FlowParser parser;
  uint64_t skip[2] = {0, 0};  // bytes that the parser does not want to see
  std::string first[2];       // bytes held until a protocol is recognised; at most kStreamIdentifyBytes
  bool first_start[2] = {false, false};
  uint8_t attempts[2] = {0, 0};         // segments that no protocol knew
  bool answer_due[2] = {false, false};  // the protocol began behind something that this direction may still answer
  uint8_t hand_overs = 0;
  // Of the leading reading: the bytes from where the message began within which the last chunk began or ended, up to
  // the place; empty where it did neither. Another copy of the chunk's bytes is read behind those before it.
  std::string message[2];
  bool message_start[2] = {false, false};  // … and that is where the connection begins
  bool over = false;                       // no parser will look again …
  bool complete = false;                   // … because it has seen everything
  uint32_t parser_held = 0;                // bytes, as counted in InspectionCounters::parser_held_bytes; with `message`

  bool identified() const { return !std::holds_alternative<std::monostate>(parser); }
  void SwapEnds();
  size_t memory_bytes() const;  // beside what is counted in parser_held
};

// Feeds the readings of one worker's flows. Not thread safe.
class StreamReader {
 public:
  struct Options {
    size_t parser_bytes;  // held by all parsers together
  };
  // Kept of a message that is not complete: what certificate chains and the heads of ordinary requests take. Of a
  // longer one nothing is kept, and another copy of its bytes is read without its beginning.
  static constexpr size_t kMaxMessageBytes = size_t{32} << 10;
  // `batch` and `counters` outlive the reader.
  StreamReader(const Options& options, ObservableBatch& batch, InspectionCounters& counters)
      : options_(options),
        out_(batch, counters.protocols),
        told_before_out_(told_before_, counters.protocols),
        counters_(counters) {}

  // The next bytes of direction `index`. `chunk.direction` is what is believed of it; where the bytes tell that the
  // client is at the other end and the flow does not know yet, `flip` changes, and the direction of what follows with
  // it. The leading reading is the one that says which protocol the flow has.
  void FeedLeading(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool& flip);
  void FeedSecond(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool& flip) {
    Feed(flow, reading, index, chunk, flip, false);
  }
  // As FeedSecond, of bytes that the leading reading has read: what they show is not told again.
  void FeedQuietly(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool& flip);
  // The next datagram of a flow whose parser keeps a state.
  void FeedDatagram(Reading& reading, const Datagram& datagram);
  // From here on content goes to these (parsers/base/content.h), which outlive its streams; null: to nobody.
  void UseContent(ContentConsumers* consumers) {
    passes_content_ = consumers != nullptr;
    for (ParserOutput* output : {&out_, &told_before_out_}) output->UseConsumers(consumers);
  }
  // What parsers write to that keep none.
  ParserOutput& output() { return out_; }
  // The reading is not needed any more.
  void Release(Reading& reading);

 private:
  void Feed(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading);
  void KeepMessage(Reading& reading, size_t index, const Chunk& chunk, bool began_within);
  void Parse(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading);
  // Feeds the parser once. False: the reading is over, or handed over with `rest` still to be identified.
  bool FeedParser(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool leading, Bytes& rest);
  // Tells the parser what it skipped, where somebody wants content.
  void PassContent(Reading& reading, Direction direction, uint64_t gap_bytes, Bytes data);
  void Identify(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading);
  void OnIdentified(Flow& flow, const Identity& identity, Chunk& chunk, bool& flip, bool leading);
  bool FeedEarlier(Flow& flow, Reading& reading, size_t other, const Chunk& chunk, ProtocolId protocol, bool leading);
  void CountHeld(Reading& reading);
  // Takes the answer to a preamble off the front. False: there is nothing else.
  static bool PassAnswer(Reading& reading, size_t index, Chunk& chunk);
  bool WithinMemory(Reading& reading);
  void Stop(Reading& reading);  // no parser will look again

  Options options_;
  ParserOutput out_;
  ObservableBatch told_before_;
  ParserOutput told_before_out_;
  ParserOutput* to_ = &out_;  // one of the two
  bool passes_content_ = false;
  InspectionCounters& counters_;
};

}  // namespace vedette
