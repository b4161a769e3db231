// SIGINT and SIGTERM as a flag that the workers see; SIGHUP as a call.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace vedette {

// Blocks both signals in the calling thread, and so in those it starts later, and waits for them in one of its own:
// make it before any other thread. The first signal sets `stop`; a second one ends the process at once. Where
// `on_hangup` is given, SIGHUP is blocked as well, and calls it in the watch's thread; else it ends the process, as
// usual.
class SignalWatch {
 public:
  explicit SignalWatch(std::atomic<bool>& stop, std::function<void()> on_hangup = {});
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // While it is set, the first signal ends the process at once, too: nothing is under way that has to be ended in
  // order.
  void set_at_once(bool at_once) { at_once_.store(at_once); }

 private:
  std::atomic<bool> at_once_{false};
  int end_event_;
  std::thread thread_;
};

}  // namespace vedette
