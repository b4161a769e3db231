// An SSH conversation: a list of chunks, each a byte of flags (1: to the client, 2: a gap before it, 4: end), a length of
// two bytes, the bytes. What comes out must not depend on how a chunk is cut.
#include "parsers/ssh/ssh.h"

#include <algorithm>
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
  SshParser parser;
  testing::ParserBatch batch;
  bool skipped[2] = {false, false}, ended[2] = {false, false}, over = false;
  for (const Piece& piece : pieces) {
    const auto direction = static_cast<Direction>(piece.flags & 1);
    const auto d = static_cast<size_t>(direction);
    size_t at = 0;
    do {
      if (skipped[d] || ended[d] || over) break;
      const Bytes part = piece.bytes.subspan(at, std::min(cut, piece.bytes.size() - at));
      const std::vector<uint8_t> exact(part.begin(), part.end());
      const uint32_t gap_bytes = (piece.flags & 2) != 0 && at == 0 ? 100 : 0;
      at += part.size();
      ended[d] = (piece.flags & 4) != 0 && at == piece.bytes.size();
      const Outcome outcome =
          parser.Feed({.data = exact, .direction = direction, .gap_bytes = gap_bytes, .end = ended[d]}, batch);
      if (parser.HeldBytes() > SshParser::kLimitBytes) std::abort();
      skipped[d] = outcome.progress == Progress::kSkip;
      over = outcome.progress == Progress::kDone;
    } while (at < piece.bytes.size());
  }
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
  const std::vector<std::string> whole = Run(pieces, SIZE_MAX);
  if (Run(pieces, 1) != whole || Run(pieces, 7) != whole) std::abort();
  return 0;
}
