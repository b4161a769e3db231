#include "signatures/address_range.h"

#include <algorithm>
#include <bit>

#include "signatures/value_parts.h"

namespace vedette {
namespace {

__extension__ using Wide = unsigned __int128;

Wide NumberOf(const IpAddress& address) {
  Wide out = 0;
  for (const uint8_t byte : address.bytes()) out = out << 8 | byte;
  return out;
}

IpAddress AddressOf(Wide number, bool v4) {
  uint8_t bytes[16];
  for (size_t i = 16; i-- > 0; number >>= 8) bytes[i] = static_cast<uint8_t>(number);
  return v4 ? IpAddress::V4(bytes + 12) : IpAddress::V6(bytes);
}

}  // namespace

std::vector<std::string> BlocksOf(const IpAddress& first, const IpAddress& last, size_t limit) {
  std::vector<std::string> out;
  Wide begin = NumberOf(first);
  const Wide end = NumberOf(last);
  if (first.version() != last.version() || end < begin) return out;
  const bool v4 = first.is_v4();
  const unsigned width = v4 ? 32 : 128;
  while (out.size() < limit) {
    unsigned bits = 0;  // of the block's size
    while (bits < width) {
      const Wide larger = (Wide{1} << bits << 1) - 1;  // of all bits, where the shift leaves none
      if ((begin & larger) != 0 || end - begin < larger) break;
      ++bits;
    }
    out.push_back(AddressOf(begin, v4).ToString() + (bits == 0 ? "" : '/' + std::to_string(width - bits)));
    const Wide size_less_one = bits == 128 ? ~Wide{0} : (Wide{1} << bits) - 1;
    if (end - begin <= size_less_one) break;
    begin += size_less_one + 1;
  }
  return out;
}

std::optional<unsigned> PrefixOfMask(const IpAddress& mask) {
  if (!mask.is_v4()) return std::nullopt;
  uint32_t bits = 0;
  for (const uint8_t byte : mask.wire()) bits = bits << 8 | byte;
  if (bits >> 31 == 0) bits = ~bits;  // a wildcard mask begins with zeros
  const auto length = static_cast<unsigned>(std::countl_one(bits));
  if (length == 0 || length == 32 || std::popcount(bits) != static_cast<int>(length)) return std::nullopt;
  return length;
}

bool HasLeadingZero(std::string_view text) {
  return std::count(text.begin(), text.end(), '.') == 3 && AllOf(text, [](char c) { return IsDigit(c) || c == '.'; }) &&
         text.find("..") == std::string_view::npos &&
         (text.front() == '0' || text.find(".0") != std::string_view::npos);
}

std::string WithPlainHyphen(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("\xe2\x80\x93") || rest.starts_with("\xe2\x80\x94")) {
      out += '-';
      i += 2;
    } else {
      out += rest.front();
    }
  }
  for (const std::string_view blank : {" -", "\t-", "- ", "-\t"}) {
    for (size_t at = out.find(blank); at != std::string::npos; at = out.find(blank, at)) out.replace(at, 2, "-");
  }
  return out;
}

bool IsOneAddress(const IpAddress& mask) {
  const auto wire = mask.wire();
  return mask.is_v4() && std::all_of(wire.begin(), wire.end(), [](uint8_t byte) { return byte == 0xff; });
}

}  // namespace vedette
