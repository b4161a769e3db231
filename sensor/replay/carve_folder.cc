#include "sensor/replay/carve_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace vedette {
namespace {

std::string ErrnoText(int number) { return std::generic_category().message(number); }

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

bool PrepareCarveFolder(const std::string& folder, bool force, const CaptureList& captures, std::string& error) {
  if (mkdir(folder.c_str(), 0750) == 0) return true;
  if (errno != EEXIST) {
    error = fmt::format("--carve {}: cannot be created: {}; name a folder inside one that exists and is yours", folder,
                        ErrnoText(errno));
    return false;
  }
  struct stat status {};
  if (stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    error = fmt::format("--carve {}: is not a folder; name one", folder);
    return false;
  }
  std::error_code failure;
  const bool empty = std::filesystem::is_empty(folder, failure);
  if (failure || access(folder.c_str(), W_OK | X_OK) != 0) {
    error = fmt::format("--carve {}: cannot be written: {}; name a folder that is yours", folder,
                        failure ? failure.message() : ErrnoText(errno));
    return false;
  }
  std::string parent;
  for (const CaptureList::File& file : captures.files()) {
    if (file.path.empty() || FolderOf(file.path) == parent) continue;
    parent = FolderOf(file.path);
    struct stat other {};
    if (stat(parent.c_str(), &other) != 0 || other.st_dev != status.st_dev || other.st_ino != status.st_ino) continue;
    error = fmt::format("--carve {}: holds {}, which is read; name a folder outside the captures", folder, file.name);
    return false;
  }
  if (empty) return true;
  if (!force) {
    error = fmt::format(
        "--carve {}: is not empty; name another folder, or add --force to write into it (files of the same name are "
        "replaced, others stay)",
        folder);
    return false;
  }
  unlink((folder + '/' + kCarveIndex).c_str());
  return true;
}

}  // namespace vedette
