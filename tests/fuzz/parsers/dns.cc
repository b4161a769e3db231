// The first byte chooses: a datagram (strict or lenient), or a stream whose cuts and gaps the next bytes give.
#include "parsers/dns/dns.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "parsers/base/text.h"
#include "tests/unit/parsers/parser_batch.h"

namespace {

using namespace vedette;

void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckBatch(const ObservableBatch& batch) {
  for (const Observable& o : batch.observables()) {
    Check(FormOf(o.kind) == ValueForm::kAddress ? o.address.version() != 0 : !o.text.empty() && o.text.size() <= 1024);
    if (o.kind == ObservableKind::kDnsQuery || o.kind == ObservableKind::kDnsCname) {
      Check(NormaliseHost(o.text) == o.text);
    }
  }
}

void FeedStream(Bytes cuts, Bytes data) {
  DnsStreamParser parser;
  testing::ParserBatch batch;
  bool start[2] = {true, true};
  size_t cut = 0;
  while (!data.empty()) {
    const uint8_t control = cut < cuts.size() ? cuts[cut] : 0;
    const auto direction = static_cast<Direction>(control & 1);
    const size_t length = std::min<size_t>(data.size(), 1 + (control >> 2));
    const std::vector<uint8_t> exact(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(length));
    Chunk chunk{.data = exact, .direction = direction, .start = start[control & 1]};
    start[control & 1] = false;
    if ((control & 2) != 0) chunk.gap_bytes = control;
    const Outcome outcome = parser.Feed(chunk, batch);
    Check(parser.HeldBytes() <= DnsStreamParser::kLimitBytes);
    if (outcome.progress == Progress::kMalformed || outcome.progress == Progress::kDone) break;
    data = data.subspan(length);
    cut = (cut + 1) % std::max<size_t>(cuts.size(), 1);
  }
  CheckBatch(batch);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const Bytes input(data + 1, size - 1);
  const uint8_t choice = data[0];
  if (choice < 128) {
    ObservableBatch strict, lenient;
    const bool is_dns = ParseDnsMessage(input, Direction::kToServer, strict, false);
    Check(is_dns == (IdentifyDnsMessage(input) == Probe::kYes));
    Check(is_dns || strict.size() == 0);
    // What passes strictly reads the same leniently.
    const bool is_lenient = ParseDnsMessage(input, Direction::kToServer, lenient, true);
    Check(is_lenient || lenient.size() == 0);
    if (is_dns) Check(strict.size() == lenient.size());
    CheckBatch(lenient);
  } else {
    const size_t num_cuts = std::min<size_t>(choice & 15, input.size());
    FeedStream(input.first(num_cuts), input.subspan(num_cuts));
  }
  return 0;
}
