#include "sensor/config/example.h"

#include <algorithm>
#include <string_view>

#include "sensor/config/sections.h"

namespace vedette {
namespace {

constexpr size_t kHelpColumn = 32;
constexpr size_t kWidth = 120;

constexpr std::string_view kHead =
    "# Every key a Vedette sensor knows. A line that begins with `# ` and a key shows the default, which holds when "
    "the "
    "key is\n# omitted. Relative paths are relative to this file. vedette.yaml(5) says what values are allowed.\n";

// Words of `help` from `at` on that fit between the help's column and the width. `at` moves behind them.
std::string_view NextLine(std::string_view help, size_t room, size_t& at) {
  const size_t begin = at;
  size_t end = help.size();
  if (end - begin > room) {
    end = help.rfind(' ', begin + room);
    // One word that is longer has a line of its own.
    if (end == std::string_view::npos || end <= begin) end = help.find(' ', begin);
    if (end == std::string_view::npos) end = help.size();
  }
  at = std::min(end + 1, help.size());
  return help.substr(begin, end - begin);
}

void AppendLine(std::string text, std::string_view help, std::string& out) {
  if (!help.empty()) {
    text.resize(std::max(text.size() + 2, kHelpColumn), ' ');
    const size_t column = text.size();
    size_t at = 0;
    text += "# ";
    text += NextLine(help, kWidth - std::min(kWidth, column + 2), at);
    while (at < help.size()) {
      text += '\n' + std::string(kHelpColumn, ' ') + "# ";
      text += NextLine(help, kWidth - kHelpColumn - 2, at);
    }
  }
  out += text + '\n';
}

std::string ValueOf(const KeyText& key) {
  const std::string& value = key.example.empty() ? key.standard : key.example;
  return value.empty() ? "" : " " + value;
}

void AppendKey(const KeyText& key, const std::string& indent, std::string& out);

// An entry of a list, commented out. A key without a value that could be shown is left to the manual.
void AppendEntry(const std::vector<KeyText>& keys, const std::string& indent, std::string& out) {
  std::string mark = "- ";
  for (const KeyText& key : keys) {
    if (ValueOf(key) == " \"\"") continue;
    AppendLine(indent + "# " + mark + key.name + ':' + ValueOf(key), key.help, out);
    mark = "  ";
    for (const KeyText& inner : key.keys) {
      AppendLine(indent + "#     " + inner.name + ':' + ValueOf(inner), inner.help, out);
    }
  }
}

void AppendKey(const KeyText& key, const std::string& indent, std::string& out) {
  AppendLine(indent + (key.in_use ? "" : "# ") + key.name + ':' + ValueOf(key), key.help, out);
  if (key.is_list) return AppendEntry(key.keys, indent, out);
  for (const KeyText& inner : key.keys) AppendKey(inner, indent + "  ", out);
}

}  // namespace

std::vector<KeyText> DescribeConfig() { return TextsOf(ConfigKeys()); }

std::string ExampleConfig() {
  std::string out(kHead);
  for (const KeyText& key : DescribeConfig()) {
    out += '\n';
    AppendKey(key, "", out);
  }
  return out;
}

}  // namespace vedette
