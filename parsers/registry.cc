#include "parsers/registry.h"

#include "parsers/preamble.h"

namespace vedette {
namespace {

template <class P>
bool Ask(Bytes first, Direction direction, Identity& identity, bool& need_more) {
  switch (P::Identify(first, direction)) {
    case Probe::kYes:
      identity.probe = Probe::kYes;
      identity.protocol = P::kProtocol;
      return true;
    case Probe::kNeedMore:
      need_more = true;
      return false;
    case Probe::kNo:
      return false;
  }
  return false;
}

template <class... P>
Identity AskAll(Bytes first, Direction direction, std::tuple<P...>*) {
  Identity identity;
  bool need_more = false;
  // A protocol that wants more bytes holds back those after it: the order decides, not the cut of the segments.
  const bool found = ((need_more ? false : Ask<P>(first, direction, identity, need_more)) || ...);
  if (!found && need_more) identity.probe = Probe::kNeedMore;
  return identity;
}

template <class... P>
Probe AskOne(ProtocolId protocol, Bytes first, Direction direction, std::tuple<P...>*) {
  Probe probe = Probe::kNo;
  ((P::kProtocol == protocol ? void(probe = P::Identify(first, direction)) : void()), ...);
  return probe;
}

Sender SenderOf(ProtocolId protocol, Bytes first) {
  constexpr uint8_t kClientHello = 1, kServerHello = 2;  // RFC 8446 section 4
  constexpr uint8_t kHardResetClient = 7;                // openvpn.h, behind the length
  switch (protocol) {
    case ProtocolId::kHttp:
      return AsText(first).substr(0, 5) == "HTTP/" ? Sender::kServer : Sender::kClient;
    case ProtocolId::kTls:
      if (first.size() > 5 && first[0] == 22 && first[5] == kClientHello) return Sender::kClient;
      if (first.size() > 5 && first[0] == 22 && first[5] == kServerHello) return Sender::kServer;
      return Sender::kUnknown;
    case ProtocolId::kOpenVpn:
      if (first.size() > 2) return first[2] >> 3 == kHardResetClient ? Sender::kClient : Sender::kServer;
      return Sender::kUnknown;
    case ProtocolId::kDns:
      if (first.size() > 4) return first[4] & 0x80 ? Sender::kServer : Sender::kClient;  // QR bit behind the length
      return Sender::kUnknown;
    default:
      return Sender::kUnknown;
  }
}

template <class... P>
StreamParser Make(ProtocolId protocol, std::tuple<P...>*) {
  StreamParser parser;
  const auto make = [&]<class One>(std::unique_ptr<One>*) {
    if (One::kProtocol == protocol) parser = std::make_unique<One>();
  };
  (make(static_cast<std::unique_ptr<P>*>(nullptr)), ...);
  return parser;
}

}  // namespace

std::string_view NameOf(ProtocolId protocol) {
  switch (protocol) {
    case ProtocolId::kDns:
      return "dns";
    case ProtocolId::kHttp:
      return "http";
    case ProtocolId::kTls:
      return "tls";
    case ProtocolId::kOpenVpn:
      return "openvpn";
    default:
      return "failed";
  }
}

Identity IdentifyStream(Bytes first, Direction direction) {
  Identity identity = AskAll(first, direction, static_cast<StreamParserList*>(nullptr));
  if (identity.probe == Probe::kYes) identity.sender = SenderOf(identity.protocol, first);
  return identity;
}

namespace {

Identity IdentifyOnly(ProtocolId only, Bytes first, Direction direction) {
  if (only == ProtocolId::kUnknown) return IdentifyStream(first, direction);
  Identity identity{.probe = ProbeStream(only, first, direction), .protocol = only};
  if (identity.probe == Probe::kYes) identity.sender = SenderOf(only, first);
  return identity;
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
    if (rest.empty() || (preamble.only_tls && only != ProtocolId::kUnknown && only != ProtocolId::kTls)) continue;
    const Identity direct = IdentifyOnly(preamble.only_tls ? ProtocolId::kTls : only, rest, direction);
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
  return AskOne(protocol, first, direction, static_cast<StreamParserList*>(nullptr));
}

StreamParser MakeStreamParser(ProtocolId protocol) { return Make(protocol, static_cast<StreamParserList*>(nullptr)); }

ObservableMask SupportedObservables() {
  // Everything but what is inside tunnels, which nothing here looks into yet.
  return ObservableMask::Where(
      [](const ObservableTraits& kind) { return !IsContext(kind.kind) && kind.kind != ObservableKind::kIpInner; });
}

}  // namespace vedette
