// What differs between two configurations.
#pragma once

#include <string>
#include <vector>

#include "sensor/config/config.h"

namespace vedette {

// Settings that a sensor started with `before` takes from `now` at its next start only, as the file names them:
// "`capture: filter`", "`feed: partners: cert-alpha`". Compared is what holds, not how it is written. Keys that a
// reload takes (KeyText::at_reload) are not among them.
std::vector<std::string> ChangedSettings(const Config& before, const Config& now);

}  // namespace vedette
