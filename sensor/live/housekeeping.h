// What has to be done again and again while a sensor runs, by its own clock.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

namespace vedette {

// One thread. A task that is late is done once, not as often as it was missed.
class Housekeeping {
 public:
  using Clock = std::chrono::steady_clock;

  void Every(std::chrono::milliseconds interval, std::function<void()> task, Clock::time_point first = Clock::now()) {
    tasks_.push_back({interval, first, std::move(task)});
  }
  // Does what is due.
  void Tick(Clock::time_point now = Clock::now()) {
    for (Task& task : tasks_) {
      if (now < task.next) continue;
      task.next = now + task.interval;
      task.run();
    }
  }

 private:
  struct Task {
    std::chrono::milliseconds interval;
    Clock::time_point next;
    std::function<void()> run;
  };
  std::vector<Task> tasks_;
};

}  // namespace vedette
