#include "signatures/patterns/regex_parser.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/patterns/byte_set.h"
#include "signatures/patterns/regex_limits.h"
#include "signatures/patterns/regex_text.h"

namespace vedette {

// Recursive descent over PCRE's grammar. Every function stops at the first thing it cannot read; the reason says what.
class RegexParser {
 public:
  RegexParser(std::string_view text, bool caseless, std::string& reason) : text_(text, reason) {
    flags_.caseless = caseless;
  }

  std::optional<Regex> Parse() {
    uint32_t root = 0;
    if (!Alternatives(root)) return std::nullopt;
    if (!text_.AtEnd()) {
      text_.Fail("a ) without its (");
      return std::nullopt;
    }
    regex_.nodes_.shrink_to_fit();
    regex_.children_.shrink_to_fit();
    regex_.sets_.shrink_to_fit();
    regex_.Analyse();
    return std::move(regex_);
  }

 private:
  using Op = Regex::Op;
  using Assertion = Regex::Assertion;
  struct Flags {
    bool caseless = false, multiline = false, dot_all = false;
  };

  uint32_t Add(Regex::Node node, const std::vector<uint32_t>& children = {}) {
    node.first = static_cast<uint32_t>(regex_.children_.size());
    node.num_children = static_cast<uint32_t>(children.size());
    regex_.children_.insert(regex_.children_.end(), children.begin(), children.end());
    regex_.nodes_.push_back(node);
    return static_cast<uint32_t>(regex_.nodes_.size() - 1);
  }
  uint32_t AddByte(uint8_t byte) {
    if (flags_.caseless && IsRegexLetter(static_cast<char>(byte))) return AddSet(ByteSet::Of(byte).WithBothCases());
    Regex::Node node;
    node.op = Op::kByte;
    node.byte = byte;
    return Add(node);
  }
  uint32_t AddSet(const ByteSet& set) {
    Regex::Node node;
    node.op = Op::kSet;
    const auto same = std::find(regex_.sets_.begin(), regex_.sets_.end(), set);
    node.set = static_cast<uint32_t>(same - regex_.sets_.begin());
    if (same == regex_.sets_.end()) regex_.sets_.push_back(set);
    return Add(node);
  }
  uint32_t AddAssertion(Assertion assertion) {
    Regex::Node node;
    node.op = Op::kAssertion;
    node.byte = static_cast<uint8_t>(assertion);
    return Add(node);
  }
  uint32_t AddList(Op op, const std::vector<uint32_t>& children) {
    if (children.size() == 1) return children.front();
    Regex::Node node;
    node.op = children.empty() ? Op::kEmpty : op;
    return Add(node, children);
  }

  // Up to a ) or the end. Flags that are set inside hold to the end of the group, over its | as well.
  bool Alternatives(uint32_t& out) {
    if (++depth_ > kMaxRegexDepth)
      return text_.Fail("groups are nested more than " + std::to_string(kMaxRegexDepth) + " deep");
    const Flags outside = flags_;
    std::vector<uint32_t> alternatives;
    do {
      if (!Sequence(alternatives.emplace_back())) return false;
    } while (text_.Take("|"));
    out = AddList(Op::kChoice, alternatives);
    flags_ = outside;
    --depth_;
    return true;
  }

  bool Sequence(uint32_t& out) {
    std::vector<uint32_t> items;
    while (!text_.AtEnd() && text_.Peek() != '|' && text_.Peek() != ')') {
      const size_t before = items.size();
      if (!Item(items)) return false;
      if (!Quantifier(items, items.size() - before)) return false;
    }
    out = AddList(Op::kSequence, items);
    return true;
  }

  // Appends what comes next: one node that can be repeated, several (a quoted text), or none (a comment, flags).
  bool Item(std::vector<uint32_t>& items) {
    if (text_.Take("\\Q")) return Quoted(items);
    if (text_.Take("\\E")) return true;
    uint32_t& node = items.emplace_back();
    switch (text_.Peek()) {
      case '(':
        items.pop_back();
        text_.Skip(1);
        return Group(items);
      case '[':
        text_.Skip(1);
        return Class(node);
      case '.':
        text_.Skip(1);
        node = AddSet(flags_.dot_all ? ByteSet::All() : AllButNewline());
        return true;
      case '^':
        text_.Skip(1);
        node = AddAssertion(flags_.multiline ? Assertion::kLineBegin : Assertion::kBegin);
        return true;
      case '$':
        text_.Skip(1);
        node = AddAssertion(flags_.multiline ? Assertion::kLineEnd : Assertion::kEndOrNewline);
        return true;
      case '*':
      case '+':
      case '?':
        return text_.Fail("nothing stands before a " + std::string(1, text_.Peek()) +
                          " that it could repeat; the character itself is written \\" + std::string(1, text_.Peek()));
      case '\\':
        text_.Skip(1);
        return Escape(node);
      default:
        node = Character();
        return true;
    }
  }

