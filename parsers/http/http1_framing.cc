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
  switch (TakeLine(turn, static_cast<size_t>(limit), line)) {
    case LineResult::kNeedMore:
      if (ProbeHead({side.held.data(), side.held.size()}) != Probe::kNo) return false;
      taken = side.held.size();
      break;
    case LineResult::kTooLong:
      break;
    case LineResult::kComplete:
      if (IsUnmistakableHead(line)) {
        ReturnLineAsHead(turn, line);
        return false;
      }
      taken = line.size();
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
  turn.at += static_cast<size_t>(here);
  turn.side.state = next;
  if (here == bytes) return false;
  turn.outcome = Outcome::Skip(bytes - here);
  return true;
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
