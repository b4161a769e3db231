// What the program ends with.
#pragma once

namespace vedette {

enum ExitCode : int { kExitDone = 0, kExitFailed = 1, kExitUsage = 2, kExitMatched = 3, kExitDamagedInput = 4 };

}  // namespace vedette
