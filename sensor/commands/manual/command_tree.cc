#include "sensor/commands/manual/command_tree.h"

#include <CLI/CLI.hpp>

namespace vedette {
namespace {

// CLI11 writes what an option takes as FORMAT:{jsonl,table,csv}.
void SplitType(const std::string& type, OptionText& option) {
  const size_t brace = type.find(":{");
  option.value = type.substr(0, brace);
  if (brace == type.npos) return;
  std::string choice;
  for (const char c : type.substr(brace + 2)) {
    if (c != ',' && c != '}') {
      choice += c;
      continue;
    }
    option.choices.push_back(choice);
    choice.clear();
    if (c == '}') break;
  }
}

}  // namespace

CommandText DescribeCommand(const CLI::App& app, const std::string& name) {
  CommandText command{name, app.get_description(), {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    OptionText text;
    text.description = option->get_description();
    text.required = option->get_required();
    text.repeated = option->get_items_expected_max() > 1;
    if (option->get_items_expected_max() > 0) SplitType(option->get_type_name(), text);
    if (option->get_positional()) {
      text.names.push_back(option->get_name(true, false));
      command.positionals.push_back(std::move(text));
      continue;
    }
    for (const std::string& letter : option->get_snames()) text.names.push_back("-" + letter);
    for (const std::string& word : option->get_lnames()) text.names.push_back("--" + word);
    command.options.push_back(std::move(text));
  }
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) command.commands.push_back(DescribeCommand(*sub, name + " " + sub->get_name()));
  }
  return command;
}

}  // namespace vedette
