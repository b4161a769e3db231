// The protocols that are built in: one line each in StreamParserList.
//
// Streams are recognised by their bytes: IdentifyStream asks each parser in turn.
#pragma once

#include <memory>
#include <tuple>
#include <variant>

#include "parsers/base/parser.h"
#include "parsers/dns/dns.h"
#include "parsers/http/http1.h"
#include "parsers/openvpn/openvpn.h"
#include "parsers/tls/tls.h"

namespace vedette {

// Asked in this order; the first that says yes has the stream.
using StreamParserList = std::tuple<TlsParser, Http1Parser, OpenVpnParser, DnsStreamParser>;

namespace registry_internal {
template <class Tuple>
struct ParserVariant;
template <class... P>
struct ParserVariant<std::tuple<P...>> {
  static_assert((StreamParserType<P> && ...));
  using Type = std::variant<std::monostate, std::unique_ptr<P>...>;
};
}  // namespace registry_internal

// The one parser of a flow, or none. Each is allocated at its own size.
using StreamParser = registry_internal::ParserVariant<StreamParserList>::Type;

// The end that sends such a first message, where the bytes tell.
enum class Sender : uint8_t { kUnknown, kClient, kServer };

struct Identity {
  Probe probe = Probe::kNo;
  ProtocolId protocol = ProtocolId::kUnknown;  // kYes only
  Sender sender = Sender::kUnknown;            // kYes only
};

// `first`: what a direction begins with, or a segment of it.
Identity IdentifyStream(Bytes first, Direction direction);

// As IdentifyStream for a protocol that begins within `first`, behind preambles (preamble.h). kYes: it begins at
// `offset`. `only`: looks for that protocol alone; kUnknown: for any. kNeedMore where a preamble, or what follows it,
// is not whole.
Identity IdentifyBehindPreamble(Bytes first, Direction direction, ProtocolId only, size_t& offset);

// What the parser of that one protocol says to them; kNo for kUnknown.
Probe ProbeStream(ProtocolId protocol, Bytes first, Direction direction);

// An empty parser of the protocol; no parser for kUnknown.
StreamParser MakeStreamParser(ProtocolId protocol);

// Most bytes at the front of a direction that a decision needs; a parser that still says kNeedMore then is not it.
constexpr size_t kStreamIdentifyBytes = 256;  // an HTTP request line that ends later is judged by its beginning

// The kinds that the parsers of this build can emit, with the addresses and payload that every packet shows.
ObservableMask SupportedObservables();

}  // namespace vedette
