// A second way to put fragments together, byte by byte: what the table is checked against.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sensor/decode/fragments.h"

namespace vedette::testing {

class NaiveFragments {
 public:
  explicit NaiveFragments(uint64_t timeout_ns) : timeout_ns_(timeout_ns) {}

  // The datagram, where this fragment completes it.
  std::optional<std::string> Add(const DatagramKey& key, const FragmentTable::Fragment& fragment) {
    const size_t length = fragment.data.size(), end = fragment.offset + length;
    if (length == 0 || end > 65535 || (fragment.more && length % 8 != 0)) return std::nullopt;
    const auto place = std::make_tuple(key.source.ToString(), key.destination.ToString(), key.identification,
                                       key.vlan[0], key.vlan[1], key.protocol);
    auto found = waiting_.find(place);
    if (found != waiting_.end() && fragment.time_ns > found->second.time_ns + timeout_ns_) {
      waiting_.erase(found);
      found = waiting_.end();
    }
    if (found == waiting_.end()) found = waiting_.emplace(place, Waiting{.time_ns = fragment.time_ns}).first;
    Waiting& datagram = found->second;
    const bool v6 = key.source.is_v6();
    if (datagram.spoilt) return std::nullopt;
    const size_t furthest = datagram.bytes.size();
    const bool fits = datagram.total ? (fragment.more ? end <= *datagram.total : end == *datagram.total)
                                     : fragment.more || end >= furthest;
    if (!fits) {
      datagram.spoilt = v6;
      return std::nullopt;
    }
    datagram.bytes.resize(std::max(furthest, end));
    if (v6) {
      const std::string text(AsText(fragment.data));
      const bool duplicate = std::find(datagram.parts.begin(), datagram.parts.end(),
                                       std::pair(fragment.offset, text)) != datagram.parts.end();
      for (size_t i = fragment.offset; i < end; ++i) datagram.spoilt |= datagram.bytes[i].has_value() && !duplicate;
      if (datagram.spoilt) return std::nullopt;
      datagram.parts.emplace_back(fragment.offset, text);
    }
    for (size_t i = 0; i < length; ++i) {
      auto& byte = datagram.bytes[fragment.offset + i];
      if (!byte) byte = static_cast<char>(fragment.data[i]);
    }
    if (!fragment.more) datagram.total = end;
    if (!datagram.total) return std::nullopt;
    std::string whole;
    for (const auto& byte : datagram.bytes) {
      if (!byte) return std::nullopt;
      whole += *byte;
    }
    if (whole.size() != *datagram.total) return std::nullopt;
    waiting_.erase(found);
    return whole;
  }

 private:
  struct Waiting {
    uint64_t time_ns = 0;
    std::vector<std::optional<char>> bytes{};
    std::vector<std::pair<uint32_t, std::string>> parts{};
    std::optional<size_t> total{};
    bool spoilt = false;
  };
  uint64_t timeout_ns_;
  std::map<std::tuple<std::string, std::string, uint32_t, uint16_t, uint16_t, uint8_t>, Waiting> waiting_;
};

}  // namespace vedette::testing
