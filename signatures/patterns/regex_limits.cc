#include "signatures/patterns/regex_limits.h"

#include <algorithm>
#include <utility>

#include "signatures/patterns/regex_text.h"

namespace vedette {

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
  if (!std::all_of(flags.begin(), flags.end(), IsRegexLetter)) return true;
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
