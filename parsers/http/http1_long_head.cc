// Http1Parser's way through a head that is longer than what is held of one.
//
// `held` is, after each thinning out:  first line | fields that are read | unfinished line. Where the last complete
// field, or the unfinished line, is among what went, kStub stands for it, so that lines which continue it do not
// continue the field before.
#include <algorithm>

#include "parsers/http/http1.h"
#include "parsers/http/http_protocol.h"

namespace vedette {
namespace {

constexpr std::string_view kStub = ":\n";  // a line that no reader stops at

bool IsContinuation(std::string_view line) { return line.front() == ' ' || line.front() == '\t'; }

}  // namespace

void Http1Parser::LoseField(Turn& turn) {
  if (!turn.side.lost) turn.out.Count<HttpProtocol>(HttpProtocol::kHeadTooLong);
  turn.side.lost = true;
}

void Http1Parser::ThinOutHead(Turn& turn) {
  Side& side = turn.side;
  const std::string_view text(side.held.data(), side.held.size());
  const std::string_view lines = text.substr(0, side.line_start), unfinished = text.substr(side.line_start);
  const size_t first_bytes = lines.find('\n') + 1;
  if (first_bytes > kMaxKeptBytes) return GiveUpLongHead(turn);

  std::vector<char> kept;
  kept.reserve(kMaxHeadBytes);  // what `held` has had: never more
  const auto keep = [&](std::string_view part) { kept.insert(kept.end(), part.begin(), part.end()); };
  keep(lines.substr(0, first_bytes));
  bool last_kept = true;
  for (size_t at = first_bytes; at < lines.size();) {
    size_t end = lines.find('\n', at) + 1;
    while (end < lines.size() && IsContinuation(lines.substr(end))) end = lines.find('\n', end) + 1;
    const std::string_view field = lines.substr(at, end - at);
    at = end;
    last_kept = IsReadField(field);
    if (!last_kept) continue;
    if (kept.size() - first_bytes + field.size() <= kMaxKeptBytes) {
      keep(field);
    } else {
      LoseField(turn);
      last_kept = false;
    }
  }
  if (!last_kept) keep(kStub);
  side.line_start = static_cast<uint32_t>(kept.size());
  if (unfinished.size() <= kMaxKeptBytes) {
    keep(unfinished);
  } else {
    if (IsReadField(unfinished) || (IsContinuation(unfinished) && last_kept)) LoseField(turn);
    keep(kStub);
    side.line_start = static_cast<uint32_t>(kept.size());
    side.in_long_line = true;
  }
  side.dropped += static_cast<uint32_t>(text.size() - kept.size());
  kept.swap(side.held);
  if (side.dropped >= kMaxDroppedBytes) GiveUpLongHead(turn);
}

void Http1Parser::StepLongLine(Turn& turn) {
  Side& side = turn.side;
  const std::string_view piece = turn.rest().substr(0, kMaxDroppedBytes - side.dropped);
  const size_t newline = piece.find('\n');
  const size_t taken = newline == std::string_view::npos ? piece.size() : newline + 1;
  turn.at += taken;
  side.dropped += static_cast<uint32_t>(taken);
  side.in_long_line = newline == std::string_view::npos;
  if (side.dropped == kMaxDroppedBytes) GiveUpLongHead(turn);
}

void Http1Parser::GiveUpLongHead(Turn& turn) {
  Side& side = turn.side;
  LoseField(turn);
  const bool in_line = side.in_long_line || side.line_start != side.held.size();
  TakeCutHead(turn, {side.held.data(), side.held.size()});
  Release(side);
  Search(side, in_line ? State::kSearchInLine : State::kSearch);
}

void Http1Parser::CutLongHead(Turn& turn) {
  Side& side = turn.side;
  const std::vector<char> both = std::move(side.held);
  const std::string_view text(both.data(), both.size());
  const size_t next = side.line_start;
  TakeCutHead(turn, text.substr(0, next));
  Release(side);
  Hold(side, text.substr(next), kMaxHeadBytes);
  side.line_start = static_cast<uint32_t>(side.held.size());
}

}  // namespace vedette
