// Completion for bash, zsh and fish: commands, options, and what options take (choices, or files).
#include <algorithm>

#include "sensor/commands/manual/command_tree.h"

namespace vedette {
namespace {

constexpr const char* kHead = "# Made by `vedette manual` of the program's own options.\n";

std::string LastWord(const std::string& name) { return name.substr(name.rfind(' ') + 1); }

// Whether what it takes is a path; the names are those of the commands' help.
bool TakesPath(const OptionText& option) {
  for (const char* word : {"FILE", "PATH", "DIR", "DB", "CONFIG", "PREFIX", "KEY"}) {
    if (option.value.find(word) != std::string::npos) return true;
  }
  return false;
}

std::string Joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

// For single quotes of a shell.
std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The words that can follow a command.
std::string Words(const CommandText& command) {
  std::vector<std::string> words;
  for (const CommandText& sub : command.commands) words.push_back(LastWord(sub.name));
  for (const OptionText& option : command.options) words.insert(words.end(), option.names.begin(), option.names.end());
  return Joined(words, " ");
}

template <class Visit>
void ForEachCommand(const CommandText& command, const Visit& visit) {
  visit(command);
  for (const CommandText& sub : command.commands) ForEachCommand(sub, visit);
}

bool AnyPathPositional(const CommandText& command) {
  return std::any_of(command.positionals.begin(), command.positionals.end(), TakesPath);
}

// One argument of zsh's _arguments, which reads [ ] : and \ itself.
std::string ZshText(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string ZshFunction(const std::string& command) {
  std::string name = "_" + command;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name;
}

std::string ZshAction(const OptionText& option) {
  if (!option.choices.empty()) return "(" + Joined(option.choices, " ") + ")";
  return TakesPath(option) ? "_files" : " ";
}

}  // namespace

std::string BashCompletion(const CommandText& program) {
  std::string text = kHead;
  text +=
      "_vedette() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=vedette word\n"
      "  local words='' paths=''\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$command $word\" in\n";
  ForEachCommand(program, [&](const CommandText& command) {
    if (command.name != program.name)
      text += "      " + Quoted(command.name) + ") command=" + Quoted(command.name) + " ;;\n";
  });
  text += "    esac\n  done\n  case \"$command $previous\" in\n";
  ForEachCommand(program, [&](const CommandText& command) {
    for (const OptionText& option : command.options) {
      if (option.value.empty()) continue;
      std::string cases;
      for (const std::string& name : option.names)
        cases += (cases.empty() ? "" : "|") + Quoted(command.name + " " + name);
      text += "    " + cases + ") words=" + Quoted(Joined(option.choices, " "));
      text += TakesPath(option) ? " paths=yes ;;\n" : " ;;\n";
    }
  });
  text += "    *)\n      case $command in\n";
  ForEachCommand(program, [&](const CommandText& command) {
    text += "        " + Quoted(command.name) + ") words=" + Quoted(Words(command));
    text += AnyPathPositional(command) ? " paths=yes ;;\n" : " ;;\n";
  });
  text +=
      "      esac ;;\n"
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "  if [ -n \"$paths\" ] && [[ $current != -* ]]; then\n"
      "    compopt -o filenames 2>/dev/null\n"
      "    mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$current\")\n"
      "  fi\n"
      "}\n"
      "complete -F _vedette vedette\n";
  return text;
}

std::string ZshCompletion(const CommandText& program) {
  std::string text = "#compdef vedette\n" + std::string(kHead);
  ForEachCommand(program, [&](const CommandText& command) {
    text += ZshFunction(command.name) + "() {\n";
    if (!command.commands.empty()) text += "  local line state\n";
    text += "  _arguments -C";
    for (const OptionText& option : command.options) {
      for (const std::string& name : option.names) {
        std::string argument = (option.repeated ? "*" : "") + name + "[" + ZshText(option.description) + "]";
        if (!option.value.empty()) argument += ":" + ZshText(option.value) + ":" + ZshAction(option);
        text += " \\\n    " + Quoted(argument);
      }
    }
    if (command.commands.empty()) {
      for (const OptionText& positional : command.positionals)
        text += " \\\n    " + Quoted(std::string(positional.repeated ? "*" : "") + ":" + ZshText(positional.value) +
                                     ":" + ZshAction(positional));
      text += "\n}\n";
      return;
    }
    std::string cases;
    std::vector<std::string> words;
    for (const CommandText& sub : command.commands) {
      words.push_back(LastWord(sub.name));
      cases += "    " + words.back() + ") " + ZshFunction(sub.name) + " ;;\n";
    }
    text += " \\\n    " + Quoted("1:command:(" + Joined(words, " ") + ")") + " \\\n    '*::argument:->argument'\n";
    text += "  case $line[1] in\n" + cases + "  esac\n}\n";
  });
  // Called as a function of the completion system, or read by a user's own files.
  text += "if [ \"$funcstack[1]\" = _vedette ]; then _vedette \"$@\"; else compdef _vedette vedette; fi\n";
  return text;
}

std::string FishCompletion(const CommandText& program) {
  std::string text = kHead;
  text += "complete -c vedette -f\n";
  ForEachCommand(program, [&](const CommandText& command) {
    std::string condition;
    if (command.name == program.name) {
      condition = "__fish_use_subcommand";
    } else {
      std::string words = command.name.substr(program.name.size() + 1);
      constexpr std::string_view kAnd = "; and __fish_seen_subcommand_from ";
      for (size_t space = words.find(' '); space != words.npos; space = words.find(' ', space + kAnd.size()))
        words.replace(space, 1, kAnd);
      condition = "__fish_seen_subcommand_from " + words;
    }
    const std::string begin = "complete -c vedette -n " + Quoted(condition);
    for (const CommandText& sub : command.commands)
      text += begin + " -a " + LastWord(sub.name) + " -d " + Quoted(sub.description) + '\n';
    for (const OptionText& option : command.options) {
      text += begin;
      for (const std::string& name : option.names)
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (!option.value.empty()) text += TakesPath(option) ? " -r -F" : " -x";
      if (!option.choices.empty()) text += " -a " + Quoted(Joined(option.choices, " "));
      text += " -d " + Quoted(option.description) + '\n';
    }
    if (AnyPathPositional(command)) text += begin + " -F\n";
  });
  return text;
}

}  // namespace vedette
