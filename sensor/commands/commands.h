// The commands of contract 1. Each adds its options to the program and returns what to run.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace vedette {

// Contract 1's exit codes.
enum ExitCode : int { kExitDone = 0, kExitFailed = 1, kExitUsage = 2, kExitMatched = 3, kExitDamagedInput = 4 };

using Command = std::function<int()>;

Command AddReplay(CLI::App& app);
Command AddObserve(CLI::App& app);
Command AddRun(CLI::App& app);
Command AddStatus(CLI::App& app);
Command AddReload(CLI::App& app);
Command AddCheck(CLI::App& app);
Command AddCanary(CLI::App& app);
Command AddIndicators(CLI::App& app);
Command AddPartner(CLI::App& app);
Command AddSubscribe(CLI::App& app);
Command AddKeygen(CLI::App& app);
Command AddManual(CLI::App& app);

}  // namespace vedette
