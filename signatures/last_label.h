// What the last label of a host name can be.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

enum class LastLabel : uint8_t {
  kTopLevel,    // in the ICANN section of the Public Suffix List, which holds every top-level domain
  kSpecialUse,  // RFC 6761 and its kin: test, onion, local …
  kFileEnding,  // no top-level domain, and how names of files end: exe, php …
  kNumber,      // begins with a digit: no top-level domain ever does (RFC 3696 section 2)
  kUnknown,
};

// Looks labels up and remembers them: lists repeat a few. Not thread safe.
class LastLabels {
 public:
  // `host` is in lower case, IDN as A-labels.
  LastLabel Of(std::string_view host);

 private:
  static constexpr size_t kEntries = 256;
  struct Entry {
    std::string label;  // short enough to be stored in place, mostly
    LastLabel kind = LastLabel::kUnknown;
  };
  std::array<Entry, kEntries> entries_;
};

}  // namespace vedette
