#include "sensor/flow/reading.h"

#include <algorithm>
#include <utility>

#include "parsers/preamble.h"
#include "sensor/flow/inspection_counters.h"

namespace vedette {
namespace {

// A protocol begins at a segment's start. In mid-stream, or behind a preamble, it may take some segments until one
// does; after that many in a direction it is taken for unknown.
constexpr uint8_t kMaxAttempts = 16;
// CONNECT inside CONNECT and the like; each costs a parser.
constexpr uint8_t kMaxHandOvers = 8;

size_t HeldBy(const FlowParser& parser) {
  return std::visit(
      [](const auto& p) -> size_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
          return 0;
        } else {
          return p->HeldBytes();
        }
      },
      parser);
}

bool IsInMessage(const Reading& reading, size_t index, Direction direction) {
  return std::visit(
      [&](const auto& p) -> bool {
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
          return !reading.first[index].empty();
        } else if constexpr (StreamParserType<std::decay_t<decltype(*p)>>) {
          return p->InMessage(direction);
        } else {
          return false;
        }
      },
      reading.parser);
}

// Of what goes in direction `index`.
ChunkEnds EndsOf(const Flow& flow, size_t index) {
  const Endpoint client = {ClientOf(flow), flow.client_port}, server = {ServerOf(flow), flow.server_port};
  return index == 0 ? ChunkEnds{client, server} : ChunkEnds{server, client};
}

ProtocolId ProtocolOf(const FlowParser& parser) {
  return std::visit(
      [](const auto& p) {
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
          return ProtocolId::kUnknown;
        } else {
          return ProtocolOfParser<std::decay_t<decltype(*p)>>();
        }
      },
      parser);
}

bool StartCountsBehindAnswer(const FlowParser& parser) {
  return std::visit(
      [](const auto& p) {
        if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
          return false;
        } else if constexpr (StreamParserType<std::decay_t<decltype(*p)>>) {
          return std::decay_t<decltype(*p)>::kStartCountsBehindAnswer;
        } else {
          return false;
        }
      },
      parser);
}

// What begins at the front of the bytes, or behind a preamble in them: at `offset`.
Identity IdentifyAnywhere(Bytes bytes, Direction direction, bool may_have_preamble, size_t& offset) {
  offset = 0;
  const Identity identity = IdentifyStream(bytes, direction);
  if (identity.probe == Probe::kYes || !may_have_preamble || !MayHavePreamble(bytes)) return identity;
  const Identity behind = IdentifyBehindPreamble(bytes, direction, ProtocolId::kUnknown, offset);
  return behind.probe == Probe::kNo ? identity : behind;
}

// Whether the bytes are a protocol's, or may become so with those to come.
bool IsOpen(const Identity& identity, Bytes bytes) {
  return identity.probe == Probe::kYes || (identity.probe == Probe::kNeedMore && bytes.size() < kStreamIdentifyBytes);
}

}  // namespace

void Reading::SwapEnds() {
  std::swap(message[0], message[1]);
  std::swap(message_start[0], message_start[1]);
  std::swap(skip[0], skip[1]);
  std::swap(first[0], first[1]);
  std::swap(first_start[0], first_start[1]);
  std::swap(attempts[0], attempts[1]);
  std::swap(answer_due[0], answer_due[1]);
}

size_t Reading::memory_bytes() const {
  size_t bytes = 0;
  for (const std::string& text : first) {
    if (text.capacity() > std::string().capacity()) bytes += text.capacity() + 1;
  }
  return bytes + std::visit(
                     [](const auto& p) -> size_t {
                       if constexpr (std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
                         return 0;
                       } else {
                         return sizeof *p;
                       }
                     },
                     parser);
}

