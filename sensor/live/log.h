// What a running sensor says: one line an event on standard error, for systemd's journal or a file.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/message_limiter.h"

namespace vedette {

// "2026-11-25T16:00:00Z warning  reload: …". Where the lines go to systemd's journal, which has its own times and
// priorities: "<4>reload: …". Any thread.
//
// Of each kind of message at most 30 are written within a minute, and then how many more there were: so a flood of one
// hides no other. A kind is the place in the program that says it, unless `kind` names another: one place may say what
// has several causes.
class Log {
 public:
  enum class Level : uint8_t { kInfo, kWarning, kError };

  Log();
  ~Log();  // tells what was left out
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void Info(std::string_view text, std::string_view kind = {}, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) {
    Limited(Level::kInfo, text, kind, file, line);
  }
  void Warn(std::string_view text, std::string_view kind = {}, const char* file = __builtin_FILE(),
            int line = __builtin_LINE()) {
    Limited(Level::kWarning, text, kind, file, line);
  }
  void Error(std::string_view text, std::string_view kind = {}, const char* file = __builtin_FILE(),
             int line = __builtin_LINE()) {
    Limited(Level::kError, text, kind, file, line);
  }
  // Without a limit, for whoever has one of its own. Control bytes of `text` are written as spaces: it may hold what a
  // partner or a packet chose.
  void Write(Level level, std::string_view text);
  // Once a second or so: tells what was left out, once its minute is over.
  void Tick(MessageLimiter::Clock::time_point now = MessageLimiter::Clock::now());

  // A kind for texts that differ in their numbers only.
  static std::string WithoutNumbers(std::string_view text);

 private:
  void Limited(Level level, std::string_view text, std::string_view kind, const char* file, int line);
  void WriteLine(Level level, std::string_view text);
  void Tell(const std::vector<MessageLimiter::LeftOut>& told);

  const bool journal_;
  std::mutex mutex_;  // of what follows, and of standard error
  MessageLimiter limiter_;
};

}  // namespace vedette
