// Any bytes as what may stand before a protocol: no preamble is longer than what is there, one that is whole stays
// one when more follows, and what is found behind preambles is found again by trying every chain of them.
#include "parsers/preamble.h"

#include <vector>

#include "parsers/registry.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

Bytes Exactly(Bytes bytes, std::vector<uint8_t>& storage) {
  storage.assign(bytes.begin(), bytes.end());
  return storage;
}

bool Has(const Preambles& preambles, size_t bytes) {
  for (size_t i = 0; i < preambles.size; ++i) {
    if (preambles.found[i].bytes == bytes) return true;
  }
  return false;
}

void CheckFront(Bytes bytes) {
  std::vector<uint8_t> storage;
  const Preambles whole = FindPreambles(Exactly(bytes, storage));
  for (size_t size = 0; size <= bytes.size(); ++size) {
    const Preambles begun = FindPreambles(Exactly(bytes.first(size), storage));
    Check(begun.size <= Preambles::kMost);
    Check(MayHavePreamble(storage) || (begun.size == 0 && !begun.need_more));
    for (size_t i = 0; i < begun.size; ++i) {
      const Preamble& found = begun.found[i];
      Check(found.bytes > 0 && found.bytes <= size);
      // Text ends wherever its last line does; any other preamble says its own end.
      Check(found.only_tls || whole.size == Preambles::kMost || Has(whole, found.bytes));
    }
  }
}

// Whether a chain of preambles from `at` on ends at `offset`.
bool Leads(Bytes bytes, size_t at, size_t offset, size_t depth) {
  if (at == offset && depth > 0) return true;
  if (at >= offset || depth == kMaxPreambles) return false;
  const Preambles preambles = FindPreambles(bytes.subspan(at));
  for (size_t i = 0; i < preambles.size; ++i) {
    if (Leads(bytes, at + preambles.found[i].bytes, offset, depth + 1)) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(data, size);
  CheckFront(bytes);
  for (const Direction direction : {Direction::kToServer, Direction::kToClient}) {
    for (const ProtocolId only : {ProtocolId::kUnknown, TlsProtocol::kId}) {
      size_t offset = 0;
      const Identity identity = IdentifyBehindPreamble(bytes, direction, only, offset);
      if (identity.probe != Probe::kYes) continue;
      Check(offset > 0 && offset < size && identity.protocol != ProtocolId::kUnknown);
      Check(only == ProtocolId::kUnknown || identity.protocol == only);
      Check(ProbeStream(identity.protocol, bytes.subspan(offset), direction) == Probe::kYes);
      Check(Leads(bytes, 0, offset, 0));
    }
  }
  return 0;
}
