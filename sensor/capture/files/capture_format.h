// The kind of a file, told from its first bytes.
#pragma once

#include <cstdint>
#include <string>

#include "parsers/base/bytes.h"

namespace vedette {

enum class CaptureFormat : uint8_t { kPcap, kPcapng, kEmpty, kOther };

// How many of a file's first bytes IdentifyCapture and DescribeOther look at.
constexpr size_t kFormatHeadBytes = 512;

CaptureFormat IdentifyCapture(Bytes head);

struct OtherFormat {
  std::string description;     // "gzip-compressed; decompress it first: zcat FILE | vedette replay -"
  bool holds_packets = false;  // it likely holds packets, but cannot be read in this form
};
// For files that are not captures: what the first bytes look like, and what to do.
OtherFormat DescribeOther(Bytes head);

}  // namespace vedette
