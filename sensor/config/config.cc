#include "sensor/config/config.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "sensor/config/sections.h"

namespace vedette {
namespace {

// Some countries' networks as prefixes; more is another kind of file.
constexpr size_t kMaxConfigBytes = size_t{4} << 20;

}  // namespace

bool LoadConfig(const std::string& path, Config& config, std::string& error) {
  std::error_code status;
  const auto size = std::filesystem::file_size(path, status);
  if (status) {
    error = path + ": cannot be read: " + status.message() + "; vedette.yaml(5) shows what it should hold";
    return false;
  }
  if (size > kMaxConfigBytes) {
    error = path + ": larger than 4 MiB, which no configuration is";
    return false;
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    error = path + ": cannot be read; check its permissions";
    return false;
  }
  ConfigFile yaml(path);
  try {
    const YAML::Node root = YAML::Load(text.str());
    if (!root.IsDefined() || root.IsNull()) {
      yaml.Add(0, "is empty; vedette.yaml(5) shows what it should hold");
    } else {
      config.path = path;
      ReadKeys(Section(root, "", NamesOf(ConfigKeys()), yaml), ConfigKeys(), config);
    }
  } catch (const YAML::Exception& problem) {
    yaml.Add(problem.mark.line + 1, "not YAML: " + problem.msg);
  }
  for (const ConfigProblem& problem : yaml.problems()) {
    if (!error.empty()) error += '\n';
    error += path + (problem.line > 0 ? ":" + std::to_string(problem.line) : "") + ": " + problem.what;
  }
  return yaml.problems().empty();
}

}  // namespace vedette
