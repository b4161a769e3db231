// The commands of contract 1. Each adds its options to the program and returns what to run.
#pragma once

#include <functional>

#include "sensor/setup/exit_code.h"

namespace CLI {
class App;
}

namespace vedette {

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
