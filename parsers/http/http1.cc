#include "parsers/http/http1.h"

#include "parsers/base/text.h"
#include "parsers/http/http_protocol.h"
#include "parsers/http/http_values.h"

namespace vedette {
namespace {

bool IsLineEnd(char c) { return c == '\r' || c == '\n'; }

// "200 Connection established" says what the request was, where that was not seen.
bool SaysTunnel(const StatusLine& line) {
  constexpr std::string_view kReason = "connection established";
  return line.status == 200 && EqualsLower(line.reason.substr(0, kReason.size()), kReason);
}

}  // namespace

Outcome Http1Parser::Feed(const Chunk& chunk, ParserOutput& out) {
  Turn turn{.data = AsText(chunk.data),
            .at = 0,
            .direction = chunk.direction,
            .side = SideOf(chunk.direction),
            .out = out,
            .receiver = chunk.ends != nullptr ? &chunk.ends->receiver : nullptr,
            .outcome = {}};
  Side& side = turn.side;
  opening_seen_ |= chunk.start;
  if (chunk.gap_bytes > 0 && side.state != State::kUntilClose) {
    // Requests or responses may be missing: who answers whom is open again.
    TakeCutHead(turn, {side.held.data(), side.held.size()});
    Release(side);
    waiting_.Clear();
    Search(side, State::kSearch);
  }
  if (!turn.data.empty()) {
    side.spoke = true;
    // The other end answers a request line without a version: it took it for the whole request.
    Side& other = SideOf(Opposite(chunk.direction));
    if (other.simple) {
      Turn answered{.data = {},
                    .at = 0,
                    .direction = Opposite(chunk.direction),
                    .side = other,
                    .out = out,
                    .receiver = chunk.ends != nullptr ? &chunk.ends->sender : nullptr,
                    .outcome = {}};
      TakeCutHead(answered, {other.held.data(), other.held.size()}, Extent::kFirstLine);
      Release(other);
    }
  }
  while (turn.at < turn.data.size()) {
    if (Step(turn)) return turn.outcome;
  }
  if (chunk.end && !side.held.empty()) {
    TakeCutHead(turn, {side.held.data(), side.held.size()});
    Release(side);
  }
  return Outcome::NeedMore();
}

bool Http1Parser::Step(Turn& turn) {
  switch (turn.side.state) {
    case State::kHead:
      return turn.side.held.empty() ? StepHead(turn) : StepHeldHead(turn);
    case State::kBodyStart:
      return StepBodyStart(turn);
    case State::kChunkSize:
      return StepChunkSize(turn);
    case State::kChunkEnd:
    case State::kChunkEndLf:
      StepChunkEnd(turn);
      return false;
    case State::kTrailer:
      StepTrailer(turn);
      return false;
    case State::kSearch:
    case State::kSearchInLine:
      StepSearch(turn);
      return false;
    case State::kUntilClose:
      break;
  }
  turn.outcome = Outcome::Skip(Outcome::kSkipAll);
  return true;
}

// The common case: a head that is complete in the chunk is read where it stands.
bool Http1Parser::StepHead(Turn& turn) {
  // RFC 9112 section 2.2: empty lines before a message are ignored.
  while (turn.at < turn.data.size() && IsLineEnd(turn.data[turn.at])) ++turn.at;
  if (turn.at == turn.data.size()) return false;
  const std::string_view window = turn.rest().substr(0, kMaxHeadBytes);
  const Probe probe = ProbeHead(window);
  Side& side = turn.side;
  if (probe == Probe::kNo && side.asked_tunnel) {
    // The tunnel's bytes follow the request: only one direction was captured, or the client does not wait for the
    // answer, as some do with TLS. What is text goes the ordinary way.
    constexpr char kTlsHandshake = 22;
    const bool binary = static_cast<uint8_t>(window.front()) < ' ' || static_cast<uint8_t>(window.front()) >= 0x7f;
    if (window.front() == kTlsHandshake || (binary && !SideOf(Opposite(turn.direction)).spoke)) {
      turn.outcome = Outcome::HandOver(turn.at);
      return true;
    }
  }
  const size_t newline = window.find('\n');
  if (newline == std::string_view::npos) {
    if (probe == Probe::kNo || window.size() == kMaxHeadBytes) {
      if (probe != Probe::kNo) turn.out.Count<HttpProtocol>(HttpProtocol::kHeadTooLong);
      turn.at += window.size();
      return RefuseHead(turn, State::kSearchInLine);
    }
    Hold(side, window, kMaxHeadBytes);
    side.line_start = 0;
    turn.at = turn.data.size();
    return false;
  }
  const std::string_view first = window.substr(0, newline + 1);
  RequestLine request;
  StatusLine status;
  const bool is_status = ParseStatusLine(first, status);
  if (!is_status && !ParseRequestLine(first, request)) {
    turn.at += first.size();
    return RefuseHead(turn, State::kSearch);
  }
  const HeadEnd head = FindHeadEnd(window, first.size());
  if (head.complete) {
    turn.at += head.end;
    return TakeHead(turn, window.substr(0, head.end));
  }
  Hold(side, window, kMaxHeadBytes);
  side.line_start = static_cast<uint32_t>(head.line_start);
  side.simple = !is_status && !request.has_version;
  turn.at += window.size();
  if (window.size() == kMaxHeadBytes) ThinOutHead(turn);
  return false;
}

bool Http1Parser::StepHeldHead(Turn& turn) {
  Side& side = turn.side;
  if (side.in_long_line) {
    StepLongLine(turn);
    return false;
  }
  const std::string_view piece = turn.rest().substr(0, kMaxHeadBytes - side.held.size());
  const size_t newline = piece.find('\n');
  const size_t taken = newline == std::string_view::npos ? piece.size() : newline + 1;
  Hold(side, piece.substr(0, taken), kMaxHeadBytes);
  turn.at += taken;
  const std::string_view text(side.held.data(), side.held.size());
  const bool full = text.size() == kMaxHeadBytes;

  if (newline == std::string_view::npos) {
    if (side.line_start == 0) {
      const bool refused = ProbeHead(text) == Probe::kNo;
      if (!refused && !full) return false;
      if (!refused) turn.out.Count<HttpProtocol>(HttpProtocol::kHeadTooLong);
      Release(side);
      return RefuseHead(turn, State::kSearchInLine);
    }
    if (full) ThinOutHead(turn);
    return false;
  }
  if (side.line_start == 0) {
    RequestLine request;
    StatusLine status;
    const bool is_status = ParseStatusLine(text, status);
    if (!is_status && !ParseRequestLine(text, request)) {
      Release(side);
      return RefuseHead(turn, State::kSearch);
    }
    side.simple = !is_status && !request.has_version;
  } else if (IsEmptyLine(text.substr(side.line_start))) {
    // Out of the side, so that it is free while the head is taken.
    const std::vector<char> head = std::move(side.held);
    const bool lost = side.lost;
    Release(side);
    if (!lost) return TakeHead(turn, {head.data(), head.size()});
    // Where its body ends is not known either.
    TakeCutHead(turn, {head.data(), head.size()});
    Search(side, State::kSearch);
    return false;
  } else if (side.dropped != 0 && IsUnmistakableHead(text.substr(side.line_start))) {
    CutLongHead(turn);
    return false;
  }
  side.line_start = static_cast<uint32_t>(text.size());
  if (full) ThinOutHead(turn);
  return false;
}

bool Http1Parser::RefuseHead(Turn& turn, State state) {
  if (MayRespond(turn) && waiting_.front() == RequestQueue::Kind::kSimple) {
    turn.side.state = State::kUntilClose;
    turn.outcome = Outcome::Skip(Outcome::kSkipAll);
    return true;
  }
  Search(turn.side, state);
  return false;
}

bool Http1Parser::TakeHead(Turn& turn, std::string_view head) {
  const size_t first_bytes = head.find('\n') + 1;
  const std::string_view first = head.substr(0, first_bytes), fields = head.substr(first_bytes);
  StatusLine status;
  if (ParseStatusLine(first, status)) return TakeResponse(turn, status, fields);
  RequestLine request;
  if (!ParseRequestLine(first, request)) return false;  // it was judged before; not reached
  if (request.is_http2_preface) {
    turn.outcome = Outcome::Done();
    return true;
  }
  const Framing framing = TakeRequest(turn, request, fields, Extent::kComplete);
  Side& side = turn.side;
  if (framing.has_coding && (framing.has_length || !framing.chunked)) {
    // RFC 9112 section 6.3: the two ends may disagree where the body ends, which is how requests are smuggled. Looking
    // for the next head finds what either of them would see.
    side.state = State::kSearch;
    return false;
  }
  if (framing.contradictory && !framing.has_length) {
    side.state = State::kSearch;
    return false;
  }
  // Of lengths that differ the least: what one end takes for the body, the other takes for the next request.
  side.state = framing.chunked ? State::kChunkSize : State::kHead;
  if (!framing.has_length) return false;
  // A body that was announced and refused is not sent (RFC 9110 section 10.1.1), and many servers take what follows a
  // GET for the next request whatever its length says.
  const bool doubtful = framing.expects_continue || request.method == "GET" || request.method == "HEAD";
  return TakeBody(turn, framing.content_length, doubtful);
}

Framing Http1Parser::TakeRequest(Turn& turn, const RequestLine& line, std::string_view fields, Extent extent) {
  ++counters_.requests;
  turn.side.sent_requests = true;
  turn.side.asked_tunnel = line.method == "CONNECT";
  if (MayRequest(turn)) {
    waiting_.Push(turn.side.asked_tunnel  ? RequestQueue::Kind::kConnect
                  : line.method == "HEAD" ? RequestQueue::Kind::kHead
                  : !line.has_version     ? RequestQueue::Kind::kSimple
                                          : RequestQueue::Kind::kOrdinary);
  }
  HttpRequestValues values(line.method, line.target, turn.direction, turn.out.values());
  Framing framing;
  HeaderReader reader(fields, extent == Extent::kComplete);
  HeaderField field;
  std::string_view value;
  while (reader.Next(field, value)) {
    if (IsFolded(value)) {
      char* const unfolded = turn.out.values().arena().Allocate(value.size());
      value = {unfolded, Unfold(value, unfolded)};
    }
    switch (field) {
      case HeaderField::kHost:
        values.AddHost(value);
        break;
      case HeaderField::kUserAgent:
        values.AddUserAgent(value);
        break;
      case HeaderField::kForwardedFor:
        values.AddForwardedFor(value);
        break;
      case HeaderField::kForwarded:
        values.AddForwarded(value);
        break;
      case HeaderField::kContentLength:
        framing.AddContentLength(value);
        break;
      case HeaderField::kTransferEncoding:
        framing.AddTransferEncoding(value);
        break;
      case HeaderField::kExpect:
        framing.expects_continue = true;
        break;
    }
  }
  values.Finish(extent != Extent::kCut, MayRequest(turn) ? turn.receiver : nullptr);
  turn.out.Count<HttpProtocol>(HttpProtocol::kTooManyValues, values.over_limit());
  return framing;
}

void Http1Parser::TakeStatus(Turn& turn, const StatusLine& line) {
  ++counters_.responses;
  turn.out.values().BeginMessage();
  turn.out.values().AddText(ObservableKind::kHttpStatus, turn.direction, line.status_text);
}

bool Http1Parser::TakeResponse(Turn& turn, const StatusLine& line, std::string_view fields) {
  TakeStatus(turn, line);
  Side& side = turn.side;
  if (!MayRespond(turn)) {
    // A client that sends a status line must not hide what it sends next behind that response's body.
    side.state = State::kSearch;
    return false;
  }
  side.state = State::kHead;
  if (line.status >= 100 && line.status < 200) {
    if (line.status != 101) return false;
    turn.outcome = Outcome::HandOver(turn.at);
    return true;
  }
  const bool known = !waiting_.empty();
  const RequestQueue::Kind kind = waiting_.Pop();
  const bool success = line.status >= 200 && line.status < 300;
  if ((kind == RequestQueue::Kind::kConnect && success) || (!known && SaysTunnel(line))) {
    turn.outcome = Outcome::HandOver(turn.at);
    return true;
  }
  // RFC 9112 section 6.3.
  if (kind == RequestQueue::Kind::kHead || line.status == 204 || line.status == 304) return false;
  Framing framing;
  HeaderReader reader(fields, true);
  HeaderField field;
  std::string_view value;
  while (reader.Next(field, value)) {
    if (field == HeaderField::kContentLength) framing.AddContentLength(value);
    if (field == HeaderField::kTransferEncoding) framing.AddTransferEncoding(value);
  }
  if (framing.chunked) {
    side.state = State::kChunkSize;
    return false;
  }
  if (framing.contradictory && !framing.has_length) {
    side.state = State::kSearch;
    return false;
  }
  // Where the request was not seen it may have been a HEAD.
  if (framing.has_length && !framing.has_coding) return TakeBody(turn, framing.content_length, !known);
  side.state = State::kUntilClose;
  turn.outcome = Outcome::Skip(Outcome::kSkipAll);
  return true;
}

void Http1Parser::TakeCutHead(Turn& turn, std::string_view text, Extent extent) {
  if (turn.side.state != State::kHead) return;
  const size_t newline = text.find('\n');
  if (newline == std::string_view::npos) return;
  ++counters_.heads_cut;
  const std::string_view first = text.substr(0, newline + 1);
  StatusLine status;
  RequestLine request;
  if (ParseStatusLine(first, status)) {
    TakeStatus(turn, status);
    if (MayRespond(turn) && status.status >= 200) waiting_.Pop();
  } else if (ParseRequestLine(first, request) && !request.is_http2_preface) {
    TakeRequest(turn, request, text.substr(newline + 1), extent);
  }
}

}  // namespace vedette
