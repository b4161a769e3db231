// What a protocol parser is.
//
// A parser sees one flow, both ways, in the order in which the bytes became available. It is fed chunks of a stream or
// datagrams, says how it goes on, and writes what it finds into a ParserOutput. It does no I/O, reads no clock, and
// holds no more than kLimitBytes. Only framing may answer kNeedMore: what is inside a frame is parsed when the frame is
// complete.
//
// Cutting the same stream into other chunks must not change what is emitted, nor its order within one direction.
//
// What a parser has to have is a concept below; what a protocol has to say of itself is one in protocol.h.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "parsers/base/address.h"
#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser_output.h"
#include "parsers/base/protocol_id.h"

namespace vedette {

// One end of a flow.
struct Endpoint {
  IpAddress address;
  uint16_t port = 0;
};
struct ChunkEnds {
  Endpoint sender, receiver;
};

// Bytes of one direction, in order. The view holds during the call only.
struct Chunk {
  Bytes data;
  Direction direction = Direction::kToServer;
  uint32_t gap_bytes = 0;           // bytes missing right before `data`; the parser has to find its place again
  bool start = false;               // `data` begins where the connection begins (its handshake was seen)
  bool end = false;                 // nothing follows in this direction (FIN, RST, time-out or the end of the capture)
  uint64_t time_ns = 0;             // packet time, nanoseconds since 1970
  const ChunkEnds* ends = nullptr;  // who sent `data` to whom; null: not told. Holds during the call only
};

// A datagram. The view holds during the call only.
struct Datagram {
  Bytes data;
  Direction direction = Direction::kToServer;
  size_t missing_bytes = 0;  // cut off its end by the capture
  bool on_own_port = false;  // one of the flow's ports is among the parser's kPorts
  uint64_t time_ns = 0;      // packet time, nanoseconds since 1970
};

enum class Progress : uint8_t {
  kNeedMore,   // feed on
  kDone,       // nothing more to learn from this flow: do not feed again
  kMalformed,  // not this protocol after all, or broken: do not feed again
  kSkip,       // the next `skip_bytes` of this direction hold nothing to see; feed what follows them
  kHandOver,   // another protocol follows in both directions, from the byte after `consumed` on
};

struct Outcome {
  Progress progress = Progress::kNeedMore;
  uint64_t skip_bytes = 0;                 // kSkip: counted from the end of the chunk; kSkipAll: to the end
  size_t consumed = 0;                     // kHandOver: bytes of the chunk that were this protocol's
  ProtocolId next = ProtocolId::kUnknown;  // kHandOver: kUnknown lets the bytes decide

  static constexpr uint64_t kSkipAll = std::numeric_limits<uint64_t>::max();

  static Outcome NeedMore() { return {}; }
  static Outcome Done() { return {.progress = Progress::kDone}; }
  static Outcome Malformed() { return {.progress = Progress::kMalformed}; }
  static Outcome Skip(uint64_t bytes) { return {.progress = Progress::kSkip, .skip_bytes = bytes}; }
  static Outcome HandOver(size_t consumed, ProtocolId next = ProtocolId::kUnknown) {
    return {.progress = Progress::kHandOver, .consumed = consumed, .next = next};
  }
};

// Whether bytes are the beginning of a protocol's message. Never judged by a port alone.
enum class Probe : uint8_t { kNo, kYes, kNeedMore };

// The end that sends such a first message, where the bytes tell.
enum class Sender : uint8_t { kUnknown, kClient, kServer };

// What both kinds of parser bound.
template <class P>
concept BoundedParser = requires(const P& constant) {
  { P::kLimitBytes } -> std::convertible_to<size_t>;        // most bytes it holds, both directions together
  { P::kMaxStateBytes } -> std::convertible_to<size_t>;     // its own size at most, beside what it holds
  { constant.HeldBytes() } -> std::convertible_to<size_t>;  // bytes held now, for the memory bound
  requires sizeof(P) <= P::kMaxStateBytes;
};

template <class P>
concept StreamParserType = BoundedParser<P> &&
    requires(P parser, const P& constant, Bytes first, const Chunk& chunk, ParserOutput& out) {
  { P::Identify(first, Direction::kToServer) } -> std::same_as<Probe>;  // first bytes of a direction, or of a segment
  { P::SenderOf(first) } -> std::same_as<Sender>;                       // of bytes for which Identify said kYes
  { parser.Feed(chunk, out) } -> std::same_as<Outcome>;
  // Whether the bytes fed in that direction ended within a message, so that the next ones cannot be read without them.
  { constant.InMessage(Direction::kToServer) } -> std::same_as<bool>;
  // Chunk::ends is filled in.
  { P::kReadsEnds } -> std::convertible_to<bool>;
  // It is what a command such as STARTTLS asks for: looked for behind a preamble (preamble.h) after which no other may
  // come.
  { P::kFollowsStartTls } -> std::convertible_to<bool>;
  // Where it began behind a preamble, the other direction may begin with an answer to that. False: Chunk::start is not
  // set then, since its own first message may not be there. True: it wants to know of the connection's start alone.
  { P::kStartCountsBehindAnswer } -> std::convertible_to<bool>;
  // Whether each of its messages tells the protocol. False: where a stream is read once more from its middle, it is
  // taken for what it was.
  { P::kEachMessageTells } -> std::convertible_to<bool>;
};

// A stream parser that passes over content (content.h). Where somebody wants it, it is told the bytes that it skipped;
// of `gap_bytes` before `data` nothing is known. They are never more than its last Outcome::Skip said.
template <class P>
concept ContentParserType = requires(P parser, Bytes data, ParserOutput& out) {
  parser.PassContent(Direction::kToServer, uint64_t{}, data, out);
};

// A datagram parser. Feed answers kMalformed for a datagram that is none of its protocol's; nothing was written then.
// One that keeps a state is made for a flow that begins with a datagram for which Begins is true, and kDone ends it. Of
// one that keeps none, every datagram stands for itself, and Feed is static.
template <class P>
concept DatagramParserType = BoundedParser<P> && requires(P parser, const Datagram& datagram, ParserOutput& out) {
  { P::kKeepsState } -> std::convertible_to<bool>;
  // Ports that are known for the protocol. They may make the reading lenient, and decide nothing.
  { *P::kPorts.begin() } -> std::convertible_to<uint16_t>;
  { parser.Feed(datagram, out) } -> std::same_as<Outcome>;
  // Who sends it, where the bytes tell without doubt; a datagram of any other protocol, too, is passed here.
  { P::SenderOf(datagram.data) } -> std::same_as<Sender>;
  // Whether SenderOf can tell from other datagrams than a flow's first.
  { P::kLaterTellsSender } -> std::convertible_to<bool>;
  requires P::kKeepsState || requires { P::Feed(datagram, out); };
  requires !P::kKeepsState || requires {
    { P::Begins(datagram) } -> std::same_as<bool>;
  };
};

}  // namespace vedette
