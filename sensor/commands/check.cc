// vedette check: whether a sensor could run with a configuration.
#include "sensor/check/check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "parsers/base/text.h"
#include "sensor/commands/commands.h"
#include "sensor/config/config.h"

namespace vedette {
namespace {

int Check(const std::string& path) {
  const CheckReport report = CheckConfiguration(path);
  for (const CheckItem& item : report.items()) {
    const char* const level = item.level == CheckLevel::kOk        ? "ok"
                              : item.level == CheckLevel::kWarning ? "warning"
                                                                   : "error";
    fmt::print("{:<8} {:<12} {}\n", level, item.part, ForTerminal(item.text));
  }
  const size_t errors = report.Count(CheckLevel::kError), warnings = report.Count(CheckLevel::kWarning);
  fmt::print("{} errors, {} warnings: {}\n", errors, warnings,
             errors != 0 ? "a sensor cannot run with this" : "a sensor can run with this");
  return errors != 0 ? kExitUsage : kExitDone;
}

}  // namespace

Command AddCheck(CLI::App& app) {
  auto path = std::make_shared<std::string>(kDefaultConfig);
  app.add_option("--config", *path, std::string("the sensor's configuration (default: ") + kDefaultConfig + ")")
      ->type_name("FILE");
  return [path] { return Check(*path); };
}

}  // namespace vedette
