// vedette.yaml(5): every key of the configuration, from the tables in sensor/config/.
#include <fmt/format.h>

#include "sensor/commands/manual/command_tree.h"
#include "sensor/config/example.h"

namespace vedette {
namespace {

// "Help text." of "help text".
std::string Sentence(std::string help) {
  if (help.empty()) return "";
  if (help[0] >= 'a' && help[0] <= 'z') help[0] = static_cast<char>(help[0] - 'a' + 'A');
  return Roff(help) + ".\n";
}

std::string Value(const KeyText& key) {
  std::string text = "Value: " + Roff(key.type) + ".\n";
  if (!key.standard.empty()) text += "Default: " + Roff(key.standard) + ".\n";
  if (key.at_reload) text += "A reload takes it.\n";
  return text;
}

std::string KeyEntry(const KeyText& key) {
  std::string text = ".TP\n.B " + Roff(key.name) + '\n' + Sentence(key.help) + Value(key);
  if (key.keys.empty()) return text;
  text += key.is_list ? "Each has:\n.RS\n" : ".RS\n";
  for (const KeyText& inner : key.keys) text += KeyEntry(inner);
  return text + ".RE\n";
}

}  // namespace

std::string ConfigPage(const std::string& date, const std::string& version, const std::string& before,
                       const std::string& after) {
  std::string text = ".\\\" Made by `vedette manual` of the program's tables of keys and of docs/man/.\n";
  text += fmt::format(".TH VEDETTE.YAML 5 \"{}\" \"vedette {}\" \"Vedette\"\n{}", date, version, before);
  text += ".SH KEYS\n";
  for (const KeyText& key : DescribeConfig()) {
    text += ".SS " + Roff(key.name) + '\n' + Sentence(key.help);
    if (key.keys.empty() || key.is_list) text += Value(key);
    if (key.is_list) text += "Each has:\n";
    for (const KeyText& inner : key.keys) text += KeyEntry(inner);
  }
  text += ".SH EXAMPLE\n.nf\n" + Roff(ExampleConfig()) + ".fi\n";
  return text + after;
}

}  // namespace vedette
