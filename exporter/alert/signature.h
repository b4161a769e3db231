// What EVE's `alert` object says of a hit: number, text, severity.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "parsers/base/observable.h"
#include "signatures/indicator.h"

namespace vedette {

// Generator id: keeps the numbers below apart from those of rules, which have 1.
constexpr uint32_t kSignatureGid = 86;
// Version of the numbering and of the texts. 2: the text names the source.
constexpr uint32_t kSignatureRev = 2;
constexpr std::string_view kSignatureCategory = "Shared indicator seen";

// One stable number per indicator type and observable name: type number × 1000 + observable number. The tables are in
// docs/alert.md; a number once given stays, whatever is added.
uint32_t SignatureId(IndicatorType type, ObservableKind kind);
// "Shared indicator: domain in dns.query, listed by cert-a". The same for all hits of that type, name and source.
//
// A source is text that a stranger may have written: of it, letters, digits and `. _ - + @ /` stay, anything else
// becomes a space or `_`, and it is cut after kMaxSourceBytes. A source that tells the indicator's value, or `seen`,
// the value in the traffic (as that of a list named after what it lists), is left out: "Shared indicator: domain in
// dns.query".
std::string SignatureText(const IndicatorRecord& hit, ObservableKind kind, std::string_view seen);
constexpr size_t kMaxSourceBytes = 64;

// 1 (worst) to 3. MISP's threat level (the tag misp:threat-level="high-risk", "medium-risk", "low-risk", "no-risk") as
// 1, 2, 3, 3; else by confidence: from 75 on 1, from 40 on or absent 2, below 3.
uint32_t SeverityOf(const IndicatorRecord& record);

}  // namespace vedette
