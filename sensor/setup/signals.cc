#include "sensor/setup/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <utility>

namespace vedette {

SignalWatch::SignalWatch(std::atomic<bool>& stop, std::function<void()> on_hangup)
    : end_event_(eventfd(0, EFD_CLOEXEC)) {
  sigset_t ends, signals;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  signals = ends;
  if (on_hangup) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int signal_file = signalfd(-1, &signals, SFD_CLOEXEC);
  thread_ = std::thread([this, &stop, ends, signal_file, on_hangup = std::move(on_hangup)] {
    pollfd files[2] = {{signal_file, POLLIN, 0}, {end_event_, POLLIN, 0}};
    for (;;) {
      if (poll(files, 2, -1) < 0) continue;
      if ((files[0].revents & POLLIN) != 0) {
        signalfd_siginfo info;
        const bool known = read(signal_file, &info, sizeof info) > 0;
        if (known && info.ssi_signo == SIGHUP) {
          on_hangup();
          continue;
        }
        if (known) {
          stop.store(true);
          pthread_sigmask(SIG_UNBLOCK, &ends, nullptr);  // the next one has its usual effect
          if (at_once_.load()) raise(static_cast<int>(info.ssi_signo));
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
