// A process beside the sensor, forked before it is confined, that does one thing which the sensor may not do.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vedette {

// The sensor's end of it. What the two say to each other are messages with ends (SOCK_SEQPACKET).
class HelperProcess {
 public:
  // Forks. To be called while the process has one thread. The child has the name `name` (15 bytes at most), its end of
  // the socket, standard input, output and error, and nothing else open; terminal signals pass it by. It calls `life`
  // with its end, and ends when that returns; `life` returns when the sensor's end is closed. nullptr with an error,
  // which speaks of `what` ("the alarm command").
  static std::unique_ptr<HelperProcess> Start(const char* name, std::string_view what,
                                              const std::function<void(int socket)>& life, std::string& error);
  // Tells it that nothing follows, and waits for its end, kGoodbye at most; then it goes on alone until what it had
  // accepted is done.
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  int socket() const { return socket_; }
  static constexpr std::chrono::milliseconds kGoodbye{1'000};

 private:
  HelperProcess(int socket, int child) : socket_(socket), child_(child) {}
  const int socket_;
  const int child_;  // process id
};

}  // namespace vedette
