// vedette subscribe: a partner's side of the feed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "exporter/feed/subscriber.h"
#include "sensor/commands/command_files.h"
#include "sensor/commands/commands.h"
#include "sensor/commands/complain.h"
#include "sensor/commands/line_output.h"
#include "sensor/commands/signals.h"

namespace vedette {
namespace {

struct SubscribeOptions {
  SubscribeConfig feed;
  std::string output = "-";
};

int RunSubscribe(SubscribeOptions& options) {
  std::atomic<bool> stop{false};
  const SignalWatch signals(stop);
  std::string error;
  CommandFiles files;
  files.AddInput(options.feed.server_public_key, "the sensor's key");
  files.AddInput(options.feed.secret_key_file, "your key");
  files.AddOutput("--out", options.output);
  LineOutput output;
  if (!files.Check(error) || !output.Open(options.output, error, LineOutput::Start::kAppend)) {
    Complain(error);
    return kExitUsage;
  }
  if (output.ended_a_line())
    Say("{}: its last line was cut short and is no alert; going on below it\n", options.output);
  const SubscribeSummary summary = Subscribe(
      options.feed, [&](std::string_view line) { return output.Write(line) && output.Flush(); },
      [](std::string_view event) { Say("{}\n", ForTerminal(event)); }, stop);
  const bool written = output.Close(error);
  Say("{} alerts in {} messages, {} heartbeats; {} alerts missing in {} gaps; {} messages not of this format\n",
      summary.alerts, summary.batches, summary.heartbeats, summary.missing, summary.gaps, summary.malformed);
  if (summary.dropped_by_sensor != 0)
    Say("{} alerts dropped by the sensor, since we read too slowly\n", summary.dropped_by_sensor);
  if (summary.unknown_tails != 0)
    Say("{} times the sensor started anew without an end: what it sent last before is not known\n",
        summary.unknown_tails);
  if (!summary.loss.empty() && summary.loss != "{}")
    Say("what the sensor could not see: {}\n", ForTerminal(summary.loss));
  const bool cut_short = options.feed.stop_at_end && !summary.ended &&
                         (options.feed.stop_after == 0 || summary.alerts < options.feed.stop_after);
  if (cut_short && summary.error.empty()) Say("stopped before the end of the feed came\n");
  if (!written) Complain(error);
  if (!summary.error.empty()) Complain(summary.error);
  if (!written || !summary.error.empty()) return kExitFailed;
  const bool complete = summary.missing == 0 && summary.malformed == 0 && summary.unknown_tails == 0 && !cut_short;
  return complete ? kExitDone : kExitDamagedInput;
}

}  // namespace

Command AddSubscribe(CLI::App& app) {
  auto options = std::make_shared<SubscribeOptions>();
  SubscribeConfig& feed = options->feed;
  app.add_option("endpoint", feed.endpoint, "the sensor's endpoint: tcp://sensor.example:5577")
      ->required()
      ->type_name("ENDPOINT");
  app.add_option("--server-key", feed.server_public_key, "the sensor's public key: 40 characters, or its .pub file")
      ->required()
      ->type_name("KEY");
  app.add_option("--key", feed.secret_key_file, "your own key file, made by `vedette keygen`")
      ->required()
      ->type_name("FILE");
  app.add_option("--view", feed.view, "your name, as the sensor's operator gave it")->required()->type_name("NAME");
  app.add_option("--out", options->output, "file that alerts are added to (default: standard output)")
      ->type_name("FILE");
  app.add_option("--count", feed.stop_after, "stop after so many alerts")->type_name("N");
  app.add_option("--idle", feed.idle_seconds, "stop after so many seconds without anything")->type_name("SECONDS");
  app.add_flag("--until-end", feed.stop_at_end, "stop when a replay says it is over");
  return [options] { return RunSubscribe(*options); };
}

}  // namespace vedette
