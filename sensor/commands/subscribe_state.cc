#include "sensor/commands/subscribe_state.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "exporter/feed/wire_format.h"
#include "parsers/base/errno_text.h"
#include "sensor/replay/summary_json.h"
#include "sensor/setup/complain.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr std::streamsize kMaxStateBytes = 4096;  // one is below 400
constexpr auto kSaveEvery = std::chrono::seconds(1);

// Alerts among the lines from `offset` on: a line that was cut short, and one that somebody else wrote, is none. A last
// line without its end is one where only the end is missing.
uint64_t CountAlerts(std::ifstream& file, uint64_t offset) {
  uint64_t count = 0;
  file.clear();
  file.seekg(static_cast<std::streamoff>(offset));
  std::string line;
  // A file that others write to may hold anything: what is longer than an alert is none, and is not kept in memory.
  for (int c = file.get(); c != std::ifstream::traits_type::eof(); c = file.get()) {
    if (c != '\n') {
      if (line.size() <= kMaxBodyBytes) line += static_cast<char>(c);
      continue;
    }
    count += Json::accept(line) ? 1 : 0;
    line.clear();
  }
  return count + (!line.empty() && Json::accept(line) ? 1 : 0);
}

bool EndsALine(std::ifstream& file, uint64_t bytes) {
  if (bytes == 0) return true;
  file.seekg(static_cast<std::streamoff>(bytes - 1));
  return file.get() == '\n';
}

}  // namespace

SubscribeState::SubscribeState(std::string file, std::string view, std::string server_key)
    : file_(std::move(file)), path_(file_ + kSuffix), view_(std::move(view)), server_key_(std::move(server_key)) {}

std::string SubscribeState::Load() {
  struct stat about {};
  if (stat(path_.c_str(), &about) != 0 && errno == ENOENT) {
    if (stat(file_.c_str(), &about) != 0 || about.st_size == 0) return {};
    return fmt::format("{} already holds lines, but there is no {} that records the last alert; from now on there is",
                       file_, path_);
  }
  unknown_ = true;
  constexpr const char* kUnknown = "whether alerts are missing since the last run is not known";
  std::string text(static_cast<size_t>(kMaxStateBytes), '\0');
  std::ifstream file(path_, std::ios::binary);
  file.read(text.data(), kMaxStateBytes);
  text.resize(static_cast<size_t>(file.gcount()));
  const Json state = Json::parse(text, nullptr, false);
  try {
    if (state.is_discarded() || state.at("vedette_subscribe").get<int>() != kFormat)
      return fmt::format("{} is not a state that this program wrote, or cannot be read; {}", path_, kUnknown);
    const auto view = state.at("view").get<std::string>(), key = state.at("server_key").get<std::string>();
    if (view != view_ || key != server_key_) {
      return fmt::format("{} belongs to {}: its numbers do not apply here, and {}. Give each feed its own file", path_,
                         view != view_
                             ? fmt::format("view `{}`, but this is `{}`", view, view_)
                             : fmt::format("the sensor with the key {}, but this one has {}", key, server_key_),
                         kUnknown);
    }
    const Json& of_file = state.at("file");
    device_ = of_file.at("device").get<dev_t>();
    inode_ = of_file.at("inode").get<ino_t>();
    bytes_ = of_file.at("bytes").get<uint64_t>();
    closed_ = state.at("closed").get<bool>();
    position_ = {state.at("epoch").get<uint64_t>(), state.at("last").get<uint64_t>(), state.at("ended").get<bool>()};
  } catch (const Json::exception& failure) {
    position_ = {};
    return fmt::format("{} is damaged ({}); {}", path_, failure.what(), kUnknown);
  }
  if (position_.epoch == 0 || position_.last >= kMaxNumber) {
    position_ = {};
    return fmt::format("{} is damaged (numbers that no feed has); {}", path_, kUnknown);
  }
  unknown_ = false;
  return Judge();
}

std::string SubscribeState::Judge() {
  struct stat about {};
  const bool there = stat(file_.c_str(), &about) == 0;
  std::ifstream file(file_, std::ios::binary);
  std::string changed;
  if (!there) {
    changed = "is gone";
  } else if (about.st_dev != device_ || about.st_ino != inode_) {
    changed = "is another file";
  } else if (static_cast<uint64_t>(about.st_size) < bytes_ || !EndsALine(file, bytes_)) {
    changed = "was truncated or rewritten";
  } else if (const uint64_t more = CountAlerts(file, bytes_); more != 0) {
    position_.last += more;
    position_.ended = false;
  }
  std::string text = fmt::format("continuing after alert {} of epoch {}", position_.last, position_.epoch);
  if (changed.empty()) return fmt::format("{}: {}", file_, text);
  text = fmt::format("{} {} since the last run, according to {}; {}", file_, changed, path_, text);
  if (!closed_) {
    text += fmt::format(
        ". That run was killed: the last alerts that it wrote may be reported as missing, but are in the old file");
  }
  return text;
}

void SubscribeState::Begin(int descriptor) {
  descriptor_ = descriptor;
  if (position_.epoch != 0) Save(false);
}

void SubscribeState::Update(const FeedPosition& position, bool jump) {
  position_ = position;
  if (jump || position.ended || std::chrono::steady_clock::now() - saved_ >= kSaveEvery) Save(false);
}

bool SubscribeState::Close(std::string& error) {
  if (descriptor_ >= 0 && position_.epoch != 0) Save(true);
  error = error_;
  return error.empty();
}

void SubscribeState::Save(bool closed) {
  saved_ = std::chrono::steady_clock::now();
  struct stat about {};
  fstat(descriptor_, &about);
  const Json state = {{"vedette_subscribe", kFormat},
                      {"view", view_},
                      {"server_key", server_key_},
                      {"epoch", position_.epoch},
                      {"last", position_.last},
                      {"ended", position_.ended},
                      {"closed", closed},
                      {"file", {{"device", about.st_dev}, {"inode", about.st_ino}, {"bytes", about.st_size}}}};
  std::string error;
  // The lines first: a state that tells of lines that a crash of the machine took would hide that they are missing.
  bool written = fdatasync(descriptor_) == 0 || errno == EINVAL;
  if (written) {
    written = WriteWholeFile(path_, state.dump() + '\n', error, Durability::kAtOnce);
  } else {
    error = fmt::format("{}: cannot be synced to disk: {}", file_, ErrnoText());
  }
  if (!written && error_.empty()) Warn(error + "; without it, the next start cannot report what is missing");
  error_ = written ? std::string() : error;
}

}  // namespace vedette
