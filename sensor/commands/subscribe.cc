// vedette subscribe: a partner's side of the feed.
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>

#include "exporter/feed/keys.h"
#include "exporter/feed/subscriber.h"
#include "sensor/commands/commands.h"
#include "sensor/commands/line_output.h"
#include "sensor/commands/subscribe_state.h"
#include "sensor/replay/summary_json.h"
#include "sensor/setup/command_files.h"
#include "sensor/setup/complain.h"
#include "sensor/setup/signals.h"

namespace vedette {
namespace {

struct SubscribeOptions {
  SubscribeConfig feed;
  std::string output = "-";
};

// Whether `path` is, or will be, a file that is there again at the next start.
bool IsKept(const std::string& path) {
  struct stat about {};
  return path != "-" && (stat(path.c_str(), &about) != 0 || S_ISREG(about.st_mode));
}

int RunSubscribe(SubscribeOptions& options) {
  std::atomic<bool> stop{false};
  const SignalWatch signals(stop);
  std::string error;
  CommandFiles files;
  files.AddInput(options.feed.server_public_key, "the sensor's key");
  files.AddInput(options.feed.secret_key_file, "your key");
  files.AddOutput("--out", options.output);
  std::optional<SubscribeState> state;
  std::string server_key;
  // Where the key cannot be read, Subscribe says so.
  if (IsKept(options.output) && ReadPublicKey(options.feed.server_public_key, server_key, error)) {
    state.emplace(options.output, options.feed.view, server_key);
    files.AddOutput("--out", options.output + SubscribeState::kSuffix);
    files.AddOutput("--out", options.output + SubscribeState::kSuffix + kPartSuffix);
  }
  LineOutput output;
  std::string told;
  const auto load_and_open = [&] {
    if (state) told = state->Load();  // before the file is made, or anything is added to it
    return output.Open(options.output, error, LineOutput::Start::kAppend);
  };
  if (!files.Check(error) || !load_and_open()) {
    Complain(error);
    return kExitUsage;
  }
  if (output.ended_a_line())
    Say("{}: its last line was cut short and is no alert; continuing on the next line\n", ForTerminal(options.output));
  if (!told.empty()) Say("{}\n", ForTerminal(told));
  if (state && output.Flush()) {
    state->Begin(output.descriptor());
    options.feed.after = state->position();
    options.feed.on_position = [&](const FeedPosition& position, bool jump) { state->Update(position, jump); };
  }
  const SubscribeSummary summary = Subscribe(
      options.feed, [&](std::string_view line) { return output.Write(line) && output.Flush(); },
      [](std::string_view event) { Say("{}\n", ForTerminal(event)); }, stop);
  std::string state_error;
  const bool state_kept = !state || state->Close(state_error);
  const bool written = output.Close(error);
  Say("{} alerts in {} messages, {} heartbeats; {} alerts missing in {} gaps; {} messages not of this format\n",
      summary.alerts, summary.batches, summary.heartbeats, summary.missing, summary.gaps, summary.malformed);
  if (summary.dropped_by_sensor != 0)
    Say("{} alerts dropped by the sensor, because we read too slowly\n", summary.dropped_by_sensor);
  if (summary.unknown_tails != 0)
    Say("{} epochs ended that we did not see completely: their last alerts may be missing\n", summary.unknown_tails);
  if (!summary.loss.empty() && summary.loss != "{}")
    Say("what the sensor could not see: {}\n", ForTerminal(summary.loss));
  const bool cut_short = options.feed.stop_at_end && !summary.ended &&
                         (options.feed.stop_after == 0 || summary.alerts < options.feed.stop_after);
  if (cut_short && summary.error.empty()) Say("stopped before the end of the feed\n");
  if (!written) Complain(error);
  if (!state_kept) Complain(state_error);
  if (!summary.error.empty()) Complain(summary.error);
  if (!written || !state_kept || !summary.error.empty()) return kExitFailed;
  const bool complete = summary.missing == 0 && summary.malformed == 0 && summary.unknown_tails == 0 && !cut_short &&
                        !(state && state->unknown());
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
  app.add_option("--view", feed.view, "your name, as the sensor's operator gave it to you")
      ->required()
      ->type_name("NAME");
  app.add_option("--out", options->output,
                 "append the alerts to this file (default: standard output); FILE.state records the last alert in it, "
                 "so that the next start can report what was missed")
      ->type_name("FILE");
  app.add_option("--count", feed.stop_after, "stop after this many alerts")->type_name("N");
  app.add_option("--idle", feed.idle_seconds, "stop after this many seconds without any message")->type_name("SECONDS");
  app.add_flag("--until-end", feed.stop_at_end, "stop at the end of a replay");
  return [options] { return RunSubscribe(*options); };
}

}  // namespace vedette
