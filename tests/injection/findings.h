// What a whole worker (decode, flows, streams, parsers, payload scan) finds in frames.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sensor/capture/frame.h"
#include "signatures/set/indicator_set.h"
#include "tests/injection/trace.h"

namespace vedette::injection {

// One observable of one TCP flow. The flow is its addresses and ports, so that it stays the same whichever end is taken
// for the client and however often the flow restarts. Addresses of flows are omitted: they always remain.
struct Finding {
  std::string flow;  // FlowKeyOf
  std::string kind;  // "http.uri"
  std::string value;

  friend bool operator==(const Finding&, const Finding&) = default;
};
struct FindingHash {
  size_t operator()(const Finding& finding) const {
    const std::hash<std::string> hash;
    return hash(finding.flow) * 31 + hash(finding.kind) * 17 + hash(finding.value);
  }
};
// With the directions in which it went: bit 0 to the server, bit 1 to the client.
using Findings = std::unordered_map<Finding, uint8_t, FindingHash>;

// Numbers the frames from 1 and runs one worker over them, in bursts of `burst`. `literals`: searched in payload;
// nullptr: none, as with `vedette observe`.
Findings FindingsIn(std::span<const Frame> frames, const std::shared_ptr<const IndicatorSet>& literals = nullptr,
                    size_t burst = CaptureSource::kBurst);

// Texts of ten bytes from the trace's segments, as literals to look for: one in every so many frames with data, so that
// there are at most `max`. nullptr: there are none.
std::shared_ptr<const IndicatorSet> LiteralsOf(const Trace& trace, size_t max);

}  // namespace vedette::injection
