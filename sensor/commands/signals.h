// SIGINT and SIGTERM as a flag that the workers see.
#pragma once

#include <atomic>
#include <thread>

namespace vedette {

// Blocks both signals in the calling thread, and so in those it starts later, and waits for them in one of its own:
// make it before any other thread. The first signal sets `stop`; a second one ends the process at once.
class SignalWatch {
 public:
  explicit SignalWatch(std::atomic<bool>& stop);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  int end_event_;
  std::thread thread_;
};

}  // namespace vedette
