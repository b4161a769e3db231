#include "sensor/config/section.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "sensor/config/duration.h"

namespace vedette {
namespace {

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

constexpr size_t kMaxKeyBytes = 64;  // of an unknown key that is compared and quoted

}  // namespace

Section::Section(const YAML::Node& node, std::string name, const std::vector<std::string>& keys, ConfigFile& file)
    : node_(node), name_(std::move(name)), line_(ConfigFile::LineOf(node)), file_(file) {
  if (!node.IsMap()) {
    if (!node.IsNull())
      file_.Add(node, (name_.empty() ? "the file" : Where()) + " has to be a mapping of keys to values");
    node_ = YAML::Node(YAML::NodeType::Map);
    return;
  }
  std::set<std::string> seen;
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      file_.Add(entry.first, "a key in " + Where() + " is no text");
      continue;
    }
    const std::string key = entry.first.Scalar().substr(0, kMaxKeyBytes);
    if (!seen.insert(key).second) file_.Add(entry.first, "`" + key + "` stands twice in " + Where());
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    const auto nearest = std::min_element(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
      return EditDistance(key, a) < EditDistance(key, b);
    });
    file_.Add(entry.first, "unknown key `" + key + "` in " + Where() + "; the nearest known key is `" + *nearest + "`");
  }
}

void Section::Read(const std::string& key, std::string& out, const char* expected) const {
  const YAML::Node node = node_[key];
  if (!node) return;
  if (node.IsScalar()) {
    out = node.Scalar();
  } else {
    file_.Add(node, "`" + key + "` has to be " + expected);
  }
}

void Section::Read(const std::string& key, bool& out) const {
  const YAML::Node node = node_[key];
  if (node && (!node.IsScalar() || !YAML::convert<bool>::decode(node, out)))
    file_.Add(node, "`" + key + "` has to be true or false");
}

void Section::ReadNumber(const std::string& key, uint64_t low, uint64_t high, uint64_t& out) const {
  const YAML::Node node = node_[key];
  if (!node) return;
  const std::string text = node.IsScalar() ? node.Scalar() : std::string();
  uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    file_.Add(node,
              "`" + key + "` has to be a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    return;
  }
  out = value;
}

void Section::ReadNumber(const std::string& key, uint32_t low, uint32_t high, uint32_t& out) const {
  uint64_t value = out;
  ReadNumber(key, uint64_t{low}, uint64_t{high}, value);
  out = static_cast<uint32_t>(value);
}

void Section::ReadPercent(const std::string& key, double& out) const {
  const YAML::Node node = node_[key];
  if (!node) return;
  const std::string text = node.IsScalar() ? node.Scalar() : std::string();
  if (text == "off") {
    out = 0;
    return;
  }
  double value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= 100)) {
    file_.Add(node, "`" + key + "` has to be a number of percent from 0 to 100, or off");
    return;
  }
  out = value;
}

void Section::ReadDuration(const std::string& key, std::chrono::seconds low, std::chrono::seconds high, bool may_be_off,
                           std::chrono::seconds& out) const {
  const YAML::Node node = node_[key];
  if (!node) return;
  const std::string text = node.IsScalar() ? node.Scalar() : std::string();
  if (may_be_off && (text == "off" || text == "0")) {
    out = std::chrono::seconds(0);
    return;
  }
  const std::optional<std::chrono::seconds> value = ParseDuration(text);
  if (!value || *value < low || *value > high) {
    file_.Add(node, "`" + key + "` has to be a time from " + DurationText(low) + " to " + DurationText(high) +
                        ", such as 90s, 5m, 24h or 7d" + (may_be_off ? ", or off" : ""));
    return;
  }
  out = *value;
}

std::vector<std::string> Section::ReadList(const std::string& key) const {
  std::vector<std::string> out;
  const YAML::Node node = node_[key];
  if (!node || node.IsNull()) return out;
  if (!node.IsSequence()) {
    file_.Add(node, "`" + key + "` has to be a list of texts");
    return out;
  }
  for (const YAML::Node& entry : node) {
    if (entry.IsScalar()) {
      out.push_back(entry.Scalar());
    } else {
      file_.Add(entry, "`" + key + "` has to be a list of texts");
    }
  }
  return out;
}

}  // namespace vedette
