// What a network card does to packets before they are captured.
#pragma once

#include <string>
#include <vector>

namespace vedette {

// The offloads of an interface that merge packets and are on, by the names that `ethtool -K` knows: "gro", "lro",
// "rx-gro-hw". Empty where there are none, and where the driver does not say. Asks the kernel, with no rights.
std::vector<std::string> MergingOffloads(const std::string& interface);

}  // namespace vedette
