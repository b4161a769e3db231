// Mutes as the exporter applies them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/alert/alert.h"
#include "exporter/alert/catalogue.h"
#include "exporter/policy/mutes/mute.h"
#include "parsers/base/network.h"

namespace vedette {

// What one mute hid since the sensor started; the exporter counts, any thread reads.
struct MuteCounts {
  std::atomic<uint64_t> alerts{0};  // with no hit left
  std::atomic<uint64_t> hits{0};    // all hidden hits
  std::atomic<int64_t> last_ns{0};  // packet time of the last one
};

// Immutable. Cost: two look-ups per hit; none if there are no mutes.
class MuteList {
 public:
  struct Entry {
    Mute mute;
    std::shared_ptr<MuteCounts> counts;
  };
  explicit MuteList(std::vector<Entry> entries);

  bool empty() const { return rules_.empty(); }
  // The mute that hides this hit of the alert; nullptr: none. Expiry is judged by the packet's time.
  MuteCounts* Find(const IndicatorRecord& record, const Alert& alert) const;

 private:
  struct Rule {
    std::string source;
    std::optional<Network> network;
    int64_t until_ns;
    std::shared_ptr<MuteCounts> counts;
  };
  bool Applies(const Rule& rule, const IndicatorRecord& record, const Alert& alert) const;

  std::vector<Rule> rules_;
  std::map<std::string, std::vector<uint32_t>, std::less<>> by_id_;
  // By type and normal form: a value that was given without a type is entered for each type that it can have.
  std::map<std::pair<IndicatorType, std::string>, std::vector<uint32_t>> by_value_;
};

// Removes muted hits from alerts. Exporter thread only.
class MuteFilter {
 public:
  void Use(std::shared_ptr<const MuteList> list) { list_ = std::move(list); }
  // False: nothing was left of the alert, which is counted. `catalogue`: the alert's, nullptr where nobody knows it any
  // more.
  bool Admit(Alert& alert, const IndicatorCatalogue* catalogue) const;

 private:
  std::shared_ptr<const MuteList> list_;
};

}  // namespace vedette
