// An HTTP/1.x conversation. The input is a list of chunks: a byte of flags (1: to the client, 2: a gap before it, 4: a
// late beginning, 8: end, 16: the bytes again and again, until they are longer than a head that is held), a length of
// two bytes, the bytes. What comes out must not depend on how a chunk is cut.
#include "parsers/http/http1.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "tests/unit/parsers/parser_batch.h"

namespace {

using namespace vedette;

constexpr uint32_t kGapBytes = 100;
constexpr size_t kLongBytes = Http1Parser::kMaxHeadBytes + 1000;
constexpr size_t kMaxLongPieces = 3;

struct Piece {
  uint8_t flags;
  Bytes bytes;
};

// Feeds as the stream layer does: what is skipped is not fed, and a gap counts against the skip first.
std::vector<std::string> Run(const std::vector<Piece>& pieces, size_t cut) {
  Http1Parser parser;
  testing::ParserBatch batch;
  bool fed[2] = {false, false}, ended[2] = {false, false};
  uint64_t skip[2] = {0, 0};
  const Endpoint client = {*IpAddress::Parse("2001:db8::1"), 50000}, server = {*IpAddress::Parse("192.0.2.1"), 8080};
  const ChunkEnds ends[2] = {{client, server}, {server, client}};
  const auto pass = [&](size_t d, uint64_t bytes) {
    const uint64_t passed = std::min(skip[d], bytes);
    if (skip[d] != Outcome::kSkipAll) skip[d] -= passed;
    return passed;
  };
  for (const Piece& piece : pieces) {
    const auto direction = static_cast<Direction>(piece.flags & 1);
    const auto d = static_cast<size_t>(direction);
    if (ended[d]) continue;
    uint32_t gap = piece.flags & 2 ? kGapBytes : 0;
    gap -= static_cast<uint32_t>(pass(d, gap));
    ended[d] = piece.flags & 8;
    size_t at = 0;
    do {
      const Bytes part = piece.bytes.subspan(at, std::min(cut, piece.bytes.size() - at));
      const Bytes left = part.subspan(static_cast<size_t>(pass(d, part.size())));
      at += part.size();
      const bool last = at == piece.bytes.size() && ended[d];
      if (left.empty() && !last) continue;
      const std::vector<uint8_t> exact(left.begin(), left.end());
      const Chunk chunk{.data = exact,
                        .direction = direction,
                        .gap_bytes = gap,
                        .start = !fed[d] && !(piece.flags & 4),
                        .end = last,
                        .ends = &ends[d]};
      gap = 0;
      fed[d] = true;
      const Outcome outcome = parser.Feed(chunk, batch);
      if (parser.HeldBytes() > Http1Parser::kLimitBytes || outcome.consumed > exact.size()) std::abort();
      if (outcome.progress == Progress::kSkip) skip[d] = outcome.skip_bytes;
      if (outcome.progress == Progress::kDone || outcome.progress == Progress::kHandOver) goto stop;
    } while (at < piece.bytes.size());
  }
stop:
  std::vector<std::string> out;
  for (const Observable& o : batch.observables()) {
    out.push_back(std::to_string(static_cast<int>(o.kind)) + (o.direction == Direction::kToServer ? ">" : "<") +
                  std::string(o.text));
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<Piece> pieces;
  std::deque<std::vector<uint8_t>> repeated;
  ByteReader reader(Bytes(data, size));
  uint8_t flags = 0;
  while (reader.ReadU8(flags)) {
    ByteReader body;
    if (!reader.ReadPrefixed16(body)) {
      pieces.push_back({flags, reader.rest()});
      break;
    }
    pieces.push_back({flags, body.rest()});
    if ((flags & 16) == 0 || body.rest().empty() || repeated.size() == kMaxLongPieces) continue;
    std::vector<uint8_t>& bytes = repeated.emplace_back();
    while (bytes.size() < kLongBytes) bytes.insert(bytes.end(), body.rest().begin(), body.rest().end());
    pieces.back().bytes = bytes;
  }
  const std::vector<std::string> whole = Run(pieces, SIZE_MAX);
  if (whole != Run(pieces, 1) || whole != Run(pieces, 7)) std::abort();
  // An identification is final: the first definite answer stays.
  for (const Piece& piece : pieces) {
    Probe answer = Probe::kNeedMore;
    for (size_t length = 0; length <= std::min<size_t>(piece.bytes.size(), 300); ++length) {
      const Probe now = Http1Parser::Identify(piece.bytes.first(length), Direction::kToServer);
      if (answer != Probe::kNeedMore && now != answer) std::abort();
      answer = now;
    }
  }
  return 0;
}
