// What a protocol parser is.
//
// A stream parser sees one flow, both ways, in the order in which the bytes became available. It is fed chunks, says
// how it goes on, and writes observables. It does no I/O, reads no clock, and holds no more than kLimitBytes. Only
// framing may answer kNeedMore: what stands inside a frame is parsed when the frame is complete.
//
// Cutting the same bytes into other chunks must not change what is emitted, nor its order within one direction.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "parsers/base/address.h"
#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"

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

enum class Progress : uint8_t {
  kNeedMore,   // feed on
  kDone,       // nothing more to learn from this flow: do not feed again
  kMalformed,  // not this protocol after all, or broken: do not feed again
  kSkip,       // the next `skip_bytes` of this direction hold nothing to see; feed what follows them
  kHandOver,   // another protocol follows in both directions, from the byte after `consumed` on
};

enum class ProtocolId : uint8_t { kUnknown, kDns, kHttp, kTls, kOpenVpn, kCount };
std::string_view NameOf(ProtocolId protocol);  // EVE's app_proto: "dns", "openvpn", …; "failed" where unknown

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

template <class P>
concept StreamParserType = requires(P parser, const P& constant, Bytes first, const Chunk& chunk,
                                    ObservableBatch& out) {
  { P::kProtocol } -> std::convertible_to<ProtocolId>;
  { P::kLimitBytes } -> std::convertible_to<size_t>;                    // most bytes it holds, both directions together
  { P::Identify(first, Direction::kToServer) } -> std::same_as<Probe>;  // first bytes of a direction, or of a segment
  { parser.Feed(chunk, out) } -> std::same_as<Outcome>;
  { constant.HeldBytes() } -> std::convertible_to<size_t>;  // bytes held now, for the memory bound
  // Whether the bytes fed in that direction ended within a message, so that the next ones cannot be read without them.
  { constant.InMessage(Direction::kToServer) } -> std::same_as<bool>;
};

}  // namespace vedette
