// The protocols that are built in: a list of their descriptions, from which everything that depends on a protocol
// derives.
//
// Streams and datagrams are recognised by their bytes: IdentifyStream asks each stream parser in turn, and the flow's
// reader each datagram parser.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <variant>

#include "parsers/base/protocol.h"
#include "parsers/dns/dns_protocol.h"
#include "parsers/dtls/dtls_protocol.h"
#include "parsers/http/http_protocol.h"
#include "parsers/openvpn/openvpn_protocol.h"
#include "parsers/ssh/ssh_protocol.h"
#include "parsers/tls/tls_protocol.h"

namespace vedette {

// Asked in this order; the first that says yes has the flow.
using ProtocolList = std::tuple<TlsProtocol, SshProtocol, HttpProtocol, DtlsProtocol, OpenVpnProtocol, DnsProtocol>;

namespace registry_internal {

template <class P>
using ListOf = std::conditional_t<std::is_same_v<P, NoParser>, std::tuple<>, std::tuple<P>>;
template <class List>
struct Parsers;
template <class... P>
struct Parsers<std::tuple<P...>> {
  static_assert((ProtocolType<P> && ...));
  using Stream = decltype(std::tuple_cat(std::declval<ListOf<typename P::StreamParser>>()...));
  using Datagram = decltype(std::tuple_cat(std::declval<ListOf<typename P::DatagramParser>>()...));
  // Numbers from 1 on, none twice.
  static constexpr bool kNumbered = [] {
    std::array<bool, sizeof...(P) + 1> taken{};
    bool good = true;
    const auto take = [&](size_t number) {
      good = good && number <= sizeof...(P) && !taken[number];
      if (good) taken[number] = true;
    };
    (take(static_cast<size_t>(P::kId)), ...);
    return good;
  }();
  static_assert(kNumbered);
};

template <class P>
constexpr bool kIsHeld = StreamParserType<P>;
template <DatagramParserType P>
constexpr bool kIsHeld<P> = P::kKeepsState;
template <class Streams, class Datagrams>
struct Held;
template <class... S, class... D>
struct Held<std::tuple<S...>, std::tuple<D...>> {
  template <class P>
  using Place = std::conditional_t<kIsHeld<P>, std::tuple<std::unique_ptr<P>>, std::tuple<>>;
  template <class... T>
  static std::variant<std::monostate, T...> VariantOf(std::tuple<T...>);
  using Type = decltype(VariantOf(std::tuple_cat(std::declval<Place<S>>()..., std::declval<Place<D>>()...)));
};

}  // namespace registry_internal

using StreamParserList = registry_internal::Parsers<ProtocolList>::Stream;
using DatagramParserList = registry_internal::Parsers<ProtocolList>::Datagram;

// Protocols and kUnknown: all ProtocolIds are below.
constexpr size_t kProtocolIds = std::tuple_size_v<ProtocolList> + 1;

// Calls visit with an object of each description, in the order of the list.
template <class Visit>
constexpr void ForEachProtocol(Visit visit) {
  std::apply([&](auto... protocol) { (visit(protocol), ...); }, ProtocolList());
}

// Calls visit(CounterLimit, ProtocolId, its number within the protocol) for each counter that a protocol names.
template <class Visit>
void ForEachProtocolCounter(Visit visit) {
  ForEachProtocol([&]<class P>(P) {
    for (size_t i = 0; i < P::kCounters.size(); ++i) visit(P::kCounters[i], P::kId, i);
  });
}

// The one parser of a flow, or none: any stream parser, or a datagram parser that keeps a state. Each is allocated at
// its own size.
using FlowParser = registry_internal::Held<StreamParserList, DatagramParserList>::Type;

// The protocol of a parser type.
template <class Parser>
constexpr ProtocolId ProtocolOfParser() {
  ProtocolId id = ProtocolId::kUnknown;
  ForEachProtocol([&]<class P>(P) {
    if (std::is_same_v<Parser, typename P::StreamParser> || std::is_same_v<Parser, typename P::DatagramParser>) {
      id = P::kId;
    }
  });
  return id;
}

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

// What the stream parser of that one protocol says to them; kNo for kUnknown.
Probe ProbeStream(ProtocolId protocol, Bytes first, Direction direction);

// Whether that protocol's stream parser can be told from any of its messages; true for one without.
bool EachMessageTells(ProtocolId protocol);

// An empty stream parser of the protocol; no parser for kUnknown.
FlowParser MakeStreamParser(ProtocolId protocol);

// Most bytes at the front of a direction that a decision needs; a parser that still says kNeedMore then is not it.
constexpr size_t kStreamIdentifyBytes = 256;  // an HTTP request line that ends later is judged by its beginning

// Whether a datagram parser knows the port for its protocol.
bool IsOwnPort(uint16_t port);
// Which end sends such a datagram, where a parser can tell (DatagramParserType::SenderOf). Where one port alone is that
// protocol's own, its end is the server's, and a datagram that says otherwise is a trick: kUnknown.
Sender SenderOfDatagram(Bytes datagram, uint16_t source_port, uint16_t destination_port);
// Whether any datagram of the protocol's flows may tell.
constexpr bool LaterDatagramTellsSender(ProtocolId protocol) {
  bool tells = protocol == ProtocolId::kUnknown;
  ForEachProtocol([&]<class P>(P) {
    if constexpr (DatagramParserType<typename P::DatagramParser>) {
      if (P::kId == protocol) tells = P::DatagramParser::kLaterTellsSender;
    }
  });
  return tells;
}

// The kinds that the parsers of this build can emit, with the addresses and payload that every packet shows.
ObservableMask SupportedObservables();

}  // namespace vedette
