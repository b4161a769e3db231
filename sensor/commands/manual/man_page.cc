// Man pages, as man(7) has them.
#include <algorithm>

#include "sensor/commands/manual/command_tree.h"

namespace vedette {
namespace {

std::string PageName(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string Upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string Italic(const std::string& text) { return "\\fI" + Roff(text) + "\\fR"; }
std::string Bold(const std::string& text) { return "\\fB" + Roff(text) + "\\fR"; }

std::string Synopsis(const CommandText& command) {
  std::string text = ".B " + Roff(command.name) + '\n';
  for (const OptionText& option : command.options) {
    if (option.required) text += Bold(option.names.back()) + ' ' + Italic(option.value) + '\n';
  }
  text += "[\\fIoptions\\fR]\n";
  for (const OptionText& positional : command.positionals) {
    const std::string name = Italic(positional.value.empty() ? positional.names[0] : positional.value);
    text += (positional.required ? name : "[" + name + "]") + (positional.repeated ? " \\&...\n" : "\n");
  }
  return text;
}

std::string Options(const CommandText& command) {
  std::string text;
  const auto entry = [&](const OptionText& option, const std::string& head) {
    text += ".TP\n" + head + '\n' + Roff(option.description) + (option.description.ends_with('.') ? "\n" : ".\n");
    if (option.required && option.names[0].starts_with('-')) text += "Required.\n";
    if (option.repeated && option.names[0].starts_with('-')) text += "May be given several times.\n";
  };
  for (const OptionText& positional : command.positionals)
    entry(positional, Italic(positional.value.empty() ? positional.names[0] : positional.value));
  for (const OptionText& option : command.options) {
    std::string head;
    for (const std::string& name : option.names) head += (head.empty() ? "" : ", ") + Bold(name);
    if (!option.value.empty()) head += ' ' + Italic(option.value);
    entry(option, head);
  }
  return text;
}

}  // namespace

std::string Roff(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '`') {
      out += "\\(ga";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string ManPage(const CommandText& command, const std::string& date, const std::string& version,
                    const std::string& before, const std::string& after) {
  const std::string page = PageName(command.name);
  std::string text = ".\\\" Made by `vedette manual` of the program's own options and of docs/man/.\n";
  text += ".TH " + Upper(Roff(page)) + " 1 \"" + date + "\" \"vedette " + version + "\" \"Vedette\"\n";
  text += ".SH NAME\n" + Roff(page) + " \\- " + Roff(command.description) + '\n';
  text += ".SH SYNOPSIS\n";
  if (command.commands.empty()) {
    text += Synopsis(command);
  } else {
    for (const CommandText& sub : command.commands) {
      if (&sub != &command.commands.front()) text += ".br\n";
      text += Synopsis(sub);
    }
  }
  text += before;
  text += ".SH OPTIONS\n" + Options(command);
  const bool program = page == "vedette";
  if (!command.commands.empty()) text += ".SH COMMANDS\n";
  for (const CommandText& sub : command.commands) {
    if (program) {
      text += ".TP\n.BR " + Roff(PageName(sub.name)) + " (1)\n" + Roff(sub.description) + ".\n";
    } else {
      text += ".SS " + Roff(sub.name) + '\n' + Roff(sub.description) + ".\n" + Options(sub);
    }
  }
  text += after;
  text += program ? ".SH SEE ALSO\n.BR vedette.yaml (5)\n" : ".SH SEE ALSO\n.BR vedette (1),\n.BR vedette.yaml (5)\n";
  return text;
}

}  // namespace vedette
