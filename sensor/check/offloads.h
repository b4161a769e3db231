// What a network card does to packets before they are captured.
#pragma once

#include <string>
#include <vector>

namespace vedette {

// The offloads of an interface that merge packets and are on, by the names that `ethtool -K` knows: "gro", "lro",
// "rx-gro-hw". Empty if there are none, or the driver does not say. Asks the kernel; needs no privileges.
std::vector<std::string> MergingOffloads(const std::string& interface);

}  // namespace vedette
