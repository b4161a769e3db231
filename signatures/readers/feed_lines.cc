#include "signatures/readers/feed_lines.h"

#include <algorithm>
#include <array>

#include "parsers/base/text.h"
#include "signatures/value_parts.h"

namespace vedette {
namespace {

constexpr std::string_view kDnsmasq = "a line of dnsmasq's configuration";
constexpr std::string_view kUnbound = "a line of unbound's configuration";
constexpr std::string_view kZone = "a zone record other than NAME CNAME .";

constexpr std::array<std::string_view, 5> kSinks = {"", "#", "0.0.0.0", "127.0.0.1", "::"};
constexpr std::array<std::string_view, 10> kBlockingZones = {
    "refuse",      "static",        "deny",          "redirect",    "always_nxdomain",
    "always_null", "always_refuse", "always_nodata", "always_deny", "inform_deny"};
// NXDOMAIN, NODATA, and no answer: draft-vixie-dnsop-dns-rpz-00 section 3.
constexpr std::array<std::string_view, 3> kBlockingTargets = {".", "*.", "rpz-drop."};

template <size_t N>
bool IsOneOf(const std::array<std::string_view, N>& texts, std::string_view text) {
  return std::any_of(texts.begin(), texts.end(), [&](std::string_view one) { return EqualsLower(text, one); });
}

// Without the mark for what is below: "*." of zones, "." of dnsmasq.
std::string_view TakeBelow(std::string_view name, std::string_view mark, bool& and_below) {
  if (!name.starts_with(mark)) return name;
  and_below = true;
  return name.substr(mark.size());
}

// "address=/NAME/0.0.0.0", "local=/NAME/", "server=/NAME/".
std::optional<FeedLine> OfDnsmasq(std::string_view line) {
  const size_t rule = line.find("=/");
  if (rule == std::string_view::npos || rule > line.find('/')) return std::nullopt;
  const std::string_view option = line.substr(0, rule), rest = line.substr(rule + 2);
  const size_t end = rest.find('/');
  FeedLine out{rest.substr(0, end), true, kDnsmasq};
  out.name = TakeBelow(out.name, ".", out.and_below);
  if (end == std::string_view::npos) return out;
  const std::string_view target = rest.substr(end + 1);
  const bool forwards = EqualsLower(option, "local") || EqualsLower(option, "server");
  if (forwards ? target.empty() : EqualsLower(option, "address") && IsOneOf(kSinks, target)) out.reason = {};
  return out;
}

// `local-zone: "NAME" refuse`, `local-data: "NAME A 0.0.0.0"`.
std::optional<FeedLine> OfUnbound(std::string_view line) {
  const bool zone = line.starts_with("local-zone:");
  if (!zone && !line.starts_with("local-data:")) return std::nullopt;
  line = WithoutUnseen(line.substr(line.find(':') + 1));
  const char quote = line.empty() ? '\0' : line.front();
  const bool quoted = quote == '"' || quote == '\'';
  const size_t end = std::min(quoted ? line.find(quote, 1) : line.find_first_of(" \t"), line.size());
  const std::string_view first = quoted ? line.substr(1, end == 0 ? 0 : end - 1) : line.substr(0, end);
  const std::string_view behind = WithoutUnseen(line.substr(std::min(line.size(), end + 1)));
  if (zone) return FeedLine{first, true, IsOneOf(kBlockingZones, behind) ? std::string_view() : kUnbound};
  const size_t blank = std::min(first.find_first_of(" \t"), first.size());
  const std::string_view data = first.substr(blank);
  const bool is_sink = data.ends_with(" A 0.0.0.0") || data.ends_with(" A 127.0.0.1") || data.ends_with(" AAAA ::");
  return FeedLine{first.substr(0, blank), false, is_sink && behind.empty() ? std::string_view() : kUnbound};
}

// "NAME [TTL] [IN] CNAME ."
std::optional<FeedLine> OfZone(std::string_view line) {
  std::array<std::string_view, 5> words;
  size_t count = 0;
  for (std::string_view rest = line; !rest.empty(); ++count) {
    if (count == words.size()) return std::nullopt;
    const size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    words[count] = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t", end), rest.size()));
  }
  if (count < 3 || !EqualsLower(words[count - 2], "cname")) return std::nullopt;
  for (size_t i = 1; i + 2 < count; ++i) {
    if (!EqualsLower(words[i], "in") && !AllOf(words[i], IsDigit)) return std::nullopt;
  }
  FeedLine out{words[0], false, {}};
  out.name = TakeBelow(out.name, "*.", out.and_below);
  if (!IsOneOf(kBlockingTargets, words[count - 1])) out.reason = kZone;
  // A trigger that is no name: "24.0.2.1.20.rpz-ip".
  for (const std::string_view trigger : {".rpz-ip", ".rpz-client-ip", ".rpz-nsip", ".rpz-nsdname"}) {
    if (out.name.ends_with(trigger) || out.name.find(std::string(trigger) + '.') != std::string_view::npos)
      return FeedLine{{}, false, "a zone record whose trigger is not a name: write the address or block"};
  }
  return out;
}

}  // namespace

std::optional<FeedLine> ReadFeedLine(std::string_view line) {
  if (std::optional<FeedLine> found = OfDnsmasq(line)) return found;
  if (std::optional<FeedLine> found = OfUnbound(line)) return found;
  return OfZone(line);
}

}  // namespace vedette
