#include "sensor/config/sections.h"

namespace vedette {
namespace {

constexpr const char* kFileType = "a file's path, or - for standard output";

Keys<LiveOutput> OutputKeys() {
  using O = LiveOutput;
  return {
      DurationKey("sync", &O::sync, std::chrono::seconds(1), std::chrono::hours(1), true,
                  "longest time until an alert is safely on disk; off: left to the operating system"),
      NumberKey("rotate_mebibytes", &O::rotate_bytes, 0, 1'000'000,
                "from that size on it becomes FILE.1, that one FILE.2, …; 0: never", uint64_t{1} << 20),
      NumberKey("keep", &O::keep, 1, 1000, "number of rotated files to keep"),
  };
}

KeyText FileText() {
  return {
      "file", kFileType, TextForm(Config().output),
      "a file that `user` can write, in a folder that it can write; a start appends to it, and where it is renamed or "
      "removed a new one is made; `-`: standard output"};
}

// `output: FILE`, or a section with the file and how it is kept.
void ReadOutput(const Section& top, Config& config) {
  std::string file;
  const YAML::Node node = top.Find("output");
  if (!node || node.IsNull()) return;
  if (node.IsMap()) {
    const Keys<LiveOutput> keys = OutputKeys();
    std::vector<std::string> names = NamesOf(keys);
    names.insert(names.begin(), "file");
    const Section section(node, "output", names, top.file());
    section.Read("file", file, kFileType);
    ReadKeys(section, keys, config.output_file);
    if (!section.Find("file")) section.Fail("`output` needs a `file`: its path, or - for standard output");
  } else {
    top.Read("output", file, kFileType);
  }
  if (!file.empty()) config.output = file == "-" ? file : top.file().Resolve(file);
}

}  // namespace

Key<Config> OutputSection() {
  const Keys<LiveOutput> keys = OutputKeys();
  KeyText text = {"output", "a section, or a file's path", "",
                  "all alerts as JSON lines; `output: FILE` is short for its `file` alone"};
  text.in_use = true;
  text.keys = TextsOf(keys);
  text.keys.insert(text.keys.begin(), FileText());
  return {text, ReadOutput,
          [keys](const Config& before, const Config& now, const std::string& path, std::vector<std::string>& changed) {
            if (before.output != now.output) changed.push_back(path);
            CompareKeys(keys, before.output_file, now.output_file, path + ": ", changed);
          }};
}

}  // namespace vedette
