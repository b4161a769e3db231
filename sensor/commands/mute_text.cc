#include "sensor/commands/mute_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>

#include "parsers/base/text.h"
#include "sensor/setup/progress.h"

namespace vedette {

using Json = nlohmann::json;

std::string WhatIsMuted(const Json& mute) {
  std::string text = mute.contains("indicator") ? mute.value("indicator", "") : "value " + mute.value("value", "");
  if (mute.contains("source")) text += " of " + mute.value("source", "");
  if (mute.contains("network")) text += " in " + mute.value("network", "");
  return text;
}

std::string MuteText(const Json& mute) {
  const auto field = [&](const char* name) { return ForTerminal(mute.value(name, "")); };
  return fmt::format("{}  {}\n  until {}, by {}: {}\n  hid {} hits and {} whole alerts{}\n", field("id"),
                     ForTerminal(WhatIsMuted(mute)), field("until"), field("by"), field("reason"),
                     Thousands(mute.value("hits", uint64_t{0})), Thousands(mute.value("alerts", uint64_t{0})),
                     mute.contains("last") ? ", the last at " + mute.value("last", "") : "");
}

}  // namespace vedette
