// One thread for each piece of work, and the caller's beside them, which shows how far they are.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vedette {

inline constexpr auto kProgressInterval = std::chrono::milliseconds(250);

// Calls `work(i)` for each i below `count`, each in a thread of its own, and `tick` every kProgressInterval in the
// caller's; returns once all have returned: after how many seconds.
inline double RunThreads(size_t count, const std::function<void(size_t)>& work, const std::function<void()>& tick) {
  const auto begin = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable all_done;
  size_t running = count;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      work(i);
      const std::lock_guard<std::mutex> lock(mutex);
      --running;
      all_done.notify_one();
    });
  }
  {
    std::unique_lock<std::mutex> lock(mutex);
    while (!all_done.wait_for(lock, kProgressInterval, [&] { return running == 0; })) tick();
  }
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace vedette
