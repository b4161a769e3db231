// Literals in a stream cut anywhere, against a naive search.
//
// The input: a number of literals; for each its length and bytes; a seed for the cuts; the rest is the stream. A byte
// 0xf0-0xff in a stream puts that literal there, so that long ones are met at all.
#include "signatures/set/payload_matcher.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/value.h"

namespace {

using namespace vedette;

void Check(bool condition) {
  if (!condition) std::abort();
}

struct Input {
  std::vector<std::string> literals;
  uint32_t seed = 0;
  std::string stream;
};

bool Read(Bytes data, Input& out) {
  ByteReader in(data);
  uint8_t count = 0, length = 0;
  if (!in.ReadU8(count)) return false;
  std::set<std::string> distinct;
  for (int i = 0; i < count % 16; ++i) {
    Bytes bytes;
    if (!in.ReadU8(length) || !in.ReadBytes(length, bytes)) return false;
    std::string literal = LowerAscii(AsText(bytes));
    // A repetition makes a short input a long literal.
    while (length % 2 == 1 && !literal.empty() && literal.size() < 70) literal += literal;
    if (literal.size() < kMinLiteralBytes || literal.size() > kMaxLiteralBytes) continue;
    if (distinct.insert(literal).second) out.literals.push_back(literal);
  }
  if (out.literals.empty() || !in.ReadU32(out.seed)) return false;
  for (const uint8_t byte : in.rest()) {
    if (out.stream.size() > 20'000) break;
    if (byte >= 0xf0 && byte - 0xf0u < out.literals.size()) {
      out.stream += out.literals[byte - 0xf0u];
    } else {
      out.stream += static_cast<char>(byte);
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input;
  if (!Read({data, size}, input)) return 0;
  std::vector<PayloadMatcher::Pattern> patterns;
  for (const std::string& literal : input.literals) patterns.push_back({literal, 0, {true, true}});
  DatabaseCache no_cache;
  const auto matcher = PayloadMatcher::Compile(patterns, 1, no_cache).matcher;
  Check(matcher != nullptr);
  PayloadMatcher::Scratch scratch;
  Check(matcher->PrepareScratch(scratch));

  std::map<uint32_t, int64_t> found, expected;
  MatchCounters counters;
  PayloadTail tail;
  uint32_t random = input.seed;
  for (size_t at = 0; at < input.stream.size();) {
    random = random * 1664525 + 1013904223;
    const size_t limit = size_t{1} << (random >> 8) % 12;
    const size_t length = std::min<size_t>(1 + (random >> 16) % limit, input.stream.size() - at);
    std::vector<PayloadHit> hits;
    matcher->Scan(AsBytes(std::string_view(input.stream).substr(at, length)), Direction::kToClient, &tail, scratch,
                  counters, hits);
    for (const PayloadHit& hit : hits) {
      Check(hit.end_offset > 0 && hit.end_offset <= static_cast<int64_t>(length));
      found.emplace(hit.pattern, static_cast<int64_t>(at) + hit.end_offset);
    }
    at += length;
  }
  const std::string lowered = LowerAscii(input.stream);
  for (uint32_t i = 0; i < input.literals.size(); ++i) {
    const size_t at = lowered.find(input.literals[i]);
    if (at != std::string::npos) expected[i] = static_cast<int64_t>(at + input.literals[i].size());
  }
  Check(found == expected && counters.scan_errors == 0);
  return 0;
}
