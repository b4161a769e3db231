// The value of an indicator: its normal form, its type where nobody said it, and why it cannot be used.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "signatures/indicator.h"

namespace vedette {

constexpr size_t kMaxValueBytes = 8192;  // the request line that common servers accept; no other value is as long

constexpr size_t kMinLiteralBytes = 3;    // shorter ones are in every stream, and slow every scan down
constexpr size_t kMaxLiteralBytes = 256;  // longer than any literal that rules in use need
constexpr size_t kMaxEqualEnd = 7;        // equal bytes at a literal's end; with 8, long runs slow the whole scan down

// Blocks wider than these hold millions of machines that nobody vouched for.
constexpr unsigned kMinPrefixV4 = 8;
constexpr unsigned kMinPrefixV6 = 16;

// Writes the normal form of `given` to `normal`. The type may change where the value says so: an `ip` with a prefix
// length is a cidr, a cidr of one address an ip. False, with `reason`, where it cannot be used.
//
// Values that people made harmless (hxxp://, h[tt]p://, meow://, [.], (dot), [at] …) are read as what they stand for,
// in addresses, names, URLs and mail addresses; nowhere else.
[[nodiscard]] bool NormaliseValue(IndicatorType& type, std::string_view given, std::string& normal,
                                  std::string& reason);

// The bytes of a `content` value (text, with bytes as |de ad be ef|), letters in lower case.
[[nodiscard]] bool DecodeContent(std::string_view value, std::string& bytes, std::string& reason);

// A made-harmless value as what it stands for: a view of `text` where nothing is to be done, else of `storage`.
std::string_view Refang(std::string_view text, std::string& storage);

// Without blanks and tabs at both ends.
std::string_view Trimmed(std::string_view text);

}  // namespace vedette
