// vedette indicators: mutes of a running sensor.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sensor/commands/commands.h"
#include "sensor/commands/control_option.h"
#include "sensor/commands/mute_text.h"
#include "sensor/config/duration.h"
#include "sensor/setup/complain.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

int Fail(int code, const std::string& what) {
  ComplainInLines(what);
  return code;
}

struct MuteOptions {
  std::string indicator, value, source, network, duration, reason;
};

int Mute(const ControlOption& control, const MuteOptions& options) {
  if (options.indicator.empty() == options.value.empty())
    return Fail(kExitUsage, "name the indicator, either by its ID or by --value VALUE");
  const auto duration = ParseDuration(options.duration);
  if (!duration || duration->count() == 0)
    return Fail(kExitUsage, "--for " + options.duration + ": not a time; write 90m, 24h or 7d");
  Json request = {{"command", "mute"}, {"for_seconds", duration->count()}, {"reason", options.reason}, {"by", Asker()}};
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) request[key] = text;
  };
  add("indicator", options.indicator);
  add("value", options.value);
  add("source", options.source);
  add("network", options.network);
  Json response;
  std::string error;
  if (!control.Ask(request, response, error)) return Fail(kExitFailed, error);
  const Json mute = response.value("mute", Json::object());
  fmt::print("{}: {} is muted until {}\n", mute.value("id", ""), WhatIsMuted(mute), mute.value("until", ""));
  for (const Json& warning : response.value("warnings", Json::array())) Warn(warning.get<std::string>());
  return kExitDone;
}

int Unmute(const ControlOption& control, const std::string& name) {
  Json response;
  std::string error;
  if (!control.Ask({{"command", "unmute"}, {"mute", name}, {"by", Asker()}}, response, error))
    return Fail(kExitFailed, error);
  fmt::print("{} alerts again\n", WhatIsMuted(response.value("mute", Json::object())));
  return kExitDone;
}

int List(const ControlOption& control, bool json) {
  Json response;
  std::string error;
  if (!control.Ask({{"command", "mutes"}}, response, error)) return Fail(kExitFailed, error);
  const Json mutes = response.value("mutes", Json::array());
  if (json) {
    fmt::print("{}\n", mutes.dump());
    return kExitDone;
  }
  if (mutes.empty()) fmt::print("nothing is muted\n");
  for (const Json& mute : mutes) fmt::print("{}", MuteText(mute));
  return kExitDone;
}

}  // namespace

Command AddIndicators(CLI::App& app) {
  app.require_subcommand(1);
  auto options = std::make_shared<MuteOptions>();
  CLI::App* const mute = app.add_subcommand("mute", "hide hits of an indicator for a while");
  const std::shared_ptr<ControlOption> mute_control = ControlOption::AddTo(*mute);
  CLI::Option* const id = mute->add_option("indicator", options->indicator, "the indicator's id, as in alerts");
  id->type_name("ID");
  mute->add_option("--value", options->value, "the indicator's value, instead of its id")
      ->type_name("VALUE")
      ->excludes(id);
  mute->add_option("--source", options->source, "only the indicator of this source")->type_name("SOURCE");
  mute->add_option("--network", options->network,
                   "only where an end of the flow or the matched address is in this network")
      ->type_name("NETWORK");
  mute->add_option("--for", options->duration, "how long: 90m, 24h, 7d; at most 90d")->required()->type_name("TIME");
  mute->add_option("--reason", options->reason, "why, for anyone who finds the mute later")
      ->required()
      ->type_name("TEXT");

  CLI::App* const list = app.add_subcommand("mutes", "list what is muted, why, and how much that hid");
  const std::shared_ptr<ControlOption> list_control = ControlOption::AddTo(*list);
  auto json = std::make_shared<bool>(false);
  list->add_flag("--json", *json, "print one JSON array");

  CLI::App* const unmute = app.add_subcommand("unmute", "end a mute early");
  const std::shared_ptr<ControlOption> unmute_control = ControlOption::AddTo(*unmute);
  auto name = std::make_shared<std::string>();
  unmute->add_option("mute", *name, "the id of the mute, or of the indicator that it hides")
      ->required()
      ->type_name("ID");

  return [=] {
    if (mute->parsed()) return Mute(*mute_control, *options);
    if (unmute->parsed()) return Unmute(*unmute_control, *name);
    return List(*list_control, *json);
  };
}

}  // namespace vedette
