// vedette manual (hidden): writes man pages, shell completion and the example configuration; run when the package is
// built.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "parsers/base/time_text.h"
#include "sensor/commands/commands.h"
#include "sensor/commands/manual/command_tree.h"
#include "sensor/config/example.h"
#include "sensor/setup/complain.h"

namespace vedette {
namespace {

namespace fs = std::filesystem;

// Divides a hand-written part; what stands below comes after the generated section.
constexpr std::string_view kHere = ".\\\" HERE\n";

struct ManualOptions {
  std::string folder, sections;
};

// Throws std::runtime_error with the file's name.
std::string ReadText(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error(path.string() + ": cannot be read");
  return text.str();
}

void WriteText(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path);
  file << text;
  if (!file.flush()) throw std::runtime_error(path.string() + ": cannot be written");
}

std::pair<std::string, std::string> Halves(const fs::path& path) {
  const std::string text = ReadText(path);
  const size_t here = text.find(kHere);
  if (here == text.npos)
    throw std::runtime_error(path.string() + R"(: has no line `.\" HERE` where the generated part goes)");
  return {text.substr(0, here), text.substr(here + kHere.size())};
}

// Of the sources where SOURCE_DATE_EPOCH tells it, as for any reproducible build; else today.
std::string Date() {
  const char* const epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t now =
      epoch != nullptr ? static_cast<std::time_t>(std::strtoll(epoch, nullptr, 10)) : std::time(nullptr);
  return DateText(static_cast<uint64_t>(now));
}

void WritePages(const CommandText& program, const ManualOptions& options) {
  const auto page = [&](const CommandText& command) {
    std::string name = command.name;
    std::replace(name.begin(), name.end(), ' ', '-');
    const fs::path sections = fs::path(options.sections) / (name + ".roff");
    if (!fs::exists(sections)) {
      Say("vedette: {} is missing: the page of `{}` has its options only\n", sections.string(), command.name);
    }
    const auto [before, after] = fs::exists(sections) ? Halves(sections) : std::pair<std::string, std::string>();
    WriteText(fs::path(options.folder) / "man1" / (name + ".1"),
              ManPage(command, Date(), VEDETTE_VERSION, before, after));
  };
  page(program);
  for (const CommandText& command : program.commands) page(command);
  const auto [before, after] = Halves(fs::path(options.sections) / "vedette.yaml.roff");
  WriteText(fs::path(options.folder) / "man5/vedette.yaml.5", ConfigPage(Date(), VEDETTE_VERSION, before, after));
}

}  // namespace

Command AddManual(CLI::App& app) {
  auto options = std::make_shared<ManualOptions>();
  app.group("");
  app.add_option("folder", options->folder, "where man1, man5, completion and vedette.example.yaml are written")
      ->required();
  app.add_option("--sections", options->sections, "the hand-written parts (docs/man)")->required();
  return [options, root = app.get_parent()] {
    const CommandText program = DescribeCommand(*root, "vedette");
    WritePages(program, *options);
    WriteText(fs::path(options->folder) / "vedette.example.yaml", ExampleConfig());
    const fs::path completion = fs::path(options->folder) / "completion";
    WriteText(completion / "vedette", BashCompletion(program));
    WriteText(completion / "_vedette", ZshCompletion(program));
    WriteText(completion / "vedette.fish", FishCompletion(program));
    return static_cast<int>(kExitDone);
  };
}

}  // namespace vedette
