// What a bare value in a list is: its type, where nobody said it.
//
// Strict: what cannot be read with certainty is refused, with the reason and the nearest reading. A row that is taken
// for something else than was meant is worse than one that is reported.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "signatures/indicator.h"
#include "signatures/last_label.h"

namespace vedette {

// Why a row of a list is refused: it has columns.
inline constexpr std::string_view kNoSingleValue =
    "not a single value; a file with columns needs a header line with `type` and `value`";

struct FeedLine;

struct Guess {
  IndicatorType type = IndicatorType::kDomain;
  std::string_view value;   // what the type's reader is to read; in what was given, or the guesser's
  std::string_view remark;  // not empty: what may be wrong, although the row is used
};

// Not thread safe.
class Guesser {
 public:
  // nullopt, with `reason`, where it is no value or could be several. The views hold until the next call.
  std::optional<Guess> Of(std::string_view given, std::string& reason);

  // Of a name in a hosts file: exactly that host.
  std::optional<Guess> OfHostsFile(std::string_view name, std::string& reason);
  // Why a row that has the columns of a table is refused, with its nearest reading.
  std::string NotSingle(std::string_view text);

 private:
  struct Has;  // which marks a text holds

  std::optional<Guess> OfGiven(std::string_view given);
  std::optional<Guess> OfText(std::string_view text, const Has& has);
  std::optional<Guess> OfSlash(std::string_view text);
  std::optional<Guess> OfUrl(std::string_view text, size_t scheme_bytes);
  std::optional<Guess> OfPath(std::string_view text);
  std::optional<Guess> OfBlock(std::string_view address, std::string_view behind);
  std::optional<Guess> OfWords(std::string_view text);
  std::optional<Guess> OfRange(std::string_view first, std::string_view last);
  std::optional<Guess> OfName(std::string_view text);
  std::optional<Guess> OfAdblock(std::string_view text);
  std::optional<Guess> OfFeedLine(const FeedLine& line);
  // Of text with a `/` or without, that begins with an address, with or without a port; nullopt without a reason: it
  // does not.
  std::optional<Guess> OfAddress(std::string_view text, bool& is_address);
  bool IsNameOfHost(std::string_view host);
  // In lower case, IDN as A-labels; in lowered_.
  std::string_view Lowered(std::string_view host);
  std::optional<Guess> Refuse(std::string_view why, std::string_view nearest = {});

  LastLabels last_labels_;
  std::string refanged_, hyphened_, made_, lowered_, reason_;
};

}  // namespace vedette
