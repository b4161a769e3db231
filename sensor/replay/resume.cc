#include "sensor/replay/resume.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "parsers/base/digest.h"
#include "parsers/base/errno_text.h"
#include "parsers/base/file.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 2;
// So many captures are in the state by name, so that a refusal can name the one that differs; the digest is of all.
constexpr size_t kNamedCaptures = 1000;
// The largest state there can be: names of 4 KB each.
constexpr size_t kMaxStateBytes = size_t{8} << 20;

std::string DigestOf(const std::vector<std::string>& lines) {
  Digester digester(DigestAlgorithm::kSha256);
  for (const std::string& line : lines) {
    digester.Update(AsBytes(line));
    digester.Update(AsBytes(std::string_view("\n")));
  }
  return digester.Finish().Hex();
}

// A name may hold any bytes but 0; JSON holds text.
Json Text(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte >= 0x20 && byte < 0x7f && c != '\\' ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return out;
}

std::string Described(const struct stat& status) {
  return fmt::format("{} bytes, changed {}.{:09}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

// Says in which way the state is of another run; empty: it is of this one.
std::string Difference(const Json& state, const RunIdentity& identity) {
  const Json& options = state.at("run");
  for (const auto& [name, value] : identity.parts) {
    const std::string before = options.value(name, std::string());
    const std::string now = Text(value);
    if (before != now) return fmt::format("{} was \"{}\" and is \"{}\"", name, before, now);
  }
  const Json& captures = state.at("captures");
  for (size_t i = 0; i < std::min(captures.size(), identity.captures.size()); ++i) {
    const std::string before = captures.at(i).get<std::string>();
    const std::string now = Text(identity.captures[i]);
    if (before != now) return fmt::format("the capture \"{}\" is now \"{}\"", before, now);
  }
  const auto count = state.at("num_captures").get<uint64_t>();
  if (count != identity.captures.size())
    return fmt::format("there were {} captures and now there are {}", count, identity.captures.size());
  if (state.at("captures_sha256").get<std::string>() != DigestOf(identity.captures))
    return "the captures are different ones, or have changed";
  return {};
}

}  // namespace

bool IdentifyCaptures(const CaptureList& list, RunIdentity& identity, std::string& error) {
  for (const CaptureList::File& file : list.files()) {
    if (file.name == "-") {
      error = "--resume reads the captures again, which standard input does not allow; save it to a file first";
      return false;
    }
    struct stat status {};
    const bool there = stat(file.path.c_str(), &status) == 0;
    identity.captures.push_back(file.name + ", " + (there ? Described(status) : ErrnoText()));
  }
  return true;
}

std::string IdentifyFile(const std::string& path) {
  struct stat status {};
  return path + ", " + (stat(path.c_str(), &status) == 0 ? Described(status) : ErrnoText());
}

bool ResumeState::Load(const RunIdentity& identity, std::string& error) {
  identity_ = identity;
  struct stat status {};
  if (stat(path_.c_str(), &status) != 0 && errno == ENOENT) return true;
  std::ifstream file(path_, std::ios::binary);
  std::stringstream text;
  if (status.st_size >= 0 && static_cast<uint64_t>(status.st_size) <= kMaxStateBytes) text << file.rdbuf();
  const Json state = Json::parse(text.str(), nullptr, false);
  try {
    if (!file || state.is_discarded() || state.at("vedette_resume").get<int>() != kFormat) {
      error = path_ + ": not a state that this program wrote; name another file, or remove it to start over";
      return false;
    }
    const std::string difference = Difference(state, identity);
    if (!difference.empty()) {
      error =
          fmt::format("{}: the state of another run: {}; give the same command, or name another state to start over",
                      path_, difference);
      return false;
    }
    mark_ = {state.at("output").at("bytes").get<uint64_t>(), state.at("output").at("sha256").get<std::string>()};
    complete_ = state.at("state").get<std::string>() == "complete";
    matched_ = state.at("matched").get<bool>();
    exit_status_ = state.at("exit_status").get<int>();
  } catch (const Json::exception& failure) {
    error = fmt::format("{}: damaged ({}); remove it to start over", path_, failure.what());
    return false;
  }
  return true;
}

bool ResumeState::Save(const OutputMark& mark, std::string& error) {
  mark_ = mark;
  return Write(error);
}

bool ResumeState::SaveComplete(const OutputMark& mark, bool matched, int exit_status, std::string& error) {
  complete_ = true;
  matched_ = matched;
  exit_status_ = exit_status;
  return Save(mark, error);
}

bool ResumeState::Write(std::string& error) {
  Json state;
  state["vedette_resume"] = kFormat;
  state["state"] = complete_ ? "complete" : "running";
  state["matched"] = matched_;
  state["exit_status"] = exit_status_;
  for (const auto& [name, value] : identity_.parts) state["run"][name] = Text(value);
  state["num_captures"] = identity_.captures.size();
  state["captures_sha256"] = DigestOf(identity_.captures);
  state["captures"] = Json::array();
  for (size_t i = 0; i < std::min(identity_.captures.size(), kNamedCaptures); ++i)
    state["captures"].push_back(Text(identity_.captures[i]));
  state["output"] = {{"bytes", mark_.bytes}, {"sha256", mark_.sha256}};
  const std::string text = state.dump(1) + "\n";

  if (!ReplaceFile(path_, text, {.suffix = kNewSuffix})) {
    error = fmt::format("{}: the state cannot be written: {}; name a file in a folder that is yours and has room",
                        path_, ErrnoText());
    return false;
  }
  // What is renamed is there; on disk it comes in its own time where the folder cannot be synced.
  static_cast<void>(SyncFolderOf(path_));
  return true;
}

void CheckpointSink::Idle() {
  if (!error_.empty() || stop_.load()) return;
  OutputMark mark = before_stop_;
  if (output_.Written(mark) && !stop_.load()) before_stop_ = mark;
  if (Clock::now() < next_) return;
  next_ = Clock::now() + interval_;
  // Asked again after the mark was taken: until here, no worker has ended before its time.
  if (!output_.Sync(mark) || stop_.load()) return;
  state_.Save(mark, error_);
}

bool CheckpointSink::Close() {
  // Closing the output has brought all of it to disk.
  if (stop_.load() && error_.empty() && output_.error().empty() && before_stop_.bytes > state_.mark().bytes)
    state_.Save(before_stop_, error_);
  return error_.empty();
}

}  // namespace vedette
