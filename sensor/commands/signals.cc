#include "sensor/commands/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

namespace vedette {

SignalWatch::SignalWatch(std::atomic<bool>& stop) : end_event_(eventfd(0, EFD_CLOEXEC)) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int signal_file = signalfd(-1, &signals, SFD_CLOEXEC);
  thread_ = std::thread([this, &stop, signals, signal_file] {
    pollfd files[2] = {{signal_file, POLLIN, 0}, {end_event_, POLLIN, 0}};
    for (;;) {
      if (poll(files, 2, -1) < 0) continue;
      if ((files[0].revents & POLLIN) != 0) {
        signalfd_siginfo info;
        if (read(signal_file, &info, sizeof info) > 0) {
          stop.store(true);
          pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);  // the next one has its usual effect
        }
        files[0].fd = -1;
      }
      if ((files[1].revents & POLLIN) != 0) break;
    }
    close(signal_file);
  });
}

SignalWatch::~SignalWatch() {
  const uint64_t one = 1;
  if (write(end_event_, &one, sizeof one) < 0) {
    // Cannot happen for a fresh eventfd; the thread would wait on, and so would join.
  }
  thread_.join();
  close(end_event_);
}

}  // namespace vedette