  // A character that is several bytes in UTF-8 is repeated as a whole.
  uint32_t Character() {
    const size_t length = std::max<size_t>(Utf8Length(text_.Rest()), 1);
    std::vector<uint32_t> bytes;
    for (const char c : text_.Rest().substr(0, length)) bytes.push_back(AddByte(static_cast<uint8_t>(c)));
    text_.Skip(length);
    return AddList(Op::kSequence, bytes);
  }

  bool Quoted(std::vector<uint32_t>& items) {
    while (!text_.AtEnd() && !text_.Take("\\E")) items.push_back(Character());
    return true;
  }

  // Behind a (.
  bool Group(std::vector<uint32_t>& items) {
    const Flags outside = flags_;
    if (text_.Rest().starts_with('*')) return text_.Fail("(*…) is not supported: leave it away");
    if (text_.Take("?")) {
      bool is_whole = false;
      if (!BeginOfGroup(is_whole)) return false;
      if (is_whole) return true;
    }
    uint32_t& node = items.emplace_back();
    uint32_t inside = 0;
    if (!Alternatives(inside)) return false;
    if (!text_.Take(")")) return text_.Fail("a ( is not closed; the character itself is written \\(");
    node = inside;
    flags_ = outside;
    return true;
  }

  // Behind (?. `is_whole`: nothing is in the group, which is closed.
  bool BeginOfGroup(bool& is_whole) {
    static constexpr std::pair<std::string_view, const char*> kUnsupported[] = {
        {"=", "look-ahead (?=…)"},         {"!", "look-ahead (?!…)"},      {"<=", "look-behind (?<=…)"},
        {"<!", "look-behind (?<!…)"},      {">", "an atomic group (?>…)"}, {"(", "a condition (?(…)…)"},
        {"R", "recursion (?R)"},           {"&", "recursion (?&…)"},       {"P>", "recursion (?P>…)"},
        {"P=", "a back-reference (?P=…)"}, {"C", "a callout (?C)"},        {"+", "recursion (?+…)"},
    };
    for (const auto& [begin, name] : kUnsupported) {
      if (text_.Rest().starts_with(begin)) return text_.FailUnsupported(name);
    }
    const std::string_view number = text_.Rest().substr(text_.Rest().starts_with('-') ? 1 : 0, 1);
    if (!number.empty() && IsRegexDigit(number.front())) return text_.FailUnsupported("recursion (?1)");
    if (text_.Take("#")) {
      is_whole = true;
      return TakePast(')', "a comment (?#…) is not closed");
    }
    if (text_.Take("P<") || text_.Take("<")) return Name('>');
    if (text_.Take("'")) return Name('\'');
    if (text_.Take("|") || text_.Take(":")) return true;
    if (!FlagsOfGroup()) return false;
    is_whole = text_.Take(")");  // they hold to the end of the group around
    return is_whole || text_.Take(":") || text_.Fail("behind (?flags stands a : or a )");
  }

  bool Name(char close) {
    constexpr char kOpen[] = "the name of a group is not closed";
    return text_.Rest().starts_with(close) ? text_.Fail(kOpen) : TakePast(close, kOpen);
  }

  // Over the next `close`; what is said where there is none.
  bool TakePast(char close, const char* otherwise) {
    const size_t end = text_.Rest().find(close);
    if (end == std::string_view::npos) return text_.Fail(otherwise);
    text_.Skip(end + 1);
    return true;
  }

  bool FlagsOfGroup() {
    bool on = true;
    for (; !text_.AtEnd() && text_.Peek() != ':' && text_.Peek() != ')'; text_.Skip(1)) {
      switch (text_.Peek()) {
        case '-':
          if (!on) return text_.Fail("the flags of a group hold two -");
          on = false;
          break;
        case 'i':
          flags_.caseless = on;
          break;
        case 'm':
          flags_.multiline = on;
          break;
        case 's':
          flags_.dot_all = on;
          break;
        default:
          return text_.Fail("(?" + Escaped(text_.Rest().substr(0, 1)) +
                            "…) is not supported: the flags of a group are i, m and s");
      }
    }
    return true;
  }

