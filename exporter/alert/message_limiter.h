// So many messages of a kind a minute, then how many more there were: a flood of one kind hides no other.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette {

// One thread.
class MessageLimiter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr uint64_t kPerMinute = 30;
  // Kinds come from the program and its configuration, not from what a stranger sends; beyond so many they are one.
  static constexpr size_t kMaxKinds = 1024;

  struct LeftOut {
    std::string kind;
    uint64_t count = 0;
    std::string last;  // of those that were left out
  };

  // Whether the message is to be written. Once the minute of its kind has passed, what was left out in it is appended to
  // `told` and goes before.
  bool Admit(std::string_view kind, std::string_view text, Clock::time_point now, std::vector<LeftOut>& told) {
    const auto known = kinds_.find(std::string(kind));
    State& state = known != kinds_.end() ? known->second
                                         : kinds_[kinds_.size() < kMaxKinds ? std::string(kind) : std::string("other")];
    if (now - state.begin >= std::chrono::minutes(1)) {
      End(kind, state, told);
      state.begin = now;
      state.written = 0;
    }
    if (state.written < kPerMinute) {
      ++state.written;
      return true;
    }
    ++state.left_out;
    state.last = text;
    return false;
  }
  // What was left out in minutes that are over by now, to be called once a second or so; `all`: in those that are not,
  // too.
  void TakeLeftOut(Clock::time_point now, std::vector<LeftOut>& told, bool all = false) {
    if (!all && now - looked_ < std::chrono::seconds(1)) return;
    looked_ = now;
    for (auto& [kind, state] : kinds_) {
      if (all || now - state.begin >= std::chrono::minutes(1)) End(kind, state, told);
    }
  }
  // "412 more of this kind within a minute; the last: TEXT"
  static std::string TextOf(const LeftOut& left_out) {
    return std::to_string(left_out.count) + " more of this kind within a minute; the last: " + left_out.last;
  }

 private:
  struct State {
    Clock::time_point begin{};  // of its minute
    uint64_t written = 0, left_out = 0;
    std::string last;
  };
  static void End(std::string_view kind, State& state, std::vector<LeftOut>& told) {
    if (state.left_out == 0) return;
    told.push_back({std::string(kind), state.left_out, std::move(state.last)});
    state.left_out = 0;
    state.last.clear();
  }

  std::unordered_map<std::string, State> kinds_;
  Clock::time_point looked_{};
};

}  // namespace vedette
