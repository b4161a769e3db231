#include "sensor/live/sensor_answers.h"

#include <nlohmann/json.hpp>

#include "exporter/metrics/figures_json.h"
#include "sensor/hardening/privileges.h"

namespace vedette {

using Json = nlohmann::json;

bool OpenControlSocket(const Config& config, Log& log, std::unique_ptr<ControlServer>& control, std::string& error) {
  if (config.control.empty()) return true;
  DroppedPrivileges left;
  if (!WhoIsLeft(config.capture.user, left, error)) return false;
  ControlOwner owner{.uid = left.uid, .gid = left.gid, .made_by_root = left.changed_user, .group = {}};
  if (!config.control_group.empty()) {
    owner.group = GroupOf(config.control_group, error);
    if (!owner.group) return false;
  }
  control = ControlServer::Open(config.control, owner, error);
  if (control != nullptr) return true;
  if (config.control_given || owner.group) return false;
  log.Warn(error + "; without it `vedette status` and `vedette reload` cannot reach this sensor");
  error.clear();
  return true;
}

Json SensorAnswers::ReloadOutcome() const {
  const Reloader::Outcome outcome = parts_.reloader->last();
  return {{"number", outcome.number},
          {"running", outcome.running},
          {"succeeded", outcome.succeeded},
          {"error", outcome.error},
          {"generation", outcome.generation},
          {"indicators", outcome.indicators},
          {"unusable", outcome.unusable},
          {"digest", outcome.digest},
          {"seconds", outcome.seconds},
          {"warnings", outcome.warnings},
          {"notes", outcome.notes}};
}

Json SensorAnswers::Status() const {
  const Figures now = parts_.figures->Collect();
  Json out = {{"sensor", parts_.config->sensor_name},
              {"version", VEDETTE_VERSION},
              {"interface", parts_.interfaces},
              {"user", parts_.user},
              {"state", "ok"},
              {"problems", Json::array()}};
  out["uptime_seconds"] = parts_.process->uptime_seconds();
  parts_.keeper->AddTo(out);
  out["reload"] = ReloadOutcome();
  for (const Json& warning : out["reload"]["warnings"]) {
    out["state"] = "warning";
    out["problems"].push_back(
        {{"level", "warning"},
         {"what", (parts_.reloader->last().number == 0 ? "indicators: " : "reload: ") + warning.get<std::string>()}});
  }
  parts_.watch->AddTo(out);
  out["figures"] = Json::parse(JsonOf(now));
  return out;
}

void SensorAnswers::AddTo(ControlServer& control) {
  constexpr auto kGroup = ControlServer::For::kGroup;
  control.Handle(
      "status", [this](const Json&) { return Status(); }, kGroup);
  control.Handle("reload", [this](const Json&) -> Json {
    parts_.output->Reopen();
    return {{"number", parts_.reloader->Request()}};
  });
  control.Handle(
      "reload-outcome", [this](const Json&) { return ReloadOutcome(); }, kGroup);
}

}  // namespace vedette
