#include "sensor/live/self_watch.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "exporter/policy/mutes/mute_names.h"
#include "parsers/base/time_text.h"
#include "sensor/live/ask_exporter.h"
#include "signatures/canary.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kLook{1};  // at alarms, and at mutes that end

// Nothing is kept where the default folder is not there: a sensor that is tried out has none.
std::string AlarmFileOf(const Config& config) {
  std::error_code status;
  const bool kept = config.state_given || std::filesystem::is_directory(config.state, status);
  return kept ? config.state + "/alarms.json" : "";
}

// A reload that failed is told by its alarm, but that is raised a little later, or is off.
void TellFailedReload(Json& status) {
  const Json reload = status.value("reload", Json());
  if (!reload.is_object() || reload["number"] == 0 || reload["running"] || reload["succeeded"]) return;
  for (const Json& alarm : status["alarms"]) {
    if (alarm["alarm"] == "reload_failed") return;
  }
  if (status["state"] == "ok") status["state"] = "warning";
  status["problems"].push_back(
      {{"level", "warning"}, {"what", "the last reload failed: " + reload["error"].get<std::string>()}});
}

int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void AddCanaryView(Config& config, KeyPair& keys) {
  keys = NewKeyPair();
  PartnerConfig view{.name = std::string(kCanaryView), .public_key = keys.public_key};
  view.clearance.partner = kCanaryView;
  view.clearance.originators = {std::string(kCanarySource)};
  config.feed.partners.push_back(std::move(view));
}

std::unique_ptr<SelfWatch> SelfWatch::Start(Parts parts, std::string& error) {
  std::unique_ptr<MuteStore> mutes =
      MuteStore::Open(parts.config->state + "/mutes.json", parts.config->mutes, NowNs(), error);
  if (mutes == nullptr) return nullptr;
  return std::unique_ptr<SelfWatch>(new SelfWatch(std::move(parts), std::move(mutes)));
}

SelfWatch::SelfWatch(Parts parts, std::unique_ptr<MuteStore> mutes)
    : parts_(std::move(parts)),
      mutes_(std::move(mutes)),
      mute_control_(
          *mutes_, [this] { UseMutes(); }, [this](const Mute& mute) { return RemarksOn(mute); }, *parts_.log),
      alarms_(parts_.config->alarms, parts_.config->sensor_name, AlarmClock(), *parts_.log, parts_.command,
              AlarmFileOf(*parts_.config)) {
  UseMutes();
  for (const MuteStore::Status& status : mutes_->All()) {
    parts_.log->Info(fmt::format("mute {}: {} until {}: {}", status.mute.id, Describe(status.mute),
                                 Rfc3339(status.mute.until_ns), status.mute.reason));
  }
  CanaryRunner::Parts canary{.watch = parts_.canaries,
                             .sources = parts_.sources,
                             .wires = parts_.wires,
                             .feed = parts_.feed,
                             .endpoint = parts_.publisher == nullptr ? "" : parts_.publisher->endpoint(),
                             .server_public_key = parts_.publisher == nullptr ? "" : parts_.publisher->public_key(),
                             .keys = parts_.canary_keys,
                             .log = parts_.log};
  canary_ = std::make_unique<CanaryRunner>(std::move(canary), parts_.config->canary);
}

void SelfWatch::UseMutes() {
  parts_.exporter->Post([filter = parts_.mutes, list = mutes_->List()] { filter->Use(list); });
}

// The exporter has the indicators in use; they are read here, for there may be millions.
std::vector<std::string> SelfWatch::RemarksOn(const Mute& mute) const {
  const auto used = std::make_shared<IndicatorCatalogue>();
  const std::string problem = AskExporter(*parts_.exporter, [policy = parts_.policy, used] {
    *used = policy->catalogues().newest();
    return std::string();
  });
  if (!problem.empty()) return {};
  const std::vector<Mute> mutes = {mute};
  MuteNames names(mutes);
  for (uint32_t index = 0; index < used->size; ++index) names.See(used->at(index));
  return names.Remarks();
}

void SelfWatch::ExpireMutes() {
  std::string error;
  const std::vector<Mute> over = mutes_->Expire(NowNs(), error);
  for (const Mute& mute : over) {
    parts_.log->Info(fmt::format("mute {} expired: {} alerts again", mute.id, Describe(mute)));
  }
  if (!over.empty()) UseMutes();
  if (!error.empty()) parts_.log->Warn(error);
}

Json SelfWatch::CanaryOutcome() const {
  const CanaryRunner::Outcome outcome = canary_->last();
  return {{"number", outcome.number},
          {"running", outcome.running},
          {"arrived", outcome.arrived},
          {"name", outcome.name},
          {"missing", outcome.missing},
          {"seconds", outcome.seconds},
          {"exporter_seconds", outcome.exporter_seconds}};
}

void SelfWatch::AddTo(ControlServer& control) {
  control.Handle("mute", [this](const Json& request) { return mute_control_.Mute(request, NowNs()); });
  control.Handle("unmute", [this](const Json& request) { return mute_control_.Unmute(request); });
  control.Handle(
      "mutes",
      [this](const Json&) -> Json {
        return {{"mutes", mute_control_.List()}};
      },
      ControlServer::For::kGroup);
  control.Handle("canary", [this](const Json&) -> Json { return {{"number", canary_->Request()}}; });
  control.Handle(
      "canary-outcome", [this](const Json&) { return CanaryOutcome(); }, ControlServer::For::kGroup);
}

void SelfWatch::AddTo(Housekeeping& housekeeping, std::function<Figures()> figures) {
  housekeeping.Every(kLook, [this, figures = std::move(figures)] {
    ExpireMutes();
    alarms_.Evaluate(figures(), AlarmClock());
  });
}

void SelfWatch::AddTo(Json& status) const {
  Json& alarms = status["alarms"] = Json::array();
  bool critical = false;
  for (const Alarm& alarm : alarms_.Active()) {
    critical |= alarm.critical;
    alarms.push_back({{"alarm", alarm.name},
                      {"critical", alarm.critical},
                      {"since", Rfc3339(alarm.since * 1'000'000'000)},
                      {"text", alarm.text}});
    status["problems"].push_back(
        {{"level", alarm.critical ? "critical" : "warning"},
         {"what", fmt::format("{} since {}: {}", alarm.name, Rfc3339(alarm.since * 1'000'000'000), alarm.text)}});
  }
  const std::string command_problem = alarms_.CommandProblem();
  if (!command_problem.empty()) status["problems"].push_back({{"level", "warning"}, {"what", command_problem}});
  if (const std::optional<CommandStatus> command = alarms_.Command()) {
    Json& shown = status["alarm_command"] = {{"program", parts_.config->alarms.command[0]},
                                             {"succeeded", command->counters.succeeded},
                                             {"failed", command->counters.failed},
                                             {"timed_out", command->counters.timed_out},
                                             {"running", !command->gone}};
    if (!command->last_failure.empty()) shown["last_failure"] = command->last_failure;
  }
  if (critical) {
    status["state"] = "critical";
  } else if ((!alarms.empty() || !command_problem.empty()) && status["state"] == "ok") {
    status["state"] = "warning";
  }
  TellFailedReload(status);
  status["canary"] = CanaryOutcome();
  status["mutes"] = mute_control_.List();
}

void SelfWatch::AppendFigures(Figures& out) const {
  mutes_->AppendFigures(out);
  alarms_.AppendFigures(out);
  canary_->AppendFigures(out);
}

}  // namespace vedette
