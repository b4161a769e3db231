// Whether a mute matches any indicator: a misspelt one would silently do nothing.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "exporter/policy/mutes/mute.h"
#include "signatures/set/indicator_set.h"

namespace vedette {

using NameSet = std::set<std::string, std::less<>>;

// "a, b, c", the first few of them and how many more there are; "none".
std::string ListOfNames(const NameSet& names);

// Sees each indicator in use once. One thread; the mutes outlive it.
class MuteNames {
 public:
  explicit MuteNames(const std::vector<Mute>& mutes);

  void See(const IndicatorRecord& record);
  // "the mute of indicator x hides nothing: …", for each without a match.
  std::vector<std::string> Remarks() const;

 private:
  void Mark(size_t mute, const IndicatorRecord& record);

  const std::vector<Mute>& mutes_;
  std::map<std::string, std::vector<size_t>, std::less<>> by_id_;
  std::map<std::string, std::vector<std::pair<IndicatorType, size_t>>, std::less<>> by_value_;
  std::vector<bool> known_, hides_;
  NameSet sources_;
};

}  // namespace vedette
