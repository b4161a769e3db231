#include "signatures/patterns/regex_text.h"

#include <algorithm>
#include <utility>

#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr char kOpenClass[] = "a [ is not closed; the character itself is written \\[";

bool IsOctal(char c) { return c >= '0' && c <= '7'; }
int HexValue(char c) {
  const char lowered = LowerAscii(c);
  return IsRegexDigit(c) ? c - '0' : lowered >= 'a' && lowered <= 'f' ? lowered - 'a' + 10 : -1;
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

std::optional<ByteSet> PosixClass(std::string_view name) {
  if (name == "alpha") return Letters();
  if (name == "digit") return Digits();
  if (name == "alnum") return Union(Letters(), Digits());
  if (name == "upper") return ByteSet::Range('A', 'Z');
  if (name == "lower") return ByteSet::Range('a', 'z');
  if (name == "space") return ClassOfEscape('s');
  if (name == "blank") return OneOf(" \t");
  if (name == "punct")
    return Union(Union(ByteSet::Range('!', '/'), ByteSet::Range(':', '@')),
                 Union(ByteSet::Range('[', '`'), ByteSet::Range('{', '~')));
  if (name == "xdigit") return Union(Digits(), ByteSet::Range('a', 'f').WithBothCases());
  if (name == "word") return ClassOfEscape('w');
  if (name == "cntrl") return Union(ByteSet::Range(0, 0x1f), ByteSet::Of(0x7f));
  if (name == "print") return ByteSet::Range(' ', '~');
  if (name == "graph") return ByteSet::Range('!', '~');
  if (name == "ascii") return ByteSet::Range(0, 0x7f);
  return std::nullopt;
}

}  // namespace

bool IsRegexDigit(char c) { return c >= '0' && c <= '9'; }
bool IsRegexLetter(char c) { return LowerAscii(c) >= 'a' && LowerAscii(c) <= 'z'; }

std::optional<ByteSet> ClassOfEscape(char c) {
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

ByteSet AllButNewline() { return OneOf("\n").Complement(); }

bool RegexText::Fail(std::string why) {
  reason_ = std::move(why);
  return false;
}

bool RegexText::FailUnsupported(std::string_view what) {
  return Fail(std::string(what) +
              " is not supported: one pass over the bytes cannot answer it; write what is looked for without it");
}

bool RegexText::TakeByteEscape(uint8_t& byte) {
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
      return TakeHexEscape(byte);
    case '0': {
      unsigned value = 0;
      for (int i = 0; i < 2 && !AtEnd() && IsOctal(Peek()); ++i, ++at_)
        value = value * 8 + static_cast<unsigned>(Peek() - '0');
      byte = static_cast<uint8_t>(value);
      return true;
    }
    case 'g':
    case 'k':
      return FailUnsupported("a back-reference (\\" + std::string(1, c) + ")");
    case 'K':
      return Fail("\\K is not supported: leave it away; the whole match is shown");
    case 'p':
    case 'P':
    case 'X':
      return Fail("\\" + std::string(1, c) + " is not supported: bytes are matched, not characters; write a class");
    default:
      break;
  }
  if (IsRegexDigit(c)) return FailUnsupported("a back-reference (\\" + std::string(1, c) + ")");
  if (IsRegexLetter(c)) return Fail("\\" + std::string(1, c) + " is not supported; a byte is written \\xhh");
  byte = static_cast<uint8_t>(c);
  return true;
}

// Behind \x: \xhh, \xh, \x{hh}.
bool RegexText::TakeHexEscape(uint8_t& byte) {
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

bool RegexText::TakeClass(bool caseless, ByteSet& out) {
  const bool negated = Take("^");
  ByteSet set;
  bool first = true, quoted = false;
  for (;; first = false) {
    if (AtEnd()) return Fail(kOpenClass);
    if (quoted ? Take("\\E") : Take("\\Q")) {
      quoted = !quoted;
      continue;
    }
    if (!quoted && Take("\\E")) continue;
    if (!quoted && !first && Take("]")) break;
    bool taken = false;
    if (!quoted && !TakePosixClass(caseless, set, taken)) return false;
    if (!taken && !TakeRange(quoted, set)) return false;
  }
  if (caseless) set = set.WithBothCases();
  if (negated) set = set.Complement();
  if (set.size() == 0) return Fail("a [] that no byte is in");
  out = set;
  return true;
}

// Adds [:alpha:] or [:^alpha:], if that comes next.
bool RegexText::TakePosixClass(bool caseless, ByteSet& out, bool& taken) {
  if (Rest().substr(0, 2) != "[:") return true;
  const size_t close = text_.find(":]", at_);
  if (close == std::string_view::npos) return true;
  std::string_view name = text_.substr(at_ + 2, close - at_ - 2);
  const bool other = name.substr(0, 1) == "^";
  if (other) name.remove_prefix(1);
  const std::optional<ByteSet> posix = PosixClass(name);
  if (!posix) {
    return !std::all_of(name.begin(), name.end(), IsRegexLetter) || Fail("[:" + Escaped(name) + ":] is no class");
  }
  // Without regard to case, [:upper:] and [:lower:] are [:alpha:], and so is what they leave out.
  const ByteSet named = caseless ? posix->WithBothCases() : *posix;
  out.Add(other ? named.Complement() : named);
  at_ = close + 2;
  taken = true;
  return true;
}

// Adds a byte, a range of them, or what an escape stands for.
bool RegexText::TakeRange(bool quoted, ByteSet& out) {
  uint8_t low = 0;
  std::optional<ByteSet> several;
  if (!TakeClassByte(quoted, low, several)) return false;
  if (several) {
    out.Add(*several);
    return true;
  }
  uint8_t high = low;
  const std::string_view rest = Rest();
  // Before ] and [: the - is itself.
  if (!quoted && rest.size() > 1 && rest[0] == '-' && rest[1] != ']' && rest.substr(1, 2) != "[:") {
    ++at_;
    if (!TakeClassByte(false, high, several)) return false;
    if (several) return Fail("a range in [] that ends in a class, such as [a-\\d]: write the - as \\-");
    if (high < low) return Fail("a range in [] that runs backwards, such as [z-a]");
  }
  out.Add(ByteSet::Range(low, high));
  return true;
}

bool RegexText::TakeClassByte(bool quoted, uint8_t& byte, std::optional<ByteSet>& several) {
  if (AtEnd()) return Fail(kOpenClass);
  const char c = Peek();
  if (static_cast<uint8_t>(c) >= 0x80) {
    return Fail("a character that is no ASCII in []: bytes are matched, not characters; write (?:é|è) instead of [éè]");
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
  several = ClassOfEscape(Peek());
  if (several) {
    ++at_;
    return true;
  }
  return TakeByteEscape(byte);
}

}  // namespace vedette
