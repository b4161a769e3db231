// vedette replay: captures against indicators.
#include "sensor/replay/replay.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "sensor/commands/commands.h"

namespace vedette {

Command AddReplay(CLI::App& app) {
  auto options = std::make_shared<ReplayOptions>();
  options->capture.AddTo(app);
  options->carve.AddTo(app);
  app.add_option("--indicators", options->indicators,
                 "indicator files or folders: CSV, Zeek intelligence files, or lists with one value per line")
      ->type_name("PATH");
  app.add_option("--match", options->values,
                 "a single indicator: a name, an address, a URL, or type:value such as ja3:…")
      ->type_name("VALUE");
  app.add_option("--geo", options->geo, "MMDB databases, the preferred one first (default: the installed ones)")
      ->type_name("DB");
  CLI::Option* const cache =
      app.add_option("--cache", options->cache,
                     "folder that keeps compiled patterns (default: vedette in $XDG_CACHE_HOME or ~/.cache)")
          ->type_name("DIR");
  app.add_flag("--no-cache", options->no_cache, "compile all patterns and keep none")->excludes(cache);
  app.add_flag("--no-geo", options->no_geo, "do not look up where addresses are");
  app.add_option("--format", options->format, "format of the alerts (default: jsonl)")
      ->check(CLI::IsMember({"jsonl", "table", "csv"}))
      ->type_name("FORMAT");
  app.add_option("--out", options->output, "file for the alerts (default: standard output)")->type_name("FILE");
  app.add_option("--publish", options->publish, "also publish to the partners in this configuration")
      ->type_name("CONFIG");
  app.add_option("--partner-wait", options->partner_wait, "seconds to wait for the partners to connect (default 10)")
      ->type_name("SECONDS");
  app.add_option("--payload-depth", options->payload_depth,
                 "scan only this many bytes of each direction of a flow for patterns (default 0: all)")
      ->type_name("BYTES");
  app.add_flag("--each", options->each,
               "judge every file on its own, several at once: the output is that of one replay per file, one after the "
               "other, in their order");
  auto* const pace =
      app.add_flag("--pace", options->pace,
                   "replay as fast as it was recorded; --pace=10: ten times as fast. Alerts come when their packets do")
          ->type_name("[=FACTOR]");
  app.add_option("--pace-pause", options->pace_pause, "seconds that a gap in the recording takes at most (default 60)")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS")
      ->needs(pace);
  app.add_option("--problems", options->problems,
                 "file that lists all indicator rows that cannot be used or may never hit")
      ->type_name("FILE");
  app.add_option(
         "--resume", options->resume,
         "file that records the progress: after an interruption, run the same command again to continue (it reads the "
         "captures again from the beginning); --out FILE is then the same as after one uninterrupted run")
      ->type_name("STATE");
  app.add_option("--resume-every", options->resume_every, "seconds between two updates of the state (default 2)")
      ->check(CLI::Range(0.01, 3600.0))
      ->type_name("SECONDS");
  app.add_option("--summary", options->summary, "file for the final figures, as JSON")->type_name("FILE");
  app.add_flag("--fail-on-match", options->fail_on_match, "exit with status 3 if something was found");
  app.add_flag("--quiet", options->quiet, "print no summary and no report of the indicators");
  return [options] { return Replay(*options); };
}

}  // namespace vedette
