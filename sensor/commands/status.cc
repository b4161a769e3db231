// vedette status: how a running sensor is, for a person or a monitoring system.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "exporter/feed/feed_counters.h"
#include "exporter/metrics/families.h"
#include "exporter/policy/partner.h"
#include "parsers/base/text.h"
#include "sensor/commands/commands.h"
#include "sensor/commands/control_option.h"
#include "sensor/commands/mute_text.h"
#include "sensor/live/queue_rules.h"
#include "sensor/pipeline/queue_figures.h"
#include "sensor/pipeline/totals_figures.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

// As monitoring plugins end: ok, warning, critical, unknown.
constexpr int kStatusOk = 0, kStatusWarning = 1, kStatusCritical = 2, kStatusUnknown = 3;

// What of the figures a person is shown, by part.
struct Shown {
  const char* title;
  std::vector<const FigureFamily*> families;
};
const Shown kShown[] = {
    {"packets",
     {&families::kPacketsReceived, &families::kPacketsDecoded, &families::kPacketsNotDecoded,
      &families::kPacketsExcluded, &families::kPacketsDropped, &families::kPacketsWaiting, &families::kPacketDelay}},
    {"flows", {&families::kFlows, &families::kFlowsNow, &families::kFlowsEnded, &families::kFlowsByProtocol}},
    {"observables", {&families::kObservables}},
    {"indicators",
     {&families::kIndicators, &families::kIndicatorsUnusable, &families::kIndicatorGeneration, &families::kReloads,
      &families::kMatches}},
    {"alerts",
     {&families::kAlerts, &families::kAlertsDropped, &families::kAlertsMuted, &families::kAlertQueueDepth,
      &families::kAlertLatency}},
    {"feed",
     {&families::kFeedAlerts, &families::kFeedDropped, &families::kFeedConnections, &families::kFeedSuspended,
      &families::kFeedRefused}},
    {"memory", {&families::kMemory}},
};

std::string NumberText(const Json& value, bool bytes) {
  if (!value.is_number()) return value.dump();
  if (bytes) return ByteSize(static_cast<uint64_t>(value.get<double>()));
  return value.is_number_unsigned() ? Thousands(value.get<uint64_t>()) : fmt::format("{:.3f}", value.get<double>());
}

// "packets received" of "vedette_packets_received_total".
std::string ShortName(const FigureFamily& family) {
  if (&family == &families::kFlowsNow) return "flows now";  // beside all there were
  const std::string_view name = family.name;
  std::string out(name.substr(name.find('_') + 1));
  for (const std::string_view end : {"_total", "_bytes"}) {
    if (out.ends_with(end)) out.resize(out.size() - end.size());
  }
  for (char& c : out) c = c == '_' ? ' ' : c;
  return out;
}

void PrintFamily(const FigureFamily& family, const Json& value) {
  const bool bytes = UnitOf(family) == FigureUnit::kBytes;
  if (family.kind == FigureKind::kHistogram) {
    if (value.value("count", 0) != 0)
      fmt::print("  {:<34} half within {}, 99 % within {}\n", ShortName(family), Span(value.value("p50_seconds", 0.0)),
                 Span(value.value("p99_seconds", 0.0)));
  } else if (value.is_object()) {
    for (const auto& [label, count] : value.items()) {
      if (count.get<double>() != 0)
        fmt::print("  {:<34} {:>15}\n", ForTerminal(ShortName(family) + ": " + label), NumberText(count, bytes));
    }
  } else {
    fmt::print("  {:<34} {:>15}\n", ShortName(family), NumberText(value, bytes));
  }
}

// How the last test of the whole path ended.
std::string CanaryText(const Json& canary) {
  if (canary.value("number", uint64_t{0}) == 0) return "none was sent yet";
  if (canary.value("running", false)) return "one is in transit";
  if (!canary.value("arrived", false)) return "the last one was missed: " + canary.value("missing", "");
  return fmt::format("the last one arrived after {:.1f} ms", canary.value("seconds", 0.0) * 1000);
}

// How each interface is, and for how long it was not captured.
void PrintInterfaces(const Json& interfaces) {
  if (!interfaces.empty()) fmt::print("interfaces\n");
  for (const Json& one : interfaces) {
    std::string text = fmt::format("{} since {}", one.value("state", ""), one.value("since", ""));
    if (one.contains("now_called")) text += fmt::format(", now called {}", one.value("now_called", ""));
    if (one.contains("problem")) text += fmt::format(": {}", one.value("problem", ""));
    if (const uint64_t outages = one.value("outages", uint64_t{0}); outages != 0) {
      text += fmt::format("; not captured for {} in {} outage{}", Span(one.value("blind_seconds", 0.0)),
                          Thousands(outages), outages == 1 ? "" : "s");
    }
    const Json last = one.value("last_outages", Json::array());
    if (!last.empty()) {
      text += fmt::format(", the last that ended from {} to {} ({})", last.back().value("from", ""),
                          last.back().value("until", ""), last.back().value("why", ""));
    }
    fmt::print("  {}\n", ForTerminal(fmt::format("{:<15} {}", one.value("name", ""), text)));
  }
}