void StreamReader::FeedLeading(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool& flip) {
  // In the middle of a body.
  if (reading.skip[index] >= chunk.gap_bytes + chunk.data.size() && reading.message[index].empty() && !chunk.end) {
    if (reading.skip[index] != Outcome::kSkipAll) reading.skip[index] -= chunk.gap_bytes + chunk.data.size();
    if (passes_content_) PassContent(reading, chunk.direction, chunk.gap_bytes, chunk.data);
    return;
  }
  const bool was_over = reading.over, flipped = flip;
  const bool began_within = !was_over && IsInMessage(reading, index, chunk.direction);
  Feed(flow, reading, index, chunk, flip, true);
  const Direction direction = flip == flipped ? chunk.direction : Opposite(chunk.direction);
  // Bytes at which a parser gave up may not be those that the receiver took.
  const bool gave_up = reading.over && !was_over && !reading.complete;
  const bool ends_within = gave_up || (!reading.over && IsInMessage(reading, index, direction));
  if (began_within || ends_within) {
    KeepMessage(reading, index, chunk, began_within);
  } else if (!reading.message[index].empty()) {
    reading.message[index] = std::string();
    CountHeld(reading);
  }
}

void StreamReader::KeepMessage(Reading& reading, size_t index, const Chunk& chunk, bool began_within) {
  std::string& message = reading.message[index];
  if (!began_within) {
    message.clear();
    reading.message_start[index] = chunk.start;
  } else if (message.empty()) {
    return;  // its beginning is missing, or it is too long
  }
  const size_t bytes = message.size() + chunk.data.size();
  // Half of the room is the parsers': unfinished messages of many flows must not end the parsers of others.
  const bool room = counters_.parser_held_bytes + bytes <= options_.parser_bytes / 2;
  if (chunk.gap_bytes != 0 || bytes > kMaxMessageBytes || !room) {
    message = std::string();
  } else {
    message.append(AsText(chunk.data));
  }
  CountHeld(reading);
}

void StreamReader::FeedQuietly(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool& flip) {
  told_before_.set_wanted(out_.values().wanted());
  to_ = &told_before_out_;
  Feed(flow, reading, index, chunk, flip, false);
  to_ = &out_;
  told_before_.Clear();
}

void StreamReader::Feed(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading) {
  if (reading.over) return;
  // What the parser does not want to see may be missing as well.
  if (reading.skip[index] != 0) {
    const uint64_t missing = std::min<uint64_t>(reading.skip[index], chunk.gap_bytes);
    chunk.gap_bytes -= static_cast<uint32_t>(missing);
    const uint64_t passed =
        chunk.gap_bytes == 0 ? std::min<uint64_t>(reading.skip[index] - missing, chunk.data.size()) : 0;
    if (reading.skip[index] != Outcome::kSkipAll) reading.skip[index] -= missing + passed;
    if (passes_content_) PassContent(reading, chunk.direction, missing, chunk.data.first(passed));
    chunk.data = chunk.data.subspan(passed);
    chunk.start = chunk.start && passed == 0;
    if (chunk.data.empty() && chunk.gap_bytes == 0 && !chunk.end) return;
  }
  Parse(flow, reading, index, chunk, flip, leading);
}

void StreamReader::PassContent(Reading& reading, Direction direction, uint64_t gap_bytes, Bytes data) {
  std::visit(
      [&](auto& parser) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(parser)>, std::monostate>) {
          if constexpr (ContentParserType<std::decay_t<decltype(*parser)>>) {
            parser->PassContent(direction, gap_bytes, data, *to_);
          }
        }
      },
      reading.parser);
  (void)WithinMemory(reading);
}

void StreamReader::Parse(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading) {
  while (!reading.over) {
    if (!reading.identified()) {
      Identify(flow, reading, index, chunk, flip, leading);
      return;
    }
    if (reading.answer_due[index] && !PassAnswer(reading, index, chunk)) return;
    Bytes rest;
    if (FeedParser(flow, reading, index, chunk, leading, rest) || reading.over) return;
    chunk.data = rest;  // handed over: what follows is another protocol's beginning
    chunk.gap_bytes = 0;
    chunk.start = false;
    if (rest.empty()) return;
  }
}

