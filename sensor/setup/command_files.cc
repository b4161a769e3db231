#include "sensor/setup/command_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "parsers/base/text.h"

namespace vedette {
namespace {

constexpr std::string_view kCaptures = "one of the captures";

// Without links, and without . and ..; of a file that is not there, its folder is asked.
std::string PlaceOf(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path place = std::filesystem::weakly_canonical(std::filesystem::absolute(path), failure);
  return failure ? path : place.string();
}

}  // namespace

CommandFiles::File CommandFiles::Look(const std::string& path, std::string_view role) {
  File file{.path = path, .role = std::string(role), .place = {}, .there = false, .status = {}};
  file.there = stat(path.c_str(), &file.status) == 0;
  if (!file.there) file.place = PlaceOf(path);
  return file;
}

bool CommandFiles::Same(const File& a, const File& b) {
  if (a.there != b.there) return false;
  if (!a.there) return a.place == b.place;
  return S_ISREG(a.status.st_mode) && a.status.st_dev == b.status.st_dev && a.status.st_ino == b.status.st_ino;
}

void CommandFiles::AddInput(const std::string& path, std::string_view role) {
  File file = Look(path, role);
  if (file.there && S_ISREG(file.status.st_mode)) inputs_.push_back(std::move(file));
}

void CommandFiles::AddInputs(const std::string& path, std::string_view role, std::string_view extension) {
  std::error_code failure;
  if (!std::filesystem::is_directory(path, failure)) return AddInput(path, role);
  for (std::filesystem::directory_iterator at(path, failure), end; !failure && at != end; at.increment(failure)) {
    if (extension.empty() || at->path().extension() == extension) AddInput(at->path().string(), role);
  }
}

void CommandFiles::AddCaptures(const CaptureList& captures) {
  captures_ = &captures;
  if (captures.follows()) return;  // may grow meanwhile
  for (const CaptureList::File& file : captures.files()) {
    File input{.path = file.name, .role = std::string(kCaptures), .place = {}, .there = true, .status = {}};
    if (file.name == "-" && fstat(STDIN_FILENO, &input.status) == 0) inputs_.push_back(std::move(input));
  }
}

void CommandFiles::AddOutput(std::string_view option, const std::string& path) {
  if (path.empty()) return;
  if (path != "-") {
    outputs_.push_back(Look(path, option));
    return;
  }
  File output{.path = path, .role = std::string(option), .place = {}, .there = true, .status = {}};
  if (fstat(STDOUT_FILENO, &output.status) == 0) outputs_.push_back(std::move(output));
}

void CommandFiles::AddCarveFolder(const std::string& folder, std::string_view index) {
  if (folder.empty()) return;
  const std::string path = fmt::format("{}/{}", folder, index);
  carve_folder_ = std::filesystem::path(PlaceOf(path)).parent_path().string();
  AddOutput("--carve", path);
}

bool CommandFiles::Check(std::string& error) const {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const File& output = outputs_[i];
    const auto refuse = [&](std::string_view role) {
      error = fmt::format("{}: is {}; {} would destroy it", Escaped(output.path), role, output.role);
      return false;
    };
    if (output.there && S_ISREG(output.status.st_mode) && captures_ != nullptr && captures_->Holds(output.status))
      return refuse(kCaptures);
    for (const File& input : inputs_) {
      if (Same(input, output)) return refuse(input.role);
    }
    for (size_t j = 0; j < i; ++j) {
      if (!Same(outputs_[j], output)) continue;
      error = fmt::format("{}: both {} and {} would be written to it; name a file for each", Escaped(output.path),
                          outputs_[j].role, output.role);
      return false;
    }
    const std::filesystem::path place = PlaceOf(output.path);
    if (!carve_folder_.empty() && output.path != "-" && place.extension() == ".pcap" &&
        place.parent_path() == carve_folder_) {
      error = fmt::format("{}: {} names a capture in the folder of --carve; give it another name", Escaped(output.path),
                          output.role);
      return false;
    }
  }
  return true;
}

}  // namespace vedette
