#include "signatures/patterns/regex.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <optional>
#include <string_view>

#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr size_t kKeptLiteral = 16;  // of a literal: more than any decision asks for

size_t Plus(size_t a, size_t b) {
  return a == Regex::kUnbounded || b == Regex::kUnbounded || a > Regex::kUnbounded - b ? Regex::kUnbounded : a + b;
}
size_t Times(size_t a, size_t b) {
  if (a == 0 || b == 0) return 0;
  return a > Regex::kUnbounded / b ? Regex::kUnbounded : a * b;
}

constexpr ByteSet kText = ByteSet::Range(' ', '~');

// How much less often the set is met than any byte, in bytes of text or in any bytes, whichever is less.
double BitsOf(const ByteSet& set) {
  const double share = std::max(set.size() / 256.0, set.SizeWithin(kText) / static_cast<double>(kText.size()));
  return share == 0 ? 0 : -std::log2(share);
}

// A byte, or a letter in either case: as Hyperscan's literals take them.
std::optional<char> LiteralOf(const ByteSet& set) {
  const unsigned size = set.size();
  if (size != 1 && size != 2) return std::nullopt;
  std::optional<char> out;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!set.Has(static_cast<uint8_t>(byte))) continue;
    const char lowered = LowerAscii(static_cast<char>(byte));
    if (out && *out != lowered) return std::nullopt;
    out = lowered;
  }
  return out;
}

size_t LongestRun(std::string_view text) {
  size_t longest = 0, run = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    run = i > 0 && text[i] == text[i - 1] ? run + 1 : 1;
    longest = std::max(longest, run);
  }
  return longest;
}

// What is known of the literals of an expression.
struct Literals {
  bool exact = true;       // it matches `begin` (== `end`) and nothing else
  std::string begin, end;  // each match begins and ends so
  size_t longest = 0, run = 0;

  void Note(std::string_view text) {
    longest = std::max(longest, std::min(text.size(), kKeptLiteral));
    run = std::max(run, LongestRun(text));
  }
  void Append(const Literals& next) {
    const std::string seam = end + next.begin;
    Note(seam);
    longest = std::max(longest, next.longest);
    run = std::max(run, next.run);
    if (exact) begin = begin.append(next.begin).substr(0, kKeptLiteral);
    end = next.exact ? seam : next.end;
    exact = exact && next.exact && end.size() <= kKeptLiteral;
    if (end.size() > kKeptLiteral) end.erase(0, end.size() - kKeptLiteral);
  }
  void Or(const Literals& other) {
    const auto same_begin = std::mismatch(begin.begin(), begin.end(), other.begin.begin(), other.begin.end());
    const auto same_end = std::mismatch(end.rbegin(), end.rend(), other.end.rbegin(), other.end.rend());
    exact = exact && other.exact && begin == other.begin;
    begin.erase(same_begin.first, begin.end());
    end.erase(end.begin(), same_end.first.base());
    longest = std::min(longest, other.longest);
    run = std::max(run, other.run);
  }
  void Repeat(size_t least, bool same_often) {
    const Literals once = *this;
    *this = {};
    if (least == 0) {
      exact = once.exact && once.begin.empty();
      run = once.run;
      return;
    }
    for (size_t i = 0; i < std::min(least, kKeptLiteral); ++i) Append(once);
    if (!same_often || least > kKeptLiteral) exact = false;
  }
};

void AppendByte(uint8_t byte, std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
}

}  // namespace

struct Regex::Facts {
  size_t min_width = 0, max_width = 0, positions = 0;
  double bits = 0;
  const char* assertion = nullptr;
  Literals literals;

  // Of one byte that is among `set`; `literal`: the same for all of them, in lower case.
  static Facts OfByte(const ByteSet& set, std::optional<char> literal) {
    Facts out;
    out.min_width = out.max_width = out.positions = 1;
    out.bits = BitsOf(set);
    out.literals.exact = literal.has_value();
    if (literal) {
      out.literals.begin = out.literals.end = *literal;
      out.literals.Note(out.literals.begin);
    }
    return out;
  }
  static Facts OfAssertion(Assertion which) {
    static constexpr const char* kNames[] = {"^", "\\z", "$", "^", "$", "\\b", "\\B"};
    constexpr double kAnchorBits = 4;  // of all the places in a text, one
    Facts out;
    out.assertion = kNames[static_cast<size_t>(which)];
    out.bits = which == Assertion::kBoundary || which == Assertion::kNoBoundary ? 0 : kAnchorBits;
    return out;
  }
  void Append(const Facts& next) {
    min_width = Plus(min_width, next.min_width);
    max_width = Plus(max_width, next.max_width);
    positions = Plus(positions, next.positions);
    bits += next.bits;
    if (assertion == nullptr) assertion = next.assertion;
    literals.Append(next.literals);
  }
  void Or(const Facts& other) {
    min_width = std::min(min_width, other.min_width);
    max_width = std::max(max_width, other.max_width);
    positions = Plus(positions, other.positions);
    bits = std::min(bits, other.bits);
    if (assertion == nullptr) assertion = other.assertion;
    literals.Or(other.literals);
  }
  void Repeat(uint16_t least, uint16_t most) {
    const size_t written = most == kForever ? std::max<size_t>(least, 1) : most;
    min_width = Times(min_width, least);
    max_width = Times(max_width, most == kForever ? kUnbounded : most);
    positions = Times(positions, written);
    bits *= least;
    literals.Repeat(least, least == most);
  }
};

