// vedette: a network sensor for CERTs.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "sensor/commands/commands.h"
#include "sensor/setup/complain.h"

namespace {

// A descriptor that whoever started us has closed would be the next one that is opened: messages would go into it, or a
// capture would be read from it. In its place comes one that cannot be used.
void OccupyClosedDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF)
      static_cast<void>(
          open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY));  // the lowest that is free
  }
}

// An option that is given and empty is a variable that was not set, most likely.
void RefuseEmptyValues(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (option->get_type_size() == 0) continue;  // a flag
    option->check(
        CLI::Validator([](const std::string& value) { return value.empty() ? "is given without a value" : ""; }, ""));
  }
  for (CLI::App* sub : command.get_subcommands({})) RefuseEmptyValues(*sub);
}

// Without the value that an option has where it is given without one: CLI11 writes it behind the name.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    const size_t begin = name.find('{');
    const size_t end = name.find('}', begin);
    if (begin != std::string::npos && end != std::string::npos) name.erase(begin, end - begin + 1);
    return name;
  }
};

}  // namespace

int main(int argc, char** argv) {
  OccupyClosedDescriptors();
  // A closed pipe is an error to report, not a reason to die without a summary.
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app{"Vedette finds shared indicators in network traffic and tells each partner what that partner may know.",
               "vedette"};
  app.set_version_flag("--version", "vedette " VEDETTE_VERSION);
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);

  struct Entry {
    CLI::App* app;
    vedette::Command run;
  };
  std::vector<Entry> entries;
  const auto add = [&](const char* name, const char* what, vedette::Command (*make)(CLI::App&)) {
    CLI::App* sub = app.add_subcommand(name, what);
    entries.push_back({sub, make(*sub)});
  };
  add("replay", "match captures against indicators; alerts on standard output, summary on standard error",
      vedette::AddReplay);
  add("observe", "print every observable in captures, unique and sorted, as name<TAB>value", vedette::AddObserve);
  add("run", "run a live sensor: capture from an interface, match, publish", vedette::AddRun);
  add("status", "show the status of a running sensor, with the exit status of a monitoring plugin", vedette::AddStatus);
  add("reload", "make a running sensor reload its indicators", vedette::AddReload);
  add("check", "validate a sensor's configuration and everything it names", vedette::AddCheck);
  add("canary", "send a known packet through a running sensor and wait for it at the feed", vedette::AddCanary);
  add("indicators", "mute indicators of a running sensor", vedette::AddIndicators);
  add("partner", "readmit a suspended partner of a running sensor", vedette::AddPartner);
  add("subscribe", "receive a partner feed, verify it, write JSON lines to standard output", vedette::AddSubscribe);
  add("keygen", "make a CURVE key pair for a sensor or a partner", vedette::AddKeygen);
  add("manual", "write man pages and shell completion", vedette::AddManual);

  RefuseEmptyValues(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    if (std::string_view(error.what()).starts_with("captures is required"))
      vedette::Say(
          "Name captures first, or after --: an option that takes several values takes everything that follows it.\n");
    return code == 0 ? vedette::kExitDone : vedette::kExitUsage;
  }
  try {
    for (const Entry& entry : entries) {
      if (entry.app->parsed()) return entry.run();
    }
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "vedette: out of memory; use fewer workers, or smaller limits\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vedette: %s\n", error.what());
  }
  return vedette::kExitFailed;
}
