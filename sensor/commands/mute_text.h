// Mutes in a running sensor's answers, as text for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace vedette {

// "t-1 of Partner feed in 192.0.2.0/24": what it hides.
std::string WhatIsMuted(const nlohmann::json& mute);
// Three lines that end in newlines: its id and what it hides; until when, by whom and why; what it hid.
std::string MuteText(const nlohmann::json& mute);

}  // namespace vedette
