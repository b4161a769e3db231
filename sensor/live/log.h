// What a running sensor says: one line an event on standard error, for systemd's journal or a file.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

namespace vedette {

// "2026-11-25T16:00:00Z warning  reload: …". Any thread.
class Log {
 public:
  enum class Level : uint8_t { kInfo, kWarning, kError };

  void Info(std::string_view text) { Write(Level::kInfo, text); }
  void Warn(std::string_view text) { Write(Level::kWarning, text); }
  void Error(std::string_view text) { Write(Level::kError, text); }
  // Control bytes of `text` are written as spaces: it may hold what a partner or a packet chose.
  void Write(Level level, std::string_view text);

 private:
  std::mutex mutex_;
};

}  // namespace vedette
