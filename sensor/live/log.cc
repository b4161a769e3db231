#include "sensor/live/log.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdio>

#include "parsers/base/time_text.h"
#include "sensor/live/service/journal.h"

namespace vedette {

Log::Log() : journal_(StandardErrorIsJournal()) {}

Log::~Log() {
  std::vector<MessageLimiter::LeftOut> told;
  limiter_.TakeLeftOut({}, told, true);
  Tell(told);
}

void Log::Limited(Level level, std::string_view text, std::string_view kind, const char* file, int line) {
  const std::string place = kind.empty() ? fmt::format("{}:{}", file, line) : std::string(kind);
  std::vector<MessageLimiter::LeftOut> told;
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool admitted = limiter_.Admit(place, text, MessageLimiter::Clock::now(), told);
  Tell(told);
  if (admitted) WriteLine(level, text);
}

void Log::Write(Level level, std::string_view text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  WriteLine(level, text);
}

void Log::Tick(MessageLimiter::Clock::time_point now) {
  std::vector<MessageLimiter::LeftOut> told;
  const std::lock_guard<std::mutex> lock(mutex_);
  limiter_.TakeLeftOut(now, told);
  Tell(told);
}

void Log::Tell(const std::vector<MessageLimiter::LeftOut>& told) {
  for (const MessageLimiter::LeftOut& left_out : told) WriteLine(Level::kWarning, MessageLimiter::TextOf(left_out));
}

void Log::WriteLine(Level level, std::string_view text) {
  std::string line;
  if (journal_) {
    line = level == Level::kInfo ? kJournalInfo : level == Level::kWarning ? kJournalWarning : kJournalError;
  } else {
    line = Rfc3339(int64_t{time(nullptr)} * 1'000'000'000);
    line += level == Level::kInfo ? " info     " : level == Level::kWarning ? " warning  " : " error    ";
  }
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

std::string Log::WithoutNumbers(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c >= '0' && c <= '9'; });
  return out;
}

}  // namespace vedette
