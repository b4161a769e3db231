// Address prefixes (CIDR blocks) of both versions: which of them cover an address.
//
// Built once: the prefixes become disjoint intervals, each with the longest prefix that covers it; a prefix knows the
// next shorter one. A look-up finds the interval (an index over the first 16 bits, then a binary search among the few
// boundaries there) and follows the chain, which is at most one step a prefix length.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "parsers/base/address.h"

namespace vedette {

class PrefixTable {
 public:
  PrefixTable();
  ~PrefixTable();
  PrefixTable(PrefixTable&&) noexcept;
  PrefixTable& operator=(PrefixTable&&) noexcept;

  struct Prefix {
    IpAddress network;  // masked
    uint8_t length = 0;
    uint32_t entry = 0;  // what to report
  };
  // Each prefix once.
  void Build(std::vector<Prefix> prefixes);

  bool empty() const { return prefixes_.empty(); }
  size_t memory_bytes() const;

  // Calls `visit(entry)` for every prefix that covers `address`, longest first.
  template <class Visit>
  void ForEachCovering(const IpAddress& address, Visit&& visit) const {
    for (uint32_t at = Longest(address); at != kNone; at = parents_[at]) visit(prefixes_[at].entry);
  }

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  template <class Key>
  class Intervals;

  uint32_t Longest(const IpAddress& address) const;

  std::vector<Prefix> prefixes_;
  std::vector<uint32_t> parents_;  // the longest of those that cover it, or kNone
  std::unique_ptr<Intervals<uint32_t>> v4_;
  std::unique_ptr<Intervals<std::pair<uint64_t, uint64_t>>> v6_;
};

}  // namespace vedette
