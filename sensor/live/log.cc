#include "sensor/live/log.h"

#include <time.h>

#include <cstdio>
#include <string>

namespace vedette {

void Log::Write(Level level, std::string_view text) {
  const time_t now = time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char stamp[40];
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &parts);
  std::string line = stamp;
  line += level == Level::kInfo ? " info     " : level == Level::kWarning ? " warning  " : " error    ";
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  line += '\n';
  const std::lock_guard<std::mutex> lock(mutex_);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace vedette
