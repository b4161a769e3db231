#include "signatures/patterns/regex_parser.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "parsers/base/text.h"
#include "signatures/patterns/byte_set.h"

namespace vedette {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z'; }
bool IsOctal(char c) { return c >= '0' && c <= '7'; }
int HexValue(char c) {
  const char lowered = LowerAscii(c);
  return IsDigit(c) ? c - '0' : lowered >= 'a' && lowered <= 'f' ? lowered - 'a' + 10 : -1;
}

ByteSet Digits() { return ByteSet::Range('0', '9'); }
ByteSet Letters() { return ByteSet::Range('a', 'z').WithBothCases(); }
ByteSet OneOf(std::string_view bytes) {
  ByteSet out;
  for (const char c : bytes) out.Add(static_cast<uint8_t>(c));
  return out;
}
ByteSet Union(ByteSet a, const ByteSet& b) {
  a.Add(b);
  return a;
}

// \d \w \s \h \v and, in capitals, all other bytes.
std::optional<ByteSet> ClassEscape(char c) {
  ByteSet set;
  switch (LowerAscii(c)) {
    case 'd':
      set = Digits();
      break;
    case 'w':
      set = Union(Union(Digits(), Letters()), OneOf("_"));
      break;
    case 's':
      set = OneOf(" \t\n\v\f\r");
      break;
    case 'h':
      set = OneOf(" \t\xa0");
      break;
    case 'v':
      set = OneOf("\n\v\f\r\x85");
      break;
    default:
      return std::nullopt;
  }
  return c == LowerAscii(c) ? set : set.Complement();
}

std::optional<ByteSet> PosixClass(std::string_view name) {
  if (name == "alpha") return Letters();
  if (name == "digit") return Digits();
  if (name == "alnum") return Union(Letters(), Digits());
  if (name == "upper") return ByteSet::Range('A', 'Z');
  if (name == "lower") return ByteSet::Range('a', 'z');
  if (name == "space") return ClassEscape('s');
  if (name == "blank") return OneOf(" \t");
  if (name == "punct")
    return Union(Union(ByteSet::Range('!', '/'), ByteSet::Range(':', '@')),
                 Union(ByteSet::Range('[', '`'), ByteSet::Range('{', '~')));
  if (name == "xdigit") return Union(Digits(), ByteSet::Range('a', 'f').WithBothCases());
  if (name == "word") return ClassEscape('w');
  if (name == "cntrl") return Union(ByteSet::Range(0, 0x1f), ByteSet::Of(0x7f));
  if (name == "print") return ByteSet::Range(' ', '~');
  if (name == "graph") return ByteSet::Range('!', '~');
  if (name == "ascii") return ByteSet::Range(0, 0x7f);
  return std::nullopt;
}

}  // namespace

// Recursive descent over PCRE's grammar. Every function stops at the first thing it cannot read; `reason_` says what.
class RegexParser {
 public:
  RegexParser(std::string_view text, bool caseless, std::string& reason) : text_(text), reason_(reason) {
    flags_.caseless = caseless;
  }