// An answer alone is passed over, what it comes with is not: "05 00" of SOCKS, "220 Ready" before a ServerHello.
bool StreamReader::PassAnswer(Reading& reading, size_t index, Chunk& chunk) {
  // It may not begin where the connection does.
  if (!StartCountsBehindAnswer(reading.parser)) chunk.start = false;
  if (chunk.gap_bytes != 0) reading.answer_due[index] = false;
  if (!reading.answer_due[index] || chunk.data.empty()) return true;
  const ProtocolId protocol = ProtocolOf(reading.parser);
  if (ProbeStream(protocol, chunk.data, chunk.direction) == Probe::kYes) {
    reading.answer_due[index] = false;
    return true;
  }
  size_t offset = 0;
  if (IdentifyBehindPreamble(chunk.data, chunk.direction, protocol, offset).probe == Probe::kYes) {
    chunk.data = chunk.data.subspan(offset);
    reading.answer_due[index] = false;
    return true;
  }
  const Preambles answers = FindPreambles(chunk.data);
  for (size_t i = 0; i < answers.size; ++i) {
    if (answers.found[i].bytes == chunk.data.size() && !chunk.end) return false;
  }
  reading.answer_due[index] = false;
  return true;
}

bool StreamReader::FeedParser(Flow& flow, Reading& reading, size_t index, const Chunk& chunk, bool leading,
                              Bytes& rest) {
  const Outcome outcome = std::visit(
      [&](auto& parser) -> Outcome {
        if constexpr (std::is_same_v<std::decay_t<decltype(parser)>, std::monostate>) {
          return Outcome::Malformed();
        } else if constexpr (!StreamParserType<std::decay_t<decltype(*parser)>>) {
          return Outcome::Malformed();
        } else if constexpr (std::decay_t<decltype(*parser)>::kReadsEnds) {
          const ChunkEnds ends = EndsOf(flow, index);
          Chunk told = chunk;
          told.ends = &ends;
          return parser->Feed(told, *to_);
        } else {
          return parser->Feed(chunk, *to_);
        }
      },
      reading.parser);
  if (!WithinMemory(reading)) return false;
  switch (outcome.progress) {
    case Progress::kNeedMore:
      return true;
    case Progress::kSkip:
      reading.skip[index] = outcome.skip_bytes;
      return true;
    case Progress::kDone:
      reading.complete = true;
      Stop(reading);
      return false;
    case Progress::kMalformed:
      if (leading) ++counters_.malformed;
      Stop(reading);
      return false;
    case Progress::kHandOver:
      if (++reading.hand_overs > kMaxHandOvers) {
        ++counters_.hand_over_limit_hit;
        Stop(reading);
        return false;
      }
      rest = chunk.data.subspan(std::min(outcome.consumed, chunk.data.size()));
      reading.skip[0] = reading.skip[1] = 0;
      reading.attempts[0] = reading.attempts[1] = 0;
      reading.answer_due[1 - index] = true;  // a tunnel's bytes may come before the answer that opens it
      reading.parser = MakeStreamParser(outcome.next);
      CountHeld(reading);
      if (outcome.next != ProtocolId::kUnknown && leading) flow.app = outcome.next;
      return false;
  }
  return false;
}

void StreamReader::CountHeld(Reading& reading) {
  size_t held = HeldBy(reading.parser);
  for (const std::string& message : reading.message) held += message.empty() ? 0 : message.capacity();
  counters_.parser_held_bytes += held;
  counters_.parser_held_bytes -= reading.parser_held;
  reading.parser_held = static_cast<uint32_t>(held);
}

// Counts what is held now. False: all readings together held too much, and this one went.
bool StreamReader::WithinMemory(Reading& reading) {
  CountHeld(reading);
  if (counters_.parser_held_bytes <= options_.parser_bytes) return true;
  ++counters_.parser_limit_hit;
  Stop(reading);
  return false;
}

