// The commands and their options as text, taken from the parser that reads them: what man pages and shell completion
// are made of.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace vedette {

struct OptionText {
  std::vector<std::string> names;    // -h, --help; for a positional only its name
  std::string value;                 // FILE; empty for a flag
  std::vector<std::string> choices;  // jsonl, table, csv
  std::string description;
  bool required = false;
  bool repeated = false;
};

struct CommandText {
  std::string name;  // "vedette replay"
  std::string description;
  std::vector<OptionText> options, positionals;
  std::vector<CommandText> commands;  // hidden ones (an empty group) are left out
};

CommandText DescribeCommand(const CLI::App& app, const std::string& name);

// Each ends with a line break. `date` is that of the page; `before` and `after` are hand-written roff around OPTIONS.
std::string ManPage(const CommandText& command, const std::string& date, const std::string& version,
                    const std::string& before, const std::string& after);
// vedette.yaml(5), of the tables of keys; `before` and `after` are around KEYS and EXAMPLE.
std::string ConfigPage(const std::string& date, const std::string& version, const std::string& before,
                       const std::string& after);
std::string BashCompletion(const CommandText& program);
std::string ZshCompletion(const CommandText& program);
std::string FishCompletion(const CommandText& program);

// Text as roff shows it unchanged: backslashes, hyphens and leading dots escaped.
std::string Roff(const std::string& text);

}  // namespace vedette
