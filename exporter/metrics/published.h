// A value that one thread publishes and others read.
#pragma once

#include <mutex>
#include <utility>

namespace vedette {

template <class T>
class Published {
 public:
  // The writer, which never waits: false where somebody reads just now; it publishes again later.
  bool TryPublish(T value) {
    const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    value_ = std::move(value);
    return true;
  }
  // A writer that may wait for a copy's time.
  void Publish(T value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    value_ = std::move(value);
  }
  T Read() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace vedette