  // Behind `count` new items: repeats the last.
  bool Quantifier(std::vector<uint32_t>& items, size_t count) {
    if (text_.AtEnd()) return true;
    uint32_t least = 0, most = 0;
    if (text_.Take("*")) {
      most = Regex::kForever;
    } else if (text_.Take("+")) {
      least = 1;
      most = Regex::kForever;
    } else if (text_.Take("?")) {
      most = 1;
    } else if (const size_t before = text_.Rest().size(); !Bounds(least, most)) {
      return text_.Rest().size() == before ||
             text_.Fail("a repetition {…} has to be of 1 to " + std::to_string(kMaxRegexPositions) +
                        " times, the smaller bound first");
    }
    if (count == 0) return text_.Fail("nothing stands before a quantifier that it could repeat");
    if (regex_.nodes_[items.back()].op == Op::kAssertion)
      return text_.Fail("^, $, \\b and the like cannot be repeated");
    if (text_.Take("+")) return text_.FailUnsupported("a possessive quantifier (*+, ++, ?+)");
    text_.Take("?");  // lazy or not: it is found all the same
    if (!text_.AtEnd() && (text_.Peek() == '*' || text_.Peek() == '+' || text_.Peek() == '?')) {
      return text_.Fail("a quantifier behind a quantifier: put the first with what it repeats into (?:…)");
    }
    Regex::Node node;
    node.op = Op::kRepeat;
    node.least = static_cast<uint16_t>(least);
    node.most = static_cast<uint16_t>(most);
    items.back() = Add(node, {items.back()});
    return true;
  }

  // {n} {n,} {n,m}. False where it stands still: no bounds, the { is itself; false where it moved on: out of bounds.
  bool Bounds(uint32_t& least, uint32_t& most) {
    const std::string_view rest = text_.Rest();
    size_t at = 1;
    const auto number = [&](uint32_t& out) {
      const size_t begin = at;
      for (out = 0; at < rest.size() && IsRegexDigit(rest[at]); ++at) {
        out = std::min<uint32_t>(out * 10 + static_cast<uint32_t>(rest[at] - '0'), Regex::kForever);
      }
      return at > begin;
    };
    if (rest.front() != '{' || !number(least)) return false;
    most = least;
    if (at < rest.size() && rest[at] == ',') {
      ++at;
      const bool given = number(most);
      if (!given) most = Regex::kForever;
      if (given && most == Regex::kForever) --most;
    }
    if (at >= rest.size() || rest[at] != '}') return false;
    text_.Skip(at + 1);
    return least <= most && most > 0 && least <= kMaxRegexPositions &&
           (most == Regex::kForever || most <= kMaxRegexPositions);
  }

  // Behind a [.
  bool Class(uint32_t& node) {
    ByteSet set;
    if (!text_.TakeClass(flags_.caseless, set)) return false;
    node = AddSet(set);
    return true;
  }

  // Behind a backslash, outside a class.
  bool Escape(uint32_t& node) {
    if (text_.AtEnd()) return text_.Fail("ends in a single \\; the character itself is written \\\\");
    const char c = text_.Peek();
    switch (c) {
      case 'A':
        text_.Skip(1);
        node = AddAssertion(Assertion::kBegin);
        return true;
      case 'z':
        text_.Skip(1);
        node = AddAssertion(Assertion::kEnd);
        return true;
      case 'Z':
        text_.Skip(1);
        node = AddAssertion(Assertion::kEndOrNewline);
        return true;
      case 'b':
        text_.Skip(1);
        node = AddAssertion(Assertion::kBoundary);
        return true;
      case 'B':
        text_.Skip(1);
        node = AddAssertion(Assertion::kNoBoundary);
        return true;
      case 'N':
        text_.Skip(1);
        node = AddSet(AllButNewline());
        return true;
      default:
        break;
    }
    if (const std::optional<ByteSet> set = ClassOfEscape(c)) {
      text_.Skip(1);
      node = AddSet(*set);
      return true;
    }
    uint8_t byte = 0;
    if (!text_.TakeByteEscape(byte)) return false;
    node = AddByte(byte);
    return true;
  }

  RegexText text_;
  unsigned depth_ = 0;
  Flags flags_;
  Regex regex_;
};

std::optional<Regex> ParseRegex(std::string_view text, bool caseless, std::string& reason) {
  if (text.size() > kMaxRegexBytes) {
    reason = "longer than " + std::to_string(kMaxRegexBytes) + " bytes";
    return std::nullopt;
  }
  return RegexParser(text, caseless, reason).Parse();
}

}  // namespace vedette
