// vedette observe: every observable in captures.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "sensor/commands/commands.h"
#include "sensor/commands/line_output.h"
#include "sensor/pipeline/observe_consumer.h"
#include "sensor/pipeline/pipeline.h"
#include "sensor/setup/command_files.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/inputs.h"
#include "sensor/setup/progress.h"
#include "sensor/setup/signals.h"
#include "sensor/setup/summary.h"

namespace vedette {
namespace {

struct ObserveOptions {
  CaptureOptions capture;
  std::string format = "tsv";
  std::string output = "-";
  bool quiet = false;
};

// Text that is already escaped for one line, as a JSON string: only quotes and backslashes are left to do.
std::string JsonString(std::string_view escaped) {
  std::string out = "\"";
  for (char c : escaped) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

int Observe(ObserveOptions& options) {
  std::string error;
  std::atomic<bool> stop{false};
  const SignalWatch signals(stop);
  std::vector<LaneSetup> lanes;
  std::shared_ptr<const CaptureList> list;
  if (options.capture.Check(error)) list = ResolveCaptures(options.capture, stop, error);
  CommandFiles files;
  if (list != nullptr) files.AddCaptures(*list);
  files.AddOutput("--out", options.output);
  LineOutput output;
  if (list == nullptr || !files.Check(error) || !SetUpLanes(options.capture, list, lanes, error) ||
      !output.Open(options.output, error)) {
    Complain(error);
    return kExitUsage;
  }
  std::vector<ObserveConsumer*> consumers;  // the lanes'
  for (LaneSetup& lane : lanes) {
    auto consumer = std::make_unique<ObserveConsumer>();
    consumers.push_back(consumer.get());
    lane.consumer = std::move(consumer);
  }
  ProgressBar progress;
  Pipeline pipeline(std::move(lanes), Sharing::kSameCapture);
  Totals totals = pipeline.Run(stop, [&](const ProgressReport& report) { progress.Show(report); });
  progress.Clear();
  if (options.capture.follow) totals.interrupted = false;  // there is no other end

  for (size_t i = 1; i < consumers.size(); ++i) consumers[0]->MergeFrom(*consumers[i]);
  for (const auto& [name, value] : consumers[0]->Sorted()) {
    if (options.format == "tsv") {
      output.Write(name, "\t", value, "\n");
    } else {
      output.Write("{\"name\":\"", name, "\",\"value\":", JsonString(value), "}\n");
    }
  }
  const bool written = output.Close(error);
  if (!options.quiet) Say("{}", SummaryOfCapture(totals));
  ReportFragments(totals);
  ReportDamage(totals);
  if (!written) {
    Complain(error);
    return kExitFailed;
  }
  if (totals.interrupted) {
    ReportInterrupted(totals);
    return kExitFailed;
  }
  return totals.damage.empty() ? kExitDone : kExitDamagedInput;
}

}  // namespace

Command AddObserve(CLI::App& app) {
  auto options = std::make_shared<ObserveOptions>();
  options->capture.AddTo(app);
  app.add_option("--format", options->format, "format of the output (default: tsv)")
      ->check(CLI::IsMember({"tsv", "jsonl"}))
      ->type_name("FORMAT");
  app.add_option("--out", options->output, "file to write to (default: standard output)")->type_name("FILE");
  app.add_flag("--quiet", options->quiet, "print no summary");
  return [options] { return Observe(*options); };
}

}  // namespace vedette