Regex::Facts Regex::FactsOf(uint32_t index) const {
  const Node& node = nodes_[index];
  Facts facts;
  switch (node.op) {
    case Op::kEmpty:
      break;
    case Op::kByte:
      return Facts::OfByte(ByteSet::Of(node.byte), LowerAscii(static_cast<char>(node.byte)));
    case Op::kSet:
      return Facts::OfByte(sets_[node.set], LiteralOf(sets_[node.set]));
    case Op::kSequence:
      for (const uint32_t child : ChildrenOf(node)) facts.Append(FactsOf(child));
      break;
    case Op::kChoice: {
      const std::span<const uint32_t> children = ChildrenOf(node);
      facts = FactsOf(children.front());
      for (const uint32_t child : children.subspan(1)) facts.Or(FactsOf(child));
      break;
    }
    case Op::kRepeat:
      facts = FactsOf(ChildrenOf(node).front());
      facts.Repeat(node.least, node.most);
      break;
    case Op::kAssertion:
      return Facts::OfAssertion(static_cast<Assertion>(node.byte));
  }
  return facts;
}

void Regex::Analyse() {
  const Facts facts = FactsOf(static_cast<uint32_t>(nodes_.size() - 1));
  min_width_ = facts.min_width;
  max_width_ = facts.max_width;
  positions_ = facts.positions;
  fixed_bits_ = facts.bits;
  assertion_ = facts.assertion;
  longest_literal_ = facts.literals.longest;
  longest_run_ = facts.literals.run;
}

void Regex::Write(uint32_t index, std::string& out) const {
  const Node& node = nodes_[index];
  switch (node.op) {
    case Op::kEmpty:
      break;
    case Op::kByte:
      AppendByte(node.byte, out);
      break;
    case Op::kSet: {
      out += '[';
      const ByteSet& set = sets_[node.set];
      for (unsigned first = 0; first < 256; ++first) {
        if (!set.Has(static_cast<uint8_t>(first))) continue;
        unsigned last = first;
        while (last < 255 && set.Has(static_cast<uint8_t>(last + 1))) ++last;
        AppendByte(static_cast<uint8_t>(first), out);
        if (last > first) {
          out += '-';
          AppendByte(static_cast<uint8_t>(last), out);
        }
        first = last;
      }
      out += ']';
      break;
    }
    case Op::kSequence:
      for (const uint32_t child : ChildrenOf(node)) Write(child, out);
      break;
    case Op::kChoice: {
      const char* before = "(?:";
      for (const uint32_t child : ChildrenOf(node)) {
        out += before;
        Write(child, out);
        before = "|";
      }
      out += ')';
      break;
    }
    case Op::kRepeat: {
      const uint32_t child = ChildrenOf(node).front();
      const bool group = nodes_[child].op != Op::kByte && nodes_[child].op != Op::kSet;
      if (group) out += "(?:";
      Write(child, out);
      if (group) out += ')';
      out.append("{").append(std::to_string(node.least));
      if (node.most != node.least) out += ',';
      if (node.most != node.least && node.most != kForever) out += std::to_string(node.most);
      out += '}';
      break;
    }
    case Op::kAssertion: {
      static constexpr const char* kTexts[] = {"\\A", "\\z", "\\Z", "(?m:^)", "(?m:$)", "\\b", "\\B"};
      out += kTexts[node.byte];
      break;
    }
  }
}

std::string Regex::ForHyperscan() const {
  std::string out;
  Write(static_cast<uint32_t>(nodes_.size() - 1), out);
  return out;
}

// Walks the tree from its end to its beginning. A place is the number of bytes between it and the end of the text.
struct Regex::Window {
  using Places = std::bitset<kMaxPayloadWidth + 1>;

  const Regex& regex;
  Bytes text;  // at most kMaxPayloadWidth

  // Where matches of the node begin that end at one of `ends`.
  Places Before(uint32_t index, const Places& ends) const {
    const Node& node = regex.nodes_[index];
    switch (node.op) {
      case Op::kEmpty:
      case Op::kAssertion:
        return ends;
      case Op::kByte:
      case Op::kSet: {
        Places out;
        for (size_t i = 0; i < text.size(); ++i) {
          if (!ends[i]) continue;
          const uint8_t byte = text[text.size() - 1 - i];
          out[i + 1] = node.op == Op::kByte ? byte == node.byte : regex.sets_[node.set].Has(byte);
        }
        return out;
      }
      case Op::kSequence: {
        Places at = ends;
        const std::span<const uint32_t> children = regex.ChildrenOf(node);
        for (auto child = children.rbegin(); child != children.rend() && at.any(); ++child) at = Before(*child, at);
        return at;
      }
      case Op::kChoice: {
        Places out;
        for (const uint32_t child : regex.ChildrenOf(node)) out |= Before(child, ends);
        return out;
      }
      case Op::kRepeat:
        break;
    }
    const uint32_t child = regex.ChildrenOf(node).front();
    Places at = ends;
    // A round of a child that needs a byte takes the first place further, one of any other child keeps the places there
    // are: what a round leaves as it is, all further ones do, and that comes within one round for each byte. Without
    // this an expression of repetitions of nothing, one in the other, would go on for ever.
    const auto changes = [&] {
      const Places before = at;
      at = Before(child, at);
      return at != before;
    };
    unsigned rounds = 0;
    while (rounds < node.least && changes()) ++rounds;
    Places out = at;
    for (rounds = node.least; rounds < node.most && changes(); ++rounds) out |= at;
    return out;
  }
};

size_t Regex::LongestEndingAt(Bytes before) const {
  const Window window{*this, before.last(std::min(before.size(), kMaxPayloadWidth))};
  Window::Places end;
  end[0] = true;
  const Window::Places begins = window.Before(static_cast<uint32_t>(nodes_.size() - 1), end);
  for (size_t length = window.text.size(); length > 0; --length) {
    if (begins[length]) return length;
  }
  return 0;
}

}  // namespace vedette
