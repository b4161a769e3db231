// Datagrams of DTLS: a byte of flags (1: to the client), a length of two bytes, the bytes. No more may be held or told
// than is said, and whoever sends a hello sends what a flow begins with.
#include "parsers/dtls/dtls.h"

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tests/unit/parsers/parser_batch.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vedette;
  DtlsParser parser;
  testing::ParserBatch batch;
  ByteReader reader(Bytes(data, size));
  uint8_t flags = 0;
  while (reader.ReadU8(flags)) {
    ByteReader body;
    const bool whole = reader.ReadPrefixed16(body);
    const Bytes view = whole ? body.rest() : reader.rest();
    const std::vector<uint8_t> exact(view.begin(), view.end());
    const Datagram datagram{.data = exact, .direction = static_cast<Direction>(flags & 1)};
    if (DtlsParser::SenderOf(exact) != Sender::kUnknown && !DtlsParser::Begins(datagram)) std::abort();
    const bool done = parser.Feed(datagram, batch).progress == Progress::kDone;
    if (parser.HeldBytes() > DtlsParser::kLimitBytes) std::abort();
    size_t hellos = 0;
    for (const Observable& o : batch.observables()) hellos += o.kind == ObservableKind::kDtlsJa3 ? 1 : 0;
    if (hellos > DtlsParser::kMaxHellos || (done && hellos != DtlsParser::kMaxHellos)) std::abort();
    if (!whole) break;
  }
  return 0;
}
