// What a partner shared: a value to look for, and what is said about it (contract 5).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsers/base/observable.h"
#include "signatures/indicator_type.h"

namespace vedette {

// What parsers are asked to emit where indicators look in `looked_in`: that, and what tells about a hit and costs next
// to nothing. Fingerprints, digests and certificate names only where they are looked for.
ObservableMask EmittedFor(ObservableMask looked_in);

// Traffic Light Protocol 2.0. WHITE is read as CLEAR; kNone (nothing said) is handled as AMBER+STRICT.
enum class Tlp : uint8_t { kNone, kClear, kGreen, kAmber, kAmberStrict, kRed };
std::string_view NameOf(Tlp tlp);  // "clear" … "red"; kNone is "amber+strict"
// Accepts any case, with or without "tlp:"; "white" is kClear.
std::optional<Tlp> TlpOf(std::string_view name);

// Which end sent what has to match: src is the flow's client, dst its server.
enum class IndicatorDirection : uint8_t { kAny, kSrc, kDst };

// One row as a reader hands it in; owns its text. Times are nanoseconds since 1970.
struct Indicator {
  IndicatorType type = IndicatorType::kIp;
  std::string value;  // as given; the set keeps the normal form
  ObservableMask in;  // empty: the type's default (contract 5's table)
  IndicatorDirection direction = IndicatorDirection::kAny;
  std::string id;          // empty: "<file name>:<line>"
  std::string source;      // empty: the file's name without its ending
  std::string originator;  // who shared it; decides which partners may see its hits. Empty: `source`
  std::string description;
  std::vector<std::string> tags;
  Tlp tlp = Tlp::kNone;
  std::string pap;
  std::string sharing_group;
  std::vector<std::string> recipients;
  std::optional<uint8_t> confidence;  // 0-100; absent is not 0
  std::optional<int64_t> valid_from_ns, valid_until_ns;
  std::string reference;
  std::string file;   // where it was read
  uint32_t line = 0;  // 1-based
};

// One indicator of a compiled set. The views hold as long as the set does.
struct IndicatorRecord {
  uint32_t index = 0;
  IndicatorType type = IndicatorType::kIp;
  IndicatorDirection direction = IndicatorDirection::kAny;
  Tlp tlp = Tlp::kNone;
  ObservableMask in;
  std::string_view value;  // normal form
  std::string_view id, source, originator, description, pap, sharing_group, reference, file;
  std::vector<std::string_view> tags, recipients;
  std::optional<uint8_t> confidence;
  std::optional<int64_t> valid_from_ns, valid_until_ns;
  uint32_t line = 0;
};

// Rows that a partner may see together or not at all: all that Clearance::Permits looks at is the same (originator,
// TLP, sharing group, recipients; the source where there is no TLP). Every limit that hits count against counts by
// audience, so that no row can take the place of one that others may see (exporter/README.md).
struct Audience {
  uint64_t key = 0;        // 64 bits of a SHA-256 over what makes it: the same in every set, and nobody can choose it
  ObservableMask places;   // where any of its rows looks
  uint32_t first_row = 0;  // a row of it, which stands for all in Clearance::Permits
};

// A row that cannot be used, or one that is used and may not do what was meant; `reason` says why, and what to do where
// something can be done.
struct IndicatorProblem {
  std::string file;
  uint32_t line = 0;  // 0: of the file as a whole
  std::string value;
  std::string reason;
  bool used = false;  // the row is looked for all the same; the reason begins with "used, "
};

}  // namespace vedette
