// Addresses in every notation that lists have: with a port, as a block, a range or a netmask, before a comment.
#include <algorithm>
#include <array>
#include <vector>

#include "parsers/base/text.h"
#include "parsers/base/url.h"
#include "signatures/address_range.h"
#include "signatures/readers/feed_lines.h"
#include "signatures/readers/guess.h"
#include "signatures/readers/nearest.h"
#include "signatures/value.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr std::string_view kRange = "a range of addresses: write it as blocks";
constexpr std::string_view kNoPrefix = "what follows the / is not a prefix length";
constexpr std::string_view kNoPort = "what follows the : is not a port";
constexpr size_t kBlocksShown = 4;

// Behind "20.1.2.3" or "20.1.2.0/24": a comment, and neither a port or score nor a second value. Of "#" only a bare
// number may be more ("#53"): reputation lists put several columns there.
bool IsCommentBehind(std::string_view text) {
  const char mark = text.front();
  text.remove_prefix(std::min(text.find_first_not_of("#; \t"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t,;"));
  if (mark == '#') return text.empty() || !AllOf(text, IsDigit);
  return word.empty() || (!IsDigit(word.front()) && word.find_first_of(".:/") == std::string_view::npos);
}

}  // namespace

// "20.1.2.0/" and what is `behind` the slash, of a single segment that begins with a digit.
std::optional<Guess> Guesser::OfBlock(std::string_view address, std::string_view behind) {
  const size_t comment = behind.find_first_of("#;");
  const std::string_view length = behind.substr(0, comment);
  if (comment != std::string_view::npos && !IsCommentBehind(behind.substr(comment)))
    return Refuse(kNoSingleValue, std::string(address) + '/' + std::string(length));
  const std::optional<IpAddress> first = ParseAddress(address);
  if (AllOf(length, IsDigit)) {
    made_.assign(address).append("/").append(length);
    return Guess{IndicatorType::kCidr, made_, {}};
  }
  if (const std::optional<IpAddress> mask = ParseAddress(length)) {
    const std::optional<unsigned> bits = first->is_v4() ? PrefixOfMask(*mask) : std::nullopt;
    if (IsOneAddress(*mask)) return Guess{IndicatorType::kIp, address, {}};
    if (!bits)
      return Refuse(
          "what follows the / is not a netmask: its ones have to come first, or its zeros in a wildcard mask");
    made_.assign(address).append("/").append(std::to_string(*bits));
    return Guess{IndicatorType::kCidr, made_, {}};
  }
  const size_t digits = std::min(behind.find_first_not_of("0123456789"), behind.size());
  return Refuse(kNoPrefix, std::string(address) + '/' + std::string(behind.substr(0, digits)));
}

std::optional<Guess> Guesser::OfRange(std::string_view first_text, std::string_view last_text) {
  const std::optional<IpAddress> first = ParseAddress(first_text.substr(0, first_text.find('/')));
  std::string last_whole(last_text.substr(0, last_text.find('/')));
  // "20.1.2.4-9" and "20.1.2.4-3.9" repeat nothing.
  if (AllOf(last_whole, [](char c) { return IsDigit(c) || c == '.'; })) {
    const auto dots = std::count(last_whole.begin(), last_whole.end(), '.');
    std::string_view front = first_text.substr(0, first_text.find('/'));
    std::string kept;
    for (auto i = dots; i < 3 && front.find('.') != std::string_view::npos; ++i) {
      kept.append(front.substr(0, front.find('.') + 1));
      front.remove_prefix(front.find('.') + 1);
    }
    last_whole = kept + last_whole;
  }
  const std::optional<IpAddress> last = ParseAddress(last_whole);
  const bool of_blocks =
      first_text.find('/') != std::string_view::npos || last_text.find('/') != std::string_view::npos;
  if (!first || !last || of_blocks) return Refuse(kRange);
  const std::vector<std::string> blocks = BlocksOf(*first, *last, kBlocksShown + 1);
  if (blocks.empty()) return Refuse("a range of addresses that ends before it begins");
  if (blocks.size() == 1) {
    made_ = blocks.front();
    return Guess{made_.find('/') == std::string::npos ? IndicatorType::kIp : IndicatorType::kCidr, made_, {}};
  }
  std::string nearest;
  for (size_t i = 0; i < blocks.size(); ++i) {
    nearest.append(i == 0 ? "" : " ").append(i == kBlocksShown ? "…" : blocks[i]);
  }
  return Refuse(kRange, nearest);
}

// Text with blanks: a range or a network, or columns.
std::optional<Guess> Guesser::OfWords(std::string_view text) {
  if (const std::optional<FeedLine> line = ReadFeedLine(text)) return OfFeedLine(*line);
  std::array<std::string_view, 4> words;
  size_t count = 0;
  for (std::string_view rest = text; !rest.empty() && count < words.size(); ++count) {
    const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    words[count] = rest.substr(0, end);
    rest = Trimmed(rest.substr(end));
  }
  const bool dash = count == 3 && (words[1] == "-" || words[1] == "\xe2\x80\x93" || EqualsLower(words[1], "to"));
  if (count == 2 || dash) {
    const std::optional<IpAddress> first = ParseAddress(words[0]), second = ParseAddress(words[count - 1]);
    const std::optional<unsigned> bits =
        first && second && first->is_v4() && !dash ? PrefixOfMask(*second) : std::nullopt;
    if (bits) {
      made_.assign(words[0]).append("/").append(std::to_string(*bits));
      return Guess{IndicatorType::kCidr, made_, {}};
    }
    if (first && second && !dash && IsOneAddress(*second)) return Guess{IndicatorType::kIp, words[0], {}};
    if (first && second && !dash && second->ToString() == "0.0.0.0")
      return Refuse("0.0.0.0 after an address can mean one address or all: omit it", words[0]);
    if (first && second) return OfRange(words[0], words[count - 1]);
    // "20.1.2.0 24": a score, or a length?
    if (first && !dash && AllOf(words[1], IsDigit))
      return Refuse("a score or a prefix length after the address: write /LENGTH, or omit it",
                    std::string(words[0]) + '/' + std::string(words[1]));
  }
  if (count == 2 && ParseAddress(words[0]) && words[1].size() > 1 && words[1].front() == '/' &&
      AllOf(words[1].substr(1), IsDigit))
    return Refuse("a space before the prefix length", std::string(words[0]) + std::string(words[1]));
  return Refuse(kNoSingleValue, NearestIn(text, last_labels_));
}

std::optional<Guess> Guesser::OfAddress(std::string_view text, bool& is_address) {
  is_address = true;
  const size_t slash = text.find('/');
  const bool has_slash = slash != std::string_view::npos;
  const std::string_view head = text.substr(0, slash);
  const std::string_view behind = has_slash ? text.substr(slash + 1) : std::string_view();
  const bool one_segment = behind.find('/') == std::string_view::npos;
  const bool begins_with_digit = !behind.empty() && IsDigit(behind.front());
  const bool in_brackets = head.size() > 2 && head.front() == '[' && head.back() == ']';
  const std::string_view address = in_brackets ? head.substr(1, head.size() - 2) : head;
  if (ParseAddress(address)) {
    if (!has_slash || behind.empty()) return Guess{IndicatorType::kIp, address, {}};
    if (begins_with_digit && one_segment) return OfBlock(address, behind);
    if (begins_with_digit && behind.back() == '/' && AllOf(behind.substr(0, behind.size() - 1), IsDigit))
      return Refuse(kNoPrefix, std::string(address) + '/' + std::string(behind.substr(0, behind.size() - 1)));
    if (begins_with_digit && behind.find('-') != std::string_view::npos &&
        ParseAddress(behind.substr(behind.find('-') + 1, behind.rfind('/') - behind.find('-') - 1)))
      return OfRange(head, behind.substr(behind.find('-') + 1));
    // "20.1.2.0/24;20.1.3.0/24", "20.1.2.0/24,http://…"
    const size_t digits = std::min(behind.find_first_not_of("0123456789"), behind.size());
    if (begins_with_digit && digits < behind.size() && behind.find_first_of(",;#|", digits) == digits)
      return Refuse(kNoSingleValue, std::string(address) + '/' + std::string(behind.substr(0, digits)));
    return OfUrl(text, 0);
  }
  std::string_view host, port;
  if (SplitPort(head, host, port) && ParseAddress(host) && !port.empty() && AllOf(port, IsDigit)) {
    if (!has_slash || behind.empty()) return Guess{IndicatorType::kIpPort, head, {}};
    if (one_segment && (begins_with_digit || EqualsLower(behind, "tcp") || EqualsLower(behind, "udp")))
      return Refuse("there is other text after the port", head);
    return OfUrl(text, 0);
  }
  if (ParseAddress(head.substr(0, head.find(':'))) && std::count(head.begin(), head.end(), ':') == 1 && !has_slash &&
      text.find_first_of("#;") == std::string_view::npos) {
    // "20.1.2.3:80-90", "20.1.2.3:80,443", "20.1.2.3:http", "20.1.2.0:20.1.2.255".
    const std::string_view first = head.substr(0, head.find(':')), rest = head.substr(head.find(':') + 1);
    const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (rest.find('.') != std::string_view::npos) return Refuse(kRange);
    if (digits < rest.size()) return Refuse(kNoPort, head.substr(0, first.size() + (digits == 0 ? 0 : digits + 1)));
  }
  if (!has_slash) {
    // Neither may be in an address.
    const size_t comment = text.find_first_of("#;");
    if (comment != std::string_view::npos) {
      const std::string_view front = text.substr(0, comment);
      const bool has_port = SplitPort(front, host, port) && ParseAddress(host);
      if ((ParseAddress(front) || has_port) && !IsCommentBehind(text.substr(comment)))
        return Refuse(kNoSingleValue, front);
      if (ParseAddress(front)) return Guess{IndicatorType::kIp, front, {}};
      if (has_port) return Guess{IndicatorType::kIpPort, front, {}};
    }
    // "20.1.2.4-20.1.2.9", "20.1.2.4-9".
    if (const size_t dash = text.find('-');
        dash != std::string_view::npos && ParseAddress(text.substr(0, dash)) && dash + 1 < text.size() &&
        (ParseAddress(text.substr(dash + 1)) ||
         AllOf(text.substr(dash + 1), [](char c) { return IsDigit(c) || c == '.'; })))
      return OfRange(text.substr(0, dash), text.substr(dash + 1));
  }
  is_address = false;
  return std::nullopt;
}

}  // namespace vedette
