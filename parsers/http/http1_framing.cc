// Http1Parser's way through what is not a head: bodies, chunks, lines of anything.
#include <algorithm>

#include "parsers/http/http1.h"

namespace vedette {

bool Http1Parser::StepBodyStart(Turn& turn) {
  Side& side = turn.side;
  const bool upper = turn.data[turn.at] >= 'A' && turn.data[turn.at] <= 'Z';
  if (side.held.empty() && !upper) return SkipBody(turn, side.body_bytes, State::kHead);
  const uint64_t limit = std::min<uint64_t>(side.body_bytes, kMaxChunkLineBytes);
  std::string_view line;
  uint64_t taken = limit;
  // TakeLine lets go of a line that is too long.
  const bool may_be_too_long = side.held.size() + turn.rest().size() >= limit;
  const std::vector<char> front = side.content && may_be_too_long ? side.held : std::vector<char>();
  const size_t from = turn.at;
  switch (TakeLine(turn, static_cast<size_t>(limit), line)) {
    case LineResult::kNeedMore:
      if (ProbeHead({side.held.data(), side.held.size()}) != Probe::kNo) return false;
      taken = side.held.size();
      side.content.Pass(AsBytes({side.held.data(), side.held.size()}), turn.out.values());
      break;
    case LineResult::kTooLong:
      side.content.Pass(AsBytes({front.data(), front.size()}), turn.out.values());
      side.content.Pass(AsBytes(turn.data.substr(from, turn.at - from)), turn.out.values());
      break;
    case LineResult::kComplete:
      if (IsUnmistakableHead(line)) {
        side.content.End(ContentEnd::kAbsent, turn.out.values());
        ReturnLineAsHead(turn, line);
        return false;
      }
      taken = line.size();
      side.content.Pass(AsBytes(line), turn.out.values());
      break;
  }
  Release(side);
  return SkipBody(turn, side.body_bytes - taken, State::kHead);
}

bool Http1Parser::StepChunkSize(Turn& turn) {
  std::string_view line;
  const LineResult result = TakeLine(turn, kMaxChunkLineBytes, line);
  if (result == LineResult::kNeedMore) return false;
  uint64_t size = 0;
  if (result == LineResult::kTooLong) {
    Search(turn.side, State::kSearchInLine);
    return false;
  }
  if (!ParseChunkSize(line, size)) {
    // Back to where the line began: it may be the next message's.
    ++counters_.searches;
    if (IsUnmistakableHead(line)) {
      ReturnLineAsHead(turn, line);
    } else {
      Release(turn.side);
      turn.side.state = State::kSearch;
    }
    return false;
  }
  Release(turn.side);
  if (size == 0) {
    turn.side.content.End(ContentEnd::kComplete, turn.out.values());
    turn.side.state = State::kTrailer;
    return false;
  }
  return SkipBody(turn, size, State::kChunkEnd);
}

void Http1Parser::StepChunkEnd(Turn& turn) {
  const char c = turn.data[turn.at];
  if (c == '\r' && turn.side.state == State::kChunkEnd) {
    ++turn.at;
    turn.side.state = State::kChunkEndLf;
  } else if (c == '\n') {
    ++turn.at;
    turn.side.state = State::kChunkSize;
  } else {
    Search(turn.side, State::kSearchInLine);
  }
}

void Http1Parser::StepTrailer(Turn& turn) {
  std::string_view line;
  switch (TakeLine(turn, kMaxChunkLineBytes, line)) {
    case LineResult::kNeedMore:
      return;
    case LineResult::kTooLong:
      Search(turn.side, State::kSearchInLine);
      return;
    case LineResult::kComplete:
      break;
  }
  if (IsUnmistakableHead(line)) {
    // The empty line is missing.
    ReturnLineAsHead(turn, line);
    return;
  }
  const bool last = IsEmptyLine(line);
  Release(turn.side);
  if (last) turn.side.state = State::kHead;
}

// Looks at every byte once: for the line ends, and at the few first bytes of each line.
void Http1Parser::StepSearch(Turn& turn) {
  Side& side = turn.side;
  if (side.state == State::kSearchInLine) {
    const size_t newline = turn.data.find('\n', turn.at);
    if (newline == std::string_view::npos) {
      turn.at = turn.data.size();
    } else {
      turn.at = newline + 1;
      side.state = State::kSearch;
    }
    return;
  }
  const std::string_view rest = turn.rest();
  if (side.held.empty() && (rest.front() < 'A' || rest.front() > 'Z' || ProbeHead(rest) == Probe::kNo)) {
    side.state = State::kSearchInLine;
    return;
  }
  std::string_view line;
  switch (TakeLine(turn, kMaxHeadBytes, line)) {
    case LineResult::kNeedMore:
      if (ProbeHead({side.held.data(), side.held.size()}) == Probe::kNo) {
        Release(side);
        side.state = State::kSearchInLine;
      }
      return;
    case LineResult::kTooLong:
      side.state = State::kSearchInLine;
      return;
    case LineResult::kComplete:
      break;
  }
  if (IsUnmistakableHead(line)) {
    ReturnLineAsHead(turn, line);
  } else {
    Release(side);
  }
}

Http1Parser::LineResult Http1Parser::TakeLine(Turn& turn, size_t limit, std::string_view& line) {
  Side& side = turn.side;
  const std::string_view piece = turn.rest().substr(0, limit - side.held.size());
  const size_t newline = piece.find('\n');
  if (newline == std::string_view::npos) {
    turn.at += piece.size();
    if (side.held.size() + piece.size() == limit) {
      Release(side);
      return LineResult::kTooLong;
    }
    Hold(side, piece, limit);
    return LineResult::kNeedMore;
  }
  turn.at += newline + 1;
  if (side.held.empty()) {
    line = piece.substr(0, newline + 1);
  } else {
    Hold(side, piece.substr(0, newline + 1), limit);
    line = {side.held.data(), side.held.size()};
  }
  return LineResult::kComplete;
}

void Http1Parser::ReturnLineAsHead(Turn& turn, std::string_view line) {
  Side& side = turn.side;
  side.state = State::kHead;
  if (side.held.empty()) {
    turn.at -= line.size();
  } else {
    side.line_start = static_cast<uint32_t>(side.held.size());
    side.simple = false;
  }
}

bool Http1Parser::TakeBody(Turn& turn, uint64_t bytes, bool doubtful) {
  if (!doubtful || bytes == 0) return SkipBody(turn, bytes, State::kHead);
  turn.side.state = State::kBodyStart;
  turn.side.body_bytes = bytes;
  return false;
}

bool Http1Parser::SkipBody(Turn& turn, uint64_t bytes, State next) {
  const uint64_t here = std::min<uint64_t>(bytes, turn.data.size() - turn.at);
  turn.side.content.Pass(AsBytes(turn.rest().substr(0, static_cast<size_t>(here))), turn.out.values());
  turn.at += static_cast<size_t>(here);
  turn.side.state = next;
  turn.side.body_bytes = bytes - here;
  if (here == bytes) {
    if (next == State::kHead) turn.side.content.End(ContentEnd::kComplete, turn.out.values());
    return false;
  }
  turn.outcome = Outcome::Skip(bytes - here);
  return true;
}

bool Http1Parser::SkipUntilClose(Turn& turn) {
  turn.side.content.Pass(AsBytes(turn.rest()), turn.out.values());
  turn.at = turn.data.size();
  turn.outcome = Outcome::Skip(Outcome::kSkipAll);
  return true;
}

void Http1Parser::PassContent(Direction direction, uint64_t gap_bytes, Bytes data, ParserOutput& out) {
  Side& side = SideOf(direction);
  if (!side.content) return;
  side.content.PassGap(gap_bytes, out.values());
  side.content.Pass(data, out.values());
  if (side.state == State::kUntilClose) return;
  side.body_bytes -= std::min<uint64_t>(side.body_bytes, gap_bytes + data.size());
  if (side.body_bytes == 0 && side.state == State::kHead) side.content.End(ContentEnd::kComplete, out.values());
}

void Http1Parser::BeginContent(Turn& turn, ContentKind kind, std::string_view fields, std::optional<uint64_t> bytes) {
  if (!turn.out.WantsContent(kind) || bytes == uint64_t{0}) return;
  turn.side.content.End(ContentEnd::kCut, turn.out.values());
  turn.side.content = turn.out.BeginContent({
      .kind = kind,
      .direction = turn.direction,
      .declared_bytes = bytes,
      .type = FindField(fields, "content-type"),
      .encoding = FindField(fields, "content-encoding"),
      .name = FileNameOf(FindField(fields, "content-disposition")),
  });
}

void Http1Parser::SettleContent(Side& side, bool end, ObservableBatch& values) {
  switch (side.state) {
    case State::kUntilClose:
      if (end) side.content.End(ContentEnd::kComplete, values);
      return;
    case State::kBodyStart:
    case State::kChunkSize:
    case State::kChunkEnd:
    case State::kChunkEndLf:
      if (end) side.content.End(ContentEnd::kCut, values);
      return;
    case State::kHead:
      if (end || side.body_bytes == 0) side.content.End(ContentEnd::kCut, values);
      return;
    case State::kTrailer:
    case State::kSearch:
    case State::kSearchInLine:
      side.content.End(ContentEnd::kCut, values);
      return;
  }
}

void Http1Parser::Hold(Side& side, std::string_view text, size_t limit) {
  // Doubled, but never past the limit: the memory that is held is the memory that is counted.
  const size_t needed = side.held.size() + text.size();
  if (needed > side.held.capacity()) {
    side.held.reserve(std::min(std::max(needed, side.held.capacity() * 2), limit));
  }
  side.held.insert(side.held.end(), text.begin(), text.end());
}

void Http1Parser::Release(Side& side) {
  std::vector<char>().swap(side.held);
  side.line_start = 0;
  side.dropped = 0;
  side.in_long_line = false;
  side.lost = false;
  side.simple = false;
}

void Http1Parser::Search(Side& side, State state) {
  ++counters_.searches;
  side.state = state;
}

}  // namespace vedette
