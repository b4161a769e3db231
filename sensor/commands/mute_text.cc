#include "sensor/commands/mute_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "sensor/commands/progress.h"

namespace vedette {

using Json = nlohmann::json;

std::string WhatIsMuted(const Json& mute) {
  std::string text = mute.contains("indicator") ? mute.value("indicator", "") : "value " + mute.value("value", "");
  if (mute.contains("source")) text += " of " + mute.value("source", "");
  if (mute.contains("network")) text += " in " + mute.value("network", "");
  return text;
}

std::string MuteText(const Json& mute) {
  return fmt::format("{}  {}\n  until {}, by {}: {}\n  hid {} hits and {} whole alerts{}\n", mute.value("id", ""),
                     WhatIsMuted(mute), mute.value("until", ""), mute.value("by", ""), mute.value("reason", ""),
                     Thousands(mute.value("hits", uint64_t{0})), Thousands(mute.value("alerts", uint64_t{0})),
                     mute.contains("last") ? ", the last at " + mute.value("last", "") : "");
}

}  // namespace vedette