void StreamReader::Identify(Flow& flow, Reading& reading, size_t index, Chunk chunk, bool& flip, bool leading) {
  std::string& first = reading.first[index];
  if (chunk.gap_bytes != 0) first.clear();
  if (chunk.data.empty()) return;
  const Bytes segment = chunk.data;
  bool joined = !first.empty();
  if (joined) {
    first.append(AsText(segment));
    chunk.data = AsBytes(first);
    chunk.start = reading.first_start[index];
  }
  size_t offset = 0;  // where in chunk.data it begins
  const bool early = reading.attempts[index] < kMaxAttempts;
  Identity identity = IdentifyAnywhere(chunk.data, chunk.direction, early, offset);
  if (joined && !IsOpen(identity, chunk.data)) {
    // What was held is another protocol's and over: a greeting, a request for TLS and the answer to it.
    identity = IdentifyAnywhere(segment, chunk.direction, early, offset);
    first.clear();
    joined = false;
    chunk.data = segment;
    chunk.start = false;
  }
  if (identity.probe == Probe::kNeedMore && chunk.data.size() < kStreamIdentifyBytes) {
    if (!joined) {
      first.assign(AsText(chunk.data));
      reading.first_start[index] = chunk.start;
    }
    return;
  }
  if (identity.probe != Probe::kYes) {
    first.clear();
    if (++reading.attempts[index] >= kMaxAttempts && reading.attempts[1 - index] >= kMaxAttempts) Stop(reading);
    // One side alone may be all that the capture has.
    if (reading.attempts[index] >= 4 * kMaxAttempts) Stop(reading);
    return;
  }
  OnIdentified(flow, identity, chunk, flip, leading);
  reading.parser = MakeStreamParser(identity.protocol);
  reading.answer_due[1 - index] = !chunk.start || offset != 0;
  chunk.gap_bytes = 0;                       // it begins here
  const std::string own = std::move(first);  // keeps joined bytes alive while they are fed
  first.clear();
  if (joined) chunk.data = AsBytes(own);
  chunk.data = chunk.data.subspan(offset);
  if (!FeedEarlier(flow, reading, 1 - index, chunk, identity.protocol, leading)) return;
  Parse(flow, reading, index, chunk, flip, leading);
}

// The flow is of this protocol from here on, and its ends are told by who sends such bytes.
void StreamReader::OnIdentified(Flow& flow, const Identity& identity, Chunk& chunk, bool& flip, bool leading) {
  if (leading || flow.app == ProtocolId::kUnknown) {
    flow.app = identity.protocol;
    ++counters_.flows_by_protocol[static_cast<size_t>(identity.protocol)];
  }
  if (!flow.client_known && identity.sender != Sender::kUnknown) {
    const bool sent_by_server = identity.sender == Sender::kServer;
    const bool goes_to_client = chunk.direction == Direction::kToClient;
    if (sent_by_server != goes_to_client) {
      flip = !flip;
      chunk.direction = Opposite(chunk.direction);
    } else {
      flow.client_known = true;
    }
  }
}

// What the side `other` said before, too short to tell by itself, came first: where it may be this protocol's. False:
// the parser ended with it.
bool StreamReader::FeedEarlier(Flow& flow, Reading& reading, size_t other, const Chunk& chunk, ProtocolId protocol,
                               bool leading) {
  const std::string earlier = std::move(reading.first[other]);
  reading.first[other].clear();
  const Direction opposite = Opposite(chunk.direction);
  if (earlier.empty() || ProbeStream(protocol, AsBytes(earlier), opposite) == Probe::kNo) return true;
  Chunk before;
  before.data = AsBytes(earlier);
  before.direction = opposite;
  before.start = reading.first_start[other];
  before.time_ns = chunk.time_ns;
  Bytes rest;
  return FeedParser(flow, reading, other, before, leading, rest);
}

void StreamReader::FeedDatagram(Reading& reading, const Datagram& datagram) {
  if (reading.over) return;
  const Outcome outcome = std::visit(
      [&](auto& parser) -> Outcome {
        if constexpr (std::is_same_v<std::decay_t<decltype(parser)>, std::monostate>) {
          return Outcome::Malformed();
        } else if constexpr (DatagramParserType<std::decay_t<decltype(*parser)>>) {
          return parser->Feed(datagram, out_);
        } else {
          return Outcome::Malformed();
        }
      },
      reading.parser);
  if (!WithinMemory(reading)) return;
  reading.complete = outcome.progress == Progress::kDone;
  if (reading.complete) Stop(reading);
}

void StreamReader::Stop(Reading& reading) {
  reading.parser = FlowParser();
  reading.over = true;
  for (std::string& first : reading.first) first = std::string();
  CountHeld(reading);
}

void StreamReader::Release(Reading& reading) {
  for (std::string& message : reading.message) message = std::string();
  Stop(reading);
}

}  // namespace vedette
