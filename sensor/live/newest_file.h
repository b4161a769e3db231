// How fresh indicators are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vedette {

// When the newest of these files, and of the files in these folders, was last changed, seconds since 1970; 0 where
// nothing can be said.
int64_t NewestFile(const std::vector<std::string>& paths);

}  // namespace vedette
