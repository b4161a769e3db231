// What a command reads and what it writes: none of the outputs may destroy an input, or another output.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "sensor/capture/files/capture_list.h"

namespace vedette {

// Used before anything is written. Files are told apart by device and inode, and those that do not exist yet by their
// path; pipes and devices may be named any number of times.
class CommandFiles {
 public:
  // `role`: what the file is, as in "is one of the captures". A missing or non-regular file is ignored.
  void AddInput(const std::string& path, std::string_view role);
  // A file, or the files directly in a folder. `extension`: only those; empty: all.
  void AddInputs(const std::string& path, std::string_view role, std::string_view extension = {});
  // Also standard input, if it is one of them and nothing is followed. Outlives this.
  void AddCaptures(const CaptureList& captures);
  // `option`: "--out"; "-" is standard output. An empty path is ignored.
  void AddOutput(std::string_view option, const std::string& path);
  // Captures are written there, and an index of that name. An empty path is none.
  void AddCarveFolder(const std::string& folder, std::string_view index);

  // False, with `error` for the user, if two are the same file.
  [[nodiscard]] bool Check(std::string& error) const;

 private:
  struct File {
    std::string path;  // as given
    std::string role;  // of an output: its option
    std::string place;
    bool there = false;
    struct stat status {};
  };
  static File Look(const std::string& path, std::string_view role);
  static bool Same(const File& a, const File& b);

  const CaptureList* captures_ = nullptr;
  std::vector<File> inputs_, outputs_;
  std::string carve_folder_;
};

}  // namespace vedette
