#include "sensor/live/newest_file.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "signatures/readers/folder.h"

namespace vedette {

int64_t NewestFile(const std::vector<std::string>& paths) {
  int64_t newest = 0;
  const auto look = [&](const std::filesystem::path& path) {
    std::error_code status;
    const auto time = std::filesystem::last_write_time(path, status);
    if (status) return;
    const auto system = std::chrono::file_clock::to_sys(time).time_since_epoch();
    newest = std::max<int64_t>(newest, std::chrono::duration_cast<std::chrono::seconds>(system).count());
  };
  for (const std::string& path : paths) {
    std::string ignored;
    for (const std::string& file : IndicatorFiles(path, ignored)) look(file);
  }
  return newest;
}

}  // namespace vedette