// What the alarm command did, where there is one.
void PrintCommand(const Json& command) {
  if (!command.is_object()) return;
  fmt::print("alarm command\n  {}: {} succeeded, {} failed, {} timed out{}\n", command.value("program", ""),
             Thousands(command.value("succeeded", uint64_t{0})), Thousands(command.value("failed", uint64_t{0})),
             Thousands(command.value("timed_out", uint64_t{0})),
             command.contains("last_failure") ? "; the last failure: " + command.value("last_failure", "") : "");
}

double ValueOf(const Json& figures, const FigureFamily& family, const std::string& label) {
  const auto at = figures.find(std::string(family.name));
  return at == figures.end() || !at->is_object() ? 0 : at->value(label, 0.0);
}

// A line for each queue.
void PrintQueues(const Json& figures) {
  using namespace families;
  const auto queues = figures.find(std::string(kQueueReceived.name));
  if (queues == figures.end()) return;
  fmt::print("queues\n");
  for (const auto& [queue, received] : queues->items()) {
    const auto value = [&, &label = queue](const FigureFamily& family) { return ValueOf(figures, family, label); };
    fmt::print("  {:<34} {:>15} packets, {} dropped; {:.0f} % of the last minute's, its worker {:.0f} % busy\n",
               "queue " + ForTerminal(queue), Thousands(static_cast<uint64_t>(received.get<double>())),
               Thousands(static_cast<uint64_t>(value(kQueueDropped))), value(kQueueShare), value(kQueueBusy));
  }
}

void Print(const Json& status) {
  fmt::print("{}: {} on {}, {} up, version {}\n", status.value("state", "unknown"), status.value("sensor", ""),
             status.value("interface", ""), Span(status.value("uptime_seconds", 0.0)), status.value("version", ""));
  for (const Json& problem : status.value("problems", Json::array())) {
    fmt::print("  {}: {}\n", problem.value("level", "warning"), ForTerminal(problem.value("what", "")));
  }
  PrintInterfaces(status.value("interfaces", Json::array()));
  if (status.contains("canary")) fmt::print("canary\n  {}\n", CanaryText(status["canary"]));
  PrintCommand(status.value("alarm_command", Json()));
  const Json mutes = status.value("mutes", Json::array());
  if (!mutes.empty()) fmt::print("muted\n");
  for (const Json& mute : mutes) {
    std::string text = "  " + MuteText(mute);
    for (size_t at = text.find('\n'); at + 1 < text.size(); at = text.find('\n', at + 1)) text.insert(at + 1, "  ");
    fmt::print("{}", text);
  }
  const Json figures = status.value("figures", Json::object());
  PrintQueues(figures);
  for (const Shown& part : kShown) {
    fmt::print("{}\n", part.title);
    for (const FigureFamily* family : part.families) {
      const auto at = figures.find(std::string(family->name));
      if (at != figures.end()) PrintFamily(*family, *at);
    }
  }
}

int Status(const ControlOption& control, bool json) {
  std::string error;
  Json status;
  bool silent = false;
  if (!control.Ask({{"command", "status"}}, status, error, &silent)) {
    fmt::print("{}: {}\n", silent ? "critical" : "unknown", error);
    return silent ? kStatusCritical : kStatusUnknown;
  }
  try {
    if (json) {
      fmt::print("{}\n", status.dump());
    } else {
      Print(status);
    }
  } catch (const Json::exception&) {
    fmt::print("unknown: the sensor's answer is not one this version understands\n");
    return kStatusUnknown;
  }
  const std::string state = status.value("state", "");
  return state == "ok"         ? kStatusOk
         : state == "warning"  ? kStatusWarning
         : state == "critical" ? kStatusCritical
                               : kStatusUnknown;
}

}  // namespace

Command AddStatus(CLI::App& app) {
  const std::shared_ptr<ControlOption> control = ControlOption::AddTo(app);
  auto json = std::make_shared<bool>(false);
  app.add_flag("--json", *json, "the whole status as one JSON object");
  return [control, json] { return Status(*control, *json); };
}

}  // namespace vedette
