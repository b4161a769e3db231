#include "parsers/registry.h"

#include <algorithm>

#include "parsers/preamble.h"

namespace vedette {
namespace {

// Calls ask.operator()<Protocol>() for each protocol that has a stream parser, until one answers true.
template <class Ask>
bool AnyStreamProtocol(Ask ask) {
  bool answer = false;
  ForEachProtocol([&]<class P>(P) {
    if constexpr (StreamParserType<typename P::StreamParser>) {
      if (!answer) answer = ask.template operator()<P>();
    }
  });
  return answer;
}

// The first that says yes of those for which `asked` is true.
template <class Asked>
Identity IdentifyAmong(Bytes first, Direction direction, Asked asked) {
  Identity identity;
  // A protocol that wants more bytes holds back those after it: the order decides, not the cut of the segments.
  AnyStreamProtocol([&]<class P>() {
    if (!asked.template operator()<P>()) return false;
    identity.probe = P::StreamParser::Identify(first, direction);
    if (identity.probe == Probe::kNo) return false;
    if (identity.probe == Probe::kYes) identity = {Probe::kYes, P::kId, P::StreamParser::SenderOf(first)};
    return true;
  });
  return identity;
}

}  // namespace

std::string_view NameOf(ProtocolId protocol) {
  std::string_view name = "failed";
  ForEachProtocol([&]<class P>(P) {
    if (P::kId == protocol) name = P::kName;
  });
  return name;
}

Identity IdentifyStream(Bytes first, Direction direction) {
  return IdentifyAmong(first, direction, []<class P>() { return true; });
}

bool EachMessageTells(ProtocolId protocol) {
  return !AnyStreamProtocol([&]<class P>() { return P::kId == protocol && !P::StreamParser::kEachMessageTells; });
}

namespace {

// Behind a preamble, which may be such that only what follows STARTTLS can come.
Identity IdentifyBehind(const Preamble& preamble, ProtocolId only, Bytes first, Direction direction) {
  return IdentifyAmong(first, direction, [&]<class P>() {
    return (only == ProtocolId::kUnknown || only == P::kId) &&
           (!preamble.only_tls || P::StreamParser::kFollowsStartTls);
  });
}

bool FollowsStartTls(ProtocolId protocol) {
  return AnyStreamProtocol([&]<class P>() { return P::kId == protocol && P::StreamParser::kFollowsStartTls; });
}

// Bounded by depth and by the few forms that overlap.
Identity SearchBehind(Bytes first, Direction direction, ProtocolId only, size_t depth, size_t& offset) {
  Identity answer;
  if (depth == kMaxPreambles) return answer;
  const Preambles preambles = FindPreambles(first);
  if (preambles.need_more) answer.probe = Probe::kNeedMore;
  for (size_t i = 0; i < preambles.size; ++i) {
    const Preamble& preamble = preambles.found[i];
    const Bytes rest = first.subspan(preamble.bytes);
    if (rest.empty() || (preamble.only_tls && only != ProtocolId::kUnknown && !FollowsStartTls(only))) continue;
    const Identity direct = IdentifyBehind(preamble, only, rest, direction);
    if (direct.probe == Probe::kYes) {
      offset = preamble.bytes;
      return direct;
    }
    if (direct.probe == Probe::kNeedMore) answer.probe = Probe::kNeedMore;
    size_t behind = 0;
    const Identity further = SearchBehind(rest, direction, only, depth + 1, behind);
    if (further.probe == Probe::kYes) {
      offset = preamble.bytes + behind;
      return further;
    }
    if (further.probe == Probe::kNeedMore) answer.probe = Probe::kNeedMore;
  }
  return answer;
}

}  // namespace

Identity IdentifyBehindPreamble(Bytes first, Direction direction, ProtocolId only, size_t& offset) {
  offset = 0;
  if (!MayHavePreamble(first)) return {};
  return SearchBehind(first, direction, only, 0, offset);
}

Probe ProbeStream(ProtocolId protocol, Bytes first, Direction direction) {
  return IdentifyAmong(first, direction, [&]<class P>() { return P::kId == protocol; }).probe;
}

FlowParser MakeStreamParser(ProtocolId protocol) {
  FlowParser parser;
  AnyStreamProtocol([&]<class P>() {
    if (P::kId != protocol) return false;
    parser = std::make_unique<typename P::StreamParser>();
    return true;
  });
  return parser;
}

namespace {

template <class Parser>
bool IsPortOf(uint16_t port) {
  return std::find(Parser::kPorts.begin(), Parser::kPorts.end(), port) != Parser::kPorts.end();
}

}  // namespace

bool IsOwnPort(uint16_t port) {
  bool own = false;
  ForEachProtocol([&]<class P>(P) {
    if constexpr (DatagramParserType<typename P::DatagramParser>)
      own = own || IsPortOf<typename P::DatagramParser>(port);
  });
  return own;
}

Sender SenderOfDatagram(Bytes datagram, uint16_t source_port, uint16_t destination_port) {
  Sender sender = Sender::kUnknown;
  ForEachProtocol([&]<class P>(P) {
    using Parser = typename P::DatagramParser;
    if constexpr (DatagramParserType<Parser>) {
      if (sender == Sender::kUnknown && IsPortOf<Parser>(source_port) == IsPortOf<Parser>(destination_port)) {
        sender = Parser::SenderOf(datagram);
      }
    }
  });
  return sender;
}

ObservableMask SupportedObservables() {
  // Everything but what is inside tunnels, which nothing here looks into yet.
  return ObservableMask::Where(
      [](const ObservableTraits& kind) { return !IsContext(kind.kind) && kind.kind != ObservableKind::kIpInner; });
}

}  // namespace vedette
