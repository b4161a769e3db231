// Feeds a stream parser the same conversation whole, byte by byte and in random pieces, and compares what comes out.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "parsers/base/observable.h"
#include "parsers/base/parser.h"
#include "tests/unit/parsers/parser_batch.h"

namespace vedette::testing {

// One side's turn in a conversation.
struct Turn {
  Direction direction;
  std::string bytes;
};

inline std::string Describe(const Observable& o) {
  std::string value = FormOf(o.kind) == ValueForm::kAddress ? o.address.ToString() : std::string(o.text);
  return std::string(NameOf(o.kind)) + (o.direction == Direction::kToServer ? " > " : " < ") + value;
}

// What a parser emits for the turns, cut into pieces of `piece(generator)` bytes; honours skip, done and malformed as
// the stream layer does. Stops at a hand-over. `end`: both directions end after the last turn.
template <class Parser, class Piece>
std::vector<std::string> FeedInPieces(const std::vector<Turn>& turns, Piece piece, bool end = true) {
  Parser parser;
  ParserBatch batch;
  uint64_t skip[2] = {0, 0};
  bool started[2] = {false, false};
  bool stopped = false;
  const auto feed = [&](Bytes data, Direction direction, bool last) {
    const auto d = static_cast<size_t>(direction);
    const uint64_t passed = std::min<uint64_t>(skip[d], data.size());
    if (skip[d] != Outcome::kSkipAll) skip[d] -= passed;
    data = data.subspan(passed);
    if ((data.empty() && !last) || stopped) return;
    Chunk chunk{.data = data, .direction = direction, .start = !started[d] && passed == 0, .end = last};
    started[d] = true;
    const Outcome outcome = parser.Feed(chunk, batch);
    EXPECT_LE(parser.HeldBytes(), Parser::kLimitBytes);
    if (outcome.progress == Progress::kSkip) skip[d] = outcome.skip_bytes;
    stopped = outcome.progress == Progress::kDone || outcome.progress == Progress::kMalformed ||
              outcome.progress == Progress::kHandOver;
  };
  for (const Turn& turn : turns) {
    for (size_t at = 0; at < turn.bytes.size();) {
      const size_t length = std::min<size_t>(std::max<size_t>(piece(), 1), turn.bytes.size() - at);
      // A fresh allocation of exact size, so that a sanitizer sees any read outside the chunk.
      const std::vector<uint8_t> exact(turn.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                       turn.bytes.begin() + static_cast<std::ptrdiff_t>(at + length));
      feed(exact, turn.direction, false);
      at += length;
    }
  }
  if (end) {
    feed({}, Direction::kToServer, true);
    feed({}, Direction::kToClient, true);
  }
  std::vector<std::string> out;
  for (const Observable& o : batch.observables()) out.push_back(Describe(o));
  return out;
}

template <class Parser>
std::vector<std::string> FeedWhole(const std::vector<Turn>& turns) {
  return FeedInPieces<Parser>(turns, [] { return SIZE_MAX; });
}

// The same answer whole, byte by byte, and in 50 random cuts. Returns the answer.
template <class Parser>
std::vector<std::string> ExpectSameInPieces(const std::vector<Turn>& turns) {
  const std::vector<std::string> whole = FeedWhole<Parser>(turns);
  EXPECT_EQ(whole, FeedInPieces<Parser>(turns, [] { return size_t{1}; })) << "byte by byte";
  for (uint32_t seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    EXPECT_EQ(whole, FeedInPieces<Parser>(turns, [&] { return size_t{1} + random() % (1 + seed * 7); }))
        << "seed " << seed;
  }
  return whole;
}

// Every truncated prefix of the conversation: must end, hold its bounds, and emit nothing that the whole does not emit
// up to there. (A value cut short must not be reported as if it were complete.)
template <class Parser>
void ExpectPrefixesAreQuiet(const std::vector<Turn>& turns) {
  std::vector<std::string> whole = FeedWhole<Parser>(turns);
  std::vector<Turn> prefix;
  for (const Turn& turn : turns) {
    prefix.push_back({turn.direction, ""});
    for (size_t length = 0; length <= turn.bytes.size(); ++length) {
      prefix.back().bytes = turn.bytes.substr(0, length);
      std::vector<std::string> seen = FeedWhole<Parser>(prefix);
      for (const std::string& value : seen) {
        EXPECT_NE(std::find(whole.begin(), whole.end(), value), whole.end()) << value << " at prefix " << length;
      }
    }
  }
}

}  // namespace vedette::testing
