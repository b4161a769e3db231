// A regular expression of an indicator: its syntax tree, and what has to be known of it besides what it matches.
//
// The tree is the meaning: Hyperscan is given what ForHyperscan() writes, never the text as it came, so that flags,
// classes and escapes have one reader (signatures/patterns/regex_parser.h; the dialect is in signatures/indicators.md). Bytes
// are matched, not characters. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"
#include "signatures/patterns/byte_set.h"

namespace vedette {

class Regex {
 public:
  static constexpr size_t kUnbounded = std::numeric_limits<size_t>::max();
  // Payload is matched across two segments by what the tail remembers; fields are there as a whole.
  static constexpr size_t kMaxPayloadWidth = 64;

  size_t min_width() const { return min_width_; }  // bytes of the shortest match
  size_t max_width() const { return max_width_; }  // of the longest, or kUnbounded
  // How many bytes it names when its bounded repetitions are written out; what compiling it costs goes with that.
  size_t positions() const { return positions_; }
  // The first of ^ $ \A \z \Z \b \B in it; nullptr: it does not look beyond its own bytes.
  const char* assertion() const { return assertion_; }
  // What it fixes, in bits: a byte of text that is fixed counts log2(95), a class by its share of bytes or of text.
  double fixed_bits() const { return fixed_bits_; }
  // Given bytes in a row that any match holds; a letter in either case is one.
  size_t longest_literal() const { return longest_literal_; }
  // Equal bytes in a row that some match has to hold. Both are counted up to 16.
  size_t longest_run() const { return longest_run_; }

  // The same expression for hs_compile without any flag.
  std::string ForHyperscan() const;

  // The length of the longest match that ends where `before` ends, at most kMaxPayloadWidth bytes of which are looked
  // at; 0: none ends there. Only without assertion and with a bounded width.
  size_t LongestEndingAt(Bytes before) const;

  size_t memory_bytes() const {
    return nodes_.capacity() * sizeof(Node) + children_.capacity() * sizeof(uint32_t) +
           sets_.capacity() * sizeof(ByteSet);
  }

 private:
  friend class RegexParser;

  enum class Op : uint8_t { kEmpty, kByte, kSet, kSequence, kChoice, kRepeat, kAssertion };
  enum class Assertion : uint8_t { kBegin, kEnd, kEndOrNewline, kLineBegin, kLineEnd, kBoundary, kNoBoundary };
  static constexpr uint16_t kForever = 0xffff;

  struct Node {
    Op op = Op::kEmpty;
    uint8_t byte = 0;    // kByte; kAssertion: which one
    uint16_t least = 0;  // kRepeat
    uint16_t most = 0;   // kRepeat; kForever
    uint32_t set = 0;    // kSet: index into sets_
    uint32_t first = 0;  // index into children_
    uint32_t num_children = 0;
  };
  struct Facts;
  struct Window;

  void Analyse();
  Facts FactsOf(uint32_t node) const;
  void Write(uint32_t node, std::string& out) const;
  std::span<const uint32_t> ChildrenOf(const Node& node) const { return {&children_[node.first], node.num_children}; }

  std::vector<Node> nodes_;  // children before their parents: the root is the last
  std::vector<uint32_t> children_;
  std::vector<ByteSet> sets_;
  size_t min_width_ = 0, max_width_ = 0, positions_ = 0, longest_literal_ = 0, longest_run_ = 0;
  double fixed_bits_ = 0;
  const char* assertion_ = nullptr;
};

}  // namespace vedette
