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
                 "indicator files or folders: CSV, Zeek's intelligence files, or one value a line")
      ->type_name("PATH");
  app.add_option("--match", options->values,
                 "an indicator given on the spot: a name, an address, a URL, or type:value such as ja3:…")
      ->type_name("VALUE");
  app.add_option("--geo", options->geo, "MMDB databases, the preferred one first (default: those of the installation)")
      ->type_name("DB");
  CLI::Option* const cache =
      app.add_option("--cache", options->cache,
                     "where compiled patterns are kept (default: vedette in $XDG_CACHE_HOME or ~/.cache)")
          ->type_name("DIR");
  app.add_flag("--no-cache", options->no_cache, "compile all patterns, keep none")->excludes(cache);
  app.add_flag("--no-geo", options->no_geo, "do not say where addresses are");
  app.add_option("--format", options->format, "jsonl, table or csv")
      ->check(CLI::IsMember({"jsonl", "table", "csv"}))
      ->type_name("FORMAT");
  app.add_option("--out", options->output, "file for the alerts (default: standard output)")->type_name("FILE");
  app.add_option("--publish", options->publish, "publish to the partners of this configuration as well")
      ->type_name("CONFIG");
  app.add_option("--partner-wait", options->partner_wait, "seconds to wait for the partners to connect (default 10)")
      ->type_name("SECONDS");
  app.add_option("--payload-depth", options->payload_depth,
                 "bytes of each direction of a flow to look for patterns in (default 0: all)")
      ->type_name("BYTES");
  app.add_option("--problems", options->problems, "file for all indicator rows that cannot be used, or may never hit")
      ->type_name("FILE");
  app.add_option(
         "--resume", options->resume,
         "file that keeps how far the run is: after an interruption the same command goes on (it reads the captures "
         "from their beginning again), and --out FILE is in the end that of one run")
      ->type_name("STATE");
  app.add_option("--resume-every", options->resume_every, "seconds between two states (default 2)")
      ->check(CLI::Range(0.01, 3600.0))
      ->type_name("SECONDS");
  app.add_option("--summary", options->summary, "file for the figures at the end, as JSON")->type_name("FILE");
  app.add_flag("--fail-on-match", options->fail_on_match, "end with code 3 when something was found");
  app.add_flag("--quiet", options->quiet, "no summary, and no report of the indicators");
  return [options] { return Replay(*options); };
}

}  // namespace vedette