  std::optional<Regex> Parse() {
    uint32_t root = 0;
    if (!Alternatives(root)) return std::nullopt;
    if (!AtEnd()) {
      Fail("a ) without its (");
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

  bool Fail(std::string why) {
    reason_ = std::move(why);
    return false;
  }
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return text_[at_]; }
  std::string_view Rest() const { return text_.substr(at_); }
  bool Take(std::string_view what) {
    if (Rest().substr(0, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }

  uint32_t Add(Regex::Node node, const std::vector<uint32_t>& children = {}) {
    node.first = static_cast<uint32_t>(regex_.children_.size());
    node.num_children = static_cast<uint32_t>(children.size());
    regex_.children_.insert(regex_.children_.end(), children.begin(), children.end());
    regex_.nodes_.push_back(node);
    return static_cast<uint32_t>(regex_.nodes_.size() - 1);
  }
  uint32_t AddByte(uint8_t byte) {
    if (flags_.caseless && IsLetter(static_cast<char>(byte))) return AddSet(ByteSet::Of(byte).WithBothCases());
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
      return Fail("groups are nested more than " + std::to_string(kMaxRegexDepth) + " deep");
    const Flags outside = flags_;
    std::vector<uint32_t> alternatives;
    do {
      if (!Sequence(alternatives.emplace_back())) return false;
    } while (Take("|"));
    out = AddList(Op::kChoice, alternatives);
    flags_ = outside;
    --depth_;
    return true;
  }

  bool Sequence(uint32_t& out) {
    std::vector<uint32_t> items;
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      const size_t before = items.size();
      if (!Item(items)) return false;
      if (!Quantifier(items, items.size() - before)) return false;
    }
    out = AddList(Op::kSequence, items);
    return true;
  }

  // Appends what stands next: one node that can be repeated, several (a quoted text), or none (a comment, flags).
  bool Item(std::vector<uint32_t>& items) {
    if (Take("\\Q")) return Quoted(items);
    if (Take("\\E")) return true;
    uint32_t& node = items.emplace_back();
    switch (Peek()) {
      case '(':
        items.pop_back();
        ++at_;
        return Group(items);
      case '[':
        ++at_;
        return Class(node);
      case '.':
        ++at_;
        node = AddSet(flags_.dot_all ? ByteSet::All() : OneOf("\n").Complement());
        return true;
      case '^':
        ++at_;
        node = AddAssertion(flags_.multiline ? Assertion::kLineBegin : Assertion::kBegin);
        return true;
      case '$':
        ++at_;
        node = AddAssertion(flags_.multiline ? Assertion::kLineEnd : Assertion::kEndOrNewline);
        return true;
      case '*':
      case '+':
      case '?':
        return Fail("nothing stands before a " + std::string(1, Peek()) +
                    " that it could repeat; the character itself is written \\" + std::string(1, Peek()));
      case '\\':
        ++at_;
        return Escape(node);
      default:
        node = Character();
        return true;
    }
  }

  // A character that is several bytes in UTF-8 is repeated as a whole.
  uint32_t Character() {
    const size_t length = std::max<size_t>(Utf8Length(Rest()), 1);
    std::vector<uint32_t> bytes;
    for (const char c : text_.substr(at_, length)) bytes.push_back(AddByte(static_cast<uint8_t>(c)));
    at_ += length;
    return AddList(Op::kSequence, bytes);
  }

  bool Quoted(std::vector<uint32_t>& items) {
    while (!AtEnd() && !Take("\\E")) items.push_back(Character());
    return true;
  }

  bool Group(std::vector<uint32_t>& items) {
    const Flags outside = flags_;
    if (Rest().substr(0, 1) == "*") return Fail("(*…) is not supported: leave it away");
    if (Take("?")) {
      static constexpr std::pair<std::string_view, const char*> kUnsupported[] = {
          {"=", "look-ahead (?=…)"},         {"!", "look-ahead (?!…)"},      {"<=", "look-behind (?<=…)"},
          {"<!", "look-behind (?<!…)"},      {">", "an atomic group (?>…)"}, {"(", "a condition (?(…)…)"},
          {"R", "recursion (?R)"},           {"&", "recursion (?&…)"},       {"P>", "recursion (?P>…)"},
          {"P=", "a back-reference (?P=…)"}, {"C", "a callout (?C)"},        {"+", "recursion (?+…)"},
      };
      for (const auto& [begin, name] : kUnsupported) {
        if (Rest().substr(0, begin.size()) == begin) return Fail(Unsupported(name));
      }
      if (!AtEnd() && (IsDigit(Peek()) || (Peek() == '-' && at_ + 1 < text_.size() && IsDigit(text_[at_ + 1])))) {
        return Fail(Unsupported("recursion (?1)"));
      }
      if (Take("#")) {
        const size_t close = text_.find(')', at_);
        if (close == std::string_view::npos) return Fail("a comment (?#…) is not closed");
        at_ = close + 1;
        return true;
      }
      if (Take("P<") || Take("<")) {
        if (!Name('>')) return false;
      } else if (Take("'")) {
        if (!Name('\'')) return false;
      } else if (!Take("|") && !Take(":")) {
        if (!FlagsOfGroup()) return false;
        if (Take(")")) return true;  // they hold to the end of the group around
        if (!Take(":")) return Fail("behind (?flags stands a : or a )");
      }
    }
    uint32_t& node = items.emplace_back();
    uint32_t inside = 0;
    if (!Alternatives(inside)) return false;
    if (!Take(")")) return Fail("a ( is not closed; the character itself is written \\(");
    node = inside;
    flags_ = outside;
    return true;
  }

  bool Name(char close) {
    const size_t end = text_.find(close, at_);
    if (end == std::string_view::npos || end == at_) return Fail("the name of a group is not closed");
    at_ = end + 1;
    return true;
  }

  bool FlagsOfGroup() {
    bool on = true;
    for (; !AtEnd() && Peek() != ':' && Peek() != ')'; ++at_) {
      switch (Peek()) {
        case '-':
          if (!on) return Fail("the flags of a group hold two -");
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
          return Fail("(?" + Escaped({&text_[at_], 1}) + "…) is not supported: the flags of a group are i, m and s");
      }
    }
    return true;
  }

  static std::string Unsupported(std::string_view what) {
    return std::string(what) +
           " is not supported: one pass over the bytes cannot answer it; write what is looked for without it";
  }

  // Behind `count` new items: repeats the last.
  bool Quantifier(std::vector<uint32_t>& items, size_t count) {
    if (AtEnd()) return true;
    uint32_t least = 0, most = 0;
    if (Take("*")) {
      most = Regex::kForever;
    } else if (Take("+")) {
      least = 1;
      most = Regex::kForever;
    } else if (Take("?")) {
      most = 1;
    } else if (const size_t before = at_; !Bounds(least, most)) {
      return at_ == before || Fail("a repetition {…} has to be of 1 to " + std::to_string(kMaxRegexPositions) +
                                   " times, the smaller bound first");
    }
    if (count == 0) return Fail("nothing stands before a quantifier that it could repeat");
    if (regex_.nodes_[items.back()].op == Op::kAssertion) return Fail("^, $, \\b and the like cannot be repeated");
    if (Take("+")) return Fail(Unsupported("a possessive quantifier (*+, ++, ?+)"));
    Take("?");  // lazy or not: it is found all the same
    if (!AtEnd() && (Peek() == '*' || Peek() == '+' || Peek() == '?')) {
      return Fail("a quantifier behind a quantifier: put the first with what it repeats into (?:…)");
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
    size_t at = at_ + 1;
    const auto number = [&](uint32_t& out) {
      const size_t begin = at;
      for (out = 0; at < text_.size() && IsDigit(text_[at]); ++at) {
        out = std::min<uint32_t>(out * 10 + static_cast<uint32_t>(text_[at] - '0'), Regex::kForever);
      }
      return at > begin;
    };
    if (Peek() != '{' || !number(least)) return false;
    most = least;
    if (at < text_.size() && text_[at] == ',') {
      ++at;
      if (!number(most)) most = Regex::kForever;
      const bool given = text_[at - 1] != ',';
      if (given && most == Regex::kForever) --most;
    }
    if (at >= text_.size() || text_[at] != '}') return false;
    at_ = at + 1;
    return least <= most && most > 0 && least <= kMaxRegexPositions &&
           (most == Regex::kForever || most <= kMaxRegexPositions);
  }

  // Behind a backslash, outside a class.
  bool Escape(uint32_t& node) {
    if (AtEnd()) return Fail("ends in a single \\; the character itself is written \\\\");
    const char c = Peek();
    switch (c) {
      case 'A':
        ++at_;
        node = AddAssertion(Assertion::kBegin);
        return true;
      case 'z':
        ++at_;
        node = AddAssertion(Assertion::kEnd);
        return true;
      case 'Z':
        ++at_;
        node = AddAssertion(Assertion::kEndOrNewline);
        return true;
      case 'b':
        ++at_;
        node = AddAssertion(Assertion::kBoundary);
        return true;
      case 'B':
        ++at_;
        node = AddAssertion(Assertion::kNoBoundary);
        return true;
      case 'N':
        ++at_;
        node = AddSet(OneOf("\n").Complement());
        return true;
      default:
        break;
    }
    if (const std::optional<ByteSet> set = ClassEscape(c)) {
      ++at_;
      node = AddSet(*set);
      return true;
    }
    uint8_t byte = 0;
    if (!ByteEscape(byte)) return false;
    node = AddByte(byte);
    return true;
  }

  // A byte behind a backslash, in a class or outside.
  bool ByteEscape(uint8_t& byte) {
    const char c = Peek();
    ++at_;
    switch (c) {
      case 'a':
        byte = '\a';
        return true;
      case 'e':
        byte = 0x1b;
        return true;
      case 'f':
        byte = '\f';
        return true;
      case 'n':
        byte = '\n';
        return true;
      case 'r':
        byte = '\r';
        return true;
      case 't':
        byte = '\t';
        return true;
      case 'x':
        return HexEscape(byte);
      case '0': {
        unsigned value = 0;
        for (int i = 0; i < 2 && !AtEnd() && IsOctal(Peek()); ++i, ++at_)
          value = value * 8 + static_cast<unsigned>(Peek() - '0');
        byte = static_cast<uint8_t>(value);
        return true;
      }
      case 'g':
      case 'k':
        return Fail(Unsupported("a back-reference (\\" + std::string(1, c) + ")"));
      case 'K':
        return Fail("\\K is not supported: leave it away; the whole match is shown");
      case 'p':
      case 'P':
      case 'X':
        return Fail("\\" + std::string(1, c) + " is not supported: bytes are matched, not characters; write a class");
      default:
        break;
    }
    if (IsDigit(c)) return Fail(Unsupported("a back-reference (\\" + std::string(1, c) + ")"));
    if (IsLetter(c)) return Fail("\\" + std::string(1, c) + " is not supported; a byte is written \\xhh");
    byte = static_cast<uint8_t>(c);
    return true;
  }

  // Behind \x: \xhh, \xh, \x{hh}.
  bool HexEscape(uint8_t& byte) {
    const bool braces = Take("{");
    unsigned value = 0, digits = 0;
    for (; !AtEnd() && HexValue(Peek()) >= 0 && (braces || digits < 2); ++digits, ++at_) {
      value = std::min(value * 16 + static_cast<unsigned>(HexValue(Peek())), 0x100u);
    }
    if (digits == 0 || (braces && !Take("}"))) return Fail("behind \\x stand two hexadecimal digits: \\x0a, \\x{0a}");
    if (value > 0xff) return Fail("\\x{…} is more than a byte: write the bytes of its UTF-8 form, as \\xc3\\xa9");
    byte = static_cast<uint8_t>(value);
    return true;
  }

  // Behind a [.
  bool Class(uint32_t& node) {
    static constexpr char kOpen[] = "a [ is not closed; the character itself is written \\[";
    const bool negated = Take("^");
    ByteSet set;
    bool first = true, quoted = false;
    for (;; first = false) {
      if (AtEnd()) return Fail(kOpen);
      if (quoted ? Take("\\E") : Take("\\Q")) {
        quoted = !quoted;
        continue;
      }
      if (!quoted && Take("\\E")) continue;
      if (!quoted && !first && Take("]")) break;
      if (!quoted && Rest().substr(0, 2) == "[:") {
        const size_t close = text_.find(":]", at_);
        if (close != std::string_view::npos) {
          std::string_view name = text_.substr(at_ + 2, close - at_ - 2);
          const bool other = name.substr(0, 1) == "^";
          if (other) name.remove_prefix(1);
          const std::optional<ByteSet> posix = PosixClass(name);
          if (posix) {
            // Without regard to case, [:upper:] and [:lower:] are [:alpha:], and so is what they leave out.
            const ByteSet named = flags_.caseless ? posix->WithBothCases() : *posix;
            set.Add(other ? named.Complement() : named);
            at_ = close + 2;
            continue;
          }
          if (std::all_of(name.begin(), name.end(), IsLetter)) return Fail("[:" + Escaped(name) + ":] is no class");
        }
      }
      uint8_t low = 0, high = 0;
      std::optional<ByteSet> several;
      if (!ClassByte(quoted, low, several)) return false;
      if (several) {
        set.Add(*several);
        continue;
      }
      high = low;
      if (!quoted && Rest().size() > 1 && Peek() == '-' && Rest()[1] != ']') {
        const size_t dash = at_++;
        if (Rest().substr(0, 2) == "[:") {
          at_ = dash;  // the - is itself
        } else {
          if (!ClassByte(false, high, several)) return false;
          if (several) return Fail("a range in [] that ends in a class, such as [a-\\d]: write the - as \\-");
          if (high < low) return Fail("a range in [] that runs backwards, such as [z-a]");
        }
      }
      set.Add(ByteSet::Range(low, high));
    }
    if (flags_.caseless) set = set.WithBothCases();
    if (negated) set = set.Complement();
    if (set.size() == 0) return Fail("a [] that no byte is in");
    node = AddSet(set);
    return true;
  }

  bool ClassByte(bool quoted, uint8_t& byte, std::optional<ByteSet>& several) {
    if (AtEnd()) return Fail("a [ is not closed; the character itself is written \\[");
    const char c = Peek();
    if (static_cast<uint8_t>(c) >= 0x80) {
      return Fail(
          "a character that is no ASCII in []: bytes are matched, not characters; write (?:é|è) instead of [éè]");
    }
    ++at_;
    if (quoted || c != '\\') {
      byte = static_cast<uint8_t>(c);
      return true;
    }
    if (AtEnd()) return Fail("ends in a single \\; the character itself is written \\\\");
    if (Take("b")) {
      byte = '\b';
      return true;
    }
    several = ClassEscape(Peek());
    if (several) {
      ++at_;
      return true;
    }
    return ByteEscape(byte);
  }

  std::string_view text_;
  std::string& reason_;
  size_t at_ = 0;
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

bool IsUsable(const Regex& regex, std::string& reason) {
  const auto refuse = [&](std::string why) {
    reason = std::move(why);
    return false;
  };
  if (regex.positions() > kMaxRegexPositions) {
    return refuse(
        "more than " + std::to_string(kMaxRegexPositions) +
        " bytes with its repetitions written out, which takes too long to compile: shorten it; in a field {9,} "
        "costs less than {9,500}");
  }
  if (regex.min_width() == 0) return refuse("matches an empty text, and so everything: leave no part optional");
  if (regex.min_width() < kMinRegexBytes && (regex.assertion() == nullptr || regex.fixed_bits() < kMinRegexBits)) {
    return refuse("matches texts shorter than " + std::to_string(kMinRegexBytes) +
                  " bytes: it would be found everywhere");
  }
  if (regex.fixed_bits() < kMinRegexBits) {
    return refuse("so general that it would be found everywhere: it has to fix as much as three letters do");
  }
  if (regex.longest_run() > kMaxRegexRun) {
    return refuse("holds 8 or more equal bytes in a row, which slow every scan down: leave some of them away");
  }
  return true;
}

bool FitsPayload(const Regex& regex, std::string& reason) {
  static constexpr char kElse[] = ", or name fields in `in`, such as http.uri, which are seen whole";
  const auto refuse = [&](std::string why) {
    reason = std::move(why) + kElse;
    return false;
  };
  if (regex.assertion() != nullptr) {
    return refuse(std::string(regex.assertion()) +
                  " in payload: a stream may be cut anywhere, and its pieces begin and end nowhere; leave it away");
  }
  if (regex.max_width() == Regex::kUnbounded) {
    return refuse("of any length in payload (*, + or {n,}), where at most " + std::to_string(Regex::kMaxPayloadWidth) +
                  " bytes are kept of what passed: write a bound, such as {0,20}");
  }
  if (regex.max_width() > Regex::kMaxPayloadWidth) {
    return refuse("up to " + std::to_string(regex.max_width()) + " bytes long in payload, where at most " +
                  std::to_string(Regex::kMaxPayloadWidth) + " bytes are kept of what passed: shorten it");
  }
  if (regex.longest_literal() < kMinRegexLiteral) {
    return refuse("in payload it needs " + std::to_string(kMinRegexLiteral) +
                  " given bytes in a row in each of its alternatives, or it is tried at every byte and slows the whole "
                  "scan down: add some");
  }
  return true;
}

bool WithoutSlashes(std::string_view value, std::string& expression, std::string& reason) {
  expression = value;
  std::string_view text = value;
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  const size_t last = text.rfind('/');
  if (text.empty() || text.front() != '/' || last == 0) return true;
  const std::string_view flags = text.substr(last + 1), inside = text.substr(1, last - 1);
  if (!std::all_of(flags.begin(), flags.end(), IsLetter)) return true;
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\')
      ++i;
    else if (inside[i] == '/')
      return true;
    if (i >= inside.size()) return true;  // the last / is escaped
  }
  std::string kept;
  for (const char flag : flags) {
    if (flag == 'i' || flag == 'm' || flag == 's') {
      if (kept.find(flag) == std::string::npos) kept += flag;
    } else if (flag == 'x') {
      reason = "the flag x is not supported: write the expression without blanks and comments";
      return false;
    } else {
      reason =
          "the flag " + std::string(1, flag) +
          " is not supported: behind /…/ stand i, m and s; where to look (U, H, P and others of Snort and Suricata) "
          "is said in `in`, such as http.uri";
      return false;
    }
  }
  expression.clear();
  if (!kept.empty()) expression.append("(?").append(kept).append(")");
  expression += inside;
  return true;
}

}  // namespace vedette
