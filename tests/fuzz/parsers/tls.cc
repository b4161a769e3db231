// A TLS conversation. The input is a list of chunks: a byte of flags (1: to the client, 2: a gap before it, 4: a late
// beginning, 8: end), a length of two bytes, the bytes. What comes out must not depend on how a chunk is cut.
#include "parsers/tls/tls.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/unit/parsers/parser_batch.h"

namespace {

using namespace vedette;

struct Piece {
  uint8_t flags;
  Bytes bytes;
};

std::vector<std::string> Run(const std::vector<Piece>& pieces, size_t cut) {
  TlsParser parser;
  testing::ParserBatch batch;
  bool fed[2] = {false, false}, skipped[2] = {false, false};
  for (const Piece& piece : pieces) {
    const auto direction = static_cast<Direction>(piece.flags & 1);
    const auto d = static_cast<size_t>(direction);
    for (size_t at = 0; at < piece.bytes.size() && !skipped[d]; at += cut) {
      const Bytes part = piece.bytes.subspan(at, std::min(cut, piece.bytes.size() - at));
      const std::vector<uint8_t> exact(part.begin(), part.end());
      Chunk chunk{.data = exact, .direction = direction};
      chunk.gap_bytes = (piece.flags & 2) && at == 0 ? 100 : 0;
      chunk.start = !fed[d] && !(piece.flags & 4);
      chunk.end = (piece.flags & 8) && at + part.size() == piece.bytes.size();
      fed[d] = true;
      const Outcome outcome = parser.Feed(chunk, batch);
      if (parser.HeldBytes() > TlsParser::kLimitBytes) std::abort();
      if (outcome.progress == Progress::kSkip) skipped[d] = true;
      if (outcome.progress == Progress::kDone || outcome.progress == Progress::kMalformed) goto stop;
    }
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
  ByteReader reader(Bytes(data, size));
  uint8_t flags = 0;
  while (reader.ReadU8(flags)) {
    ByteReader body;
    if (!reader.ReadPrefixed16(body)) {
      pieces.push_back({flags, reader.rest()});
      break;
    }
    pieces.push_back({flags, body.rest()});
  }
  for (const Piece& piece : pieces) (void)TlsParser::Identify(piece.bytes, Direction::kToServer);
  const std::vector<std::string> whole = Run(pieces, SIZE_MAX / 2);
  if (Run(pieces, 1) != whole || Run(pieces, 7) != whole) std::abort();
  return 0;
}
