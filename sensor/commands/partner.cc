// vedette partner: what is done about one partner of a running sensor.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sensor/commands/commands.h"
#include "sensor/commands/control_option.h"
#include "sensor/setup/complain.h"

namespace vedette {
namespace {

int Readmit(const ControlOption& control, const std::string& name) {
  std::string error;
  nlohmann::json response;
  if (!control.Ask({{"command", "readmit"}, {"partner", name}, {"by", Asker()}}, response, error)) {
    Complain(error);
    return kExitFailed;
  }
  fmt::print("partner {} is readmitted\n", name);
  return kExitDone;
}

}  // namespace

Command AddPartner(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* const readmit =
      app.add_subcommand("readmit", "readmit a partner that was suspended because it sent messages into its feed");
  const std::shared_ptr<ControlOption> control = ControlOption::AddTo(*readmit);
  auto name = std::make_shared<std::string>();
  readmit->add_option("partner", *name, "the partner's name in the configuration")->required()->type_name("NAME");
  return [control, name] { return Readmit(*control, *name); };
}

}  // namespace vedette
