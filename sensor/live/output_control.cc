#include "sensor/live/output_control.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "sensor/live/ask_exporter.h"
#include "signatures/canary.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

Json AnswerOf(const std::string& problem) {
  if (problem.empty()) return Json::object();
  return {{"ok", false}, {"error", problem}};
}

}  // namespace

void OutputControl::Reopen() {
  if (parts_.file == nullptr) return;
  parts_.exporter->Post([file = parts_.file] {
    std::string problem;  // the sink says it itself
    file->Reopen(problem);
  });
}

void OutputControl::AddTo(ControlServer& control) {
  control.Handle("reopen", [this](const Json&) { return ReopenNow(); });
  control.Handle("readmit", [this](const Json& request) { return Readmit(request); });
}

Json OutputControl::ReopenNow() {
  if (parts_.file == nullptr) return Json::object();
  const std::string problem = AskExporter(*parts_.exporter, [file = parts_.file] {
    std::string why;
    return file->Reopen(why) ? std::string() : why;
  });
  return AnswerOf(problem.empty() ? problem : "output: " + problem);
}

Json OutputControl::Readmit(const Json& request) {
  const std::string name = request.value("partner", std::string());
  const std::string unknown = fmt::format("no partner of this sensor is named `{}`", name);
  if (parts_.publisher == nullptr || name == kCanaryView) return AnswerOf(unknown);
  const std::string problem = AskExporter(*parts_.exporter, [publisher = parts_.publisher, name, unknown] {
    const std::optional<PartnerId> partner = publisher->Find(name);
    if (!partner) return unknown;
    return publisher->Readmit(*partner) ? std::string() : fmt::format("partner {} is not suspended", name);
  });
  if (problem.empty())
    parts_.log->Info(fmt::format("feed: {} readmitted partner {}", request.value("by", "somebody"), name));
  return AnswerOf(problem);
}

}  // namespace vedette
