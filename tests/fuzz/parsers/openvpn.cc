// An OpenVPN conversation. The first byte's lowest bit: over TCP, else datagrams. Then a list of chunks: a byte of
// flags (1: to the client, 2: a gap before it, 4: end), a length of two bytes, the bytes. Over TCP, what comes out must
// not depend on how a chunk is cut.
#include "parsers/openvpn/openvpn.h"

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

std::vector<std::string> Run(const std::vector<Piece>& pieces, bool tcp, size_t cut) {
  OpenVpnParser parser;
  testing::ParserBatch batch;
  bool fed[2] = {false, false}, skipped[2] = {false, false}, over = false;
  const auto feed = [&](const Chunk& chunk) {
    const Outcome outcome = tcp ? parser.Feed(chunk, batch) : parser.FeedDatagram(chunk.data, chunk.direction, batch);
    if (parser.HeldBytes() > OpenVpnParser::kLimitBytes) std::abort();
    skipped[static_cast<size_t>(chunk.direction)] |= outcome.progress == Progress::kSkip;
    over = outcome.progress == Progress::kDone || outcome.progress == Progress::kMalformed;
  };
  for (const Piece& piece : pieces) {
    const auto direction = static_cast<Direction>(piece.flags & 1);
    const auto d = static_cast<size_t>(direction);
    for (size_t at = 0; at < piece.bytes.size() && !skipped[d] && !over; at += cut) {
      const Bytes part = piece.bytes.subspan(at, std::min(cut, piece.bytes.size() - at));
      const std::vector<uint8_t> exact(part.begin(), part.end());
      feed({.data = exact,
            .direction = direction,
            .gap_bytes = (piece.flags & 2) && at == 0 ? 100u : 0u,
            .start = !fed[d],
            .end = (piece.flags & 4) && at + part.size() == piece.bytes.size()});
      fed[d] = true;
    }
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
  if (size == 0) return 0;
  const bool tcp = (data[0] & 1) != 0;
  std::vector<Piece> pieces;
  ByteReader reader(Bytes(data + 1, size - 1));
  uint8_t flags = 0;
  while (reader.ReadU8(flags)) {
    ByteReader body;
    if (!reader.ReadPrefixed16(body)) {
      pieces.push_back({flags, reader.rest()});
      break;
    }
    pieces.push_back({flags, body.rest()});
  }
  for (const Piece& piece : pieces) {
    (void)OpenVpnParser::Identify(piece.bytes, Direction::kToServer);
    (void)OpenVpnParser::IdentifyDatagram(piece.bytes);
  }
  const std::vector<std::string> whole = Run(pieces, tcp, SIZE_MAX / 2);
  if (tcp && (Run(pieces, tcp, 1) != whole || Run(pieces, tcp, 7) != whole)) std::abort();
  return 0;
}
