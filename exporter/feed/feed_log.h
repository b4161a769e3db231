// What a feed says, each kind at a bounded rate: neither a stranger nor a partner fills the log or hides another.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/alert/message_limiter.h"

namespace vedette {

// Thread rule: that of the feed.
class FeedLog {
 public:
  using Clock = MessageLimiter::Clock;
  using Write = std::function<void(std::string_view sentence)>;
  // `info` may be empty: nothing is said. `warn`, for what somebody should look at, is `info` where it is empty.
  FeedLog(Write info, Write warn) : info_(std::move(info)), warn_(std::move(warn)) {
    if (!info_) info_ = [](std::string_view) {};
    if (!warn_) warn_ = info_;
  }

  // `kind`: what the message is about, the partner included where there is one.
  void Info(std::string_view kind, std::string_view sentence, Clock::time_point now = Clock::now()) {
    Limited(info_, kind, sentence, now);
  }
  void Warn(std::string_view kind, std::string_view sentence, Clock::time_point now = Clock::now()) {
    Limited(warn_, kind, sentence, now);
  }
  // Tells what was left out, once its minute has passed.
  void Tick(Clock::time_point now = Clock::now()) {
    std::vector<MessageLimiter::LeftOut> told;
    limiter_.TakeLeftOut(now, told);
    Tell(told);
  }

 private:
  void Limited(const Write& write, std::string_view kind, std::string_view sentence, Clock::time_point now) {
    std::vector<MessageLimiter::LeftOut> told;
    const bool admitted = limiter_.Admit(kind, sentence, now, told);
    Tell(told);
    if (admitted) write(sentence);
  }
  void Tell(const std::vector<MessageLimiter::LeftOut>& told) {
    for (const MessageLimiter::LeftOut& left_out : told) warn_("feed: " + MessageLimiter::TextOf(left_out));
  }

  Write info_, warn_;
  MessageLimiter limiter_;
};

}  // namespace vedette
