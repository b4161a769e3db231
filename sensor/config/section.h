// A mapping of the configuration file, read strictly: what is wrong is collected, so that the user sees all of it at
// once, and what is right is used.
#pragma once

#include <yaml-cpp/yaml.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace vedette {

struct ConfigProblem {
  int line;  // 1-based; 0 where the file as a whole is meant
  std::string what;
};

// The file that is read: where it lies, and what is wrong with it.
class ConfigFile {
 public:
  static constexpr size_t kMaxProblems = 100;  // a file with more is another kind of file

  explicit ConfigFile(const std::string& path) : folder_(std::filesystem::path(path).parent_path()) {}

  // Relative paths are relative to the file's folder.
  std::string Resolve(const std::string& path) const {
    return std::filesystem::path(path).is_absolute() ? path : (folder_ / path).lexically_normal().string();
  }

  void Add(int line, std::string what) {
    if (problems_.size() < kMaxProblems) problems_.push_back({line, std::move(what)});
  }
  void Add(const YAML::Node& node, std::string what) { Add(LineOf(node), std::move(what)); }
  const std::vector<ConfigProblem>& problems() const { return problems_; }

  static int LineOf(const YAML::Node& node) { return node.Mark().line + 1; }

 private:
  std::filesystem::path folder_;
  std::vector<ConfigProblem> problems_;
};

// A value that is wrong or absent stays as it was. `file` outlives the section.
class Section {
 public:
  // Every key but those known is a problem that names the nearest of them. An empty section is one without keys.
  Section(const YAML::Node& node, std::string name, const std::vector<std::string>& keys, ConfigFile& file);

  YAML::Node Find(const std::string& key) const { return node_[key]; }
  int line() const { return line_; }
  ConfigFile& file() const { return file_; }
  void Fail(std::string what) const { file_.Add(line_, std::move(what)); }
  // About the value of a key that is there.
  void Fail(const std::string& key, std::string what) const { file_.Add(node_[key], std::move(what)); }

  void Read(const std::string& key, std::string& out, const char* expected) const;
  void Read(const std::string& key, bool& out) const;
  void ReadNumber(const std::string& key, uint64_t low, uint64_t high, uint64_t& out) const;
  void ReadNumber(const std::string& key, uint32_t low, uint32_t high, uint32_t& out) const;
  // `off` and 0 are 0.
  void ReadPercent(const std::string& key, double& out) const;
  // "90s", "5m", "24h", "7d" (sensor/config/duration.h); `off` and 0 are 0 where `may_be_off`.
  void ReadDuration(const std::string& key, std::chrono::seconds low, std::chrono::seconds high, bool may_be_off,
                    std::chrono::seconds& out) const;
  std::vector<std::string> ReadList(const std::string& key) const;
  // Gives each text of a list to `take`, whose answer is what is wrong with it; empty: nothing. `key` may be absent. Of
  // a list longer than `limit` none is taken.
  template <class Take>
  void ForEachText(const std::string& key, size_t limit, Take&& take) const {
    const YAML::Node list = node_[key];
    if (!list || list.IsNull()) return;
    if (!list.IsSequence()) return file_.Add(list, "`" + key + "` has to be a list");
    if (list.size() > limit) {
      return file_.Add(list, "`" + key + "` has " + std::to_string(list.size()) + " entries; at most " +
                                 std::to_string(limit) + " are taken");
    }
    for (const YAML::Node& entry : list) {
      if (!entry.IsScalar()) {
        file_.Add(entry, "`" + key + "` has to be a list of single values");
        continue;
      }
      const std::string problem = take(entry.Scalar());
      if (!problem.empty()) file_.Add(entry, "`" + entry.Scalar() + "` in `" + key + "` " + problem);
    }
  }

 private:
  std::string Where() const { return name_.empty() ? "the top level" : "`" + name_ + "`"; }

  YAML::Node node_;
  std::string name_;
  int line_;
  ConfigFile& file_;
};

}  // namespace vedette
