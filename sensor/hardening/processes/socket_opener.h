// Opens packet sockets of the sensor's interfaces for a sensor that can open none any more: for an interface that was
// not there at the start, or went away and is there again, under its name.
//
//   sensor ──(number, interface)──► helper      CAP_NET_RAW and no other right; no files, no other system calls
//          ◄──(number, errno, socket)──         opens those of its list and no others
//
// A socket is bound to its interface and receives nothing until the sensor gives it a ring, a filter, and a protocol
// (bind again), which need no rights.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sensor/hardening/processes/helper_process.h"

namespace vedette {

class SocketOpener {
 public:
  struct Options {
    std::vector<std::string> interfaces;
    std::string user;  // whom it becomes: DropPrivileges' (sensor/hardening/privileges.h)
    bool landlock = true, seccomp = true;
    bool required = false;  // a layer that the kernel does not have is an error
  };
  // Forks, while the process has one thread and still the right to capture. nullptr with an error where the helper
  // cannot be confined or lacks that right.
  static std::unique_ptr<SocketOpener> Start(const Options& options, std::string& error);

  // A packet socket of the interface with that place in the list, which is then the caller's; -1 with an error. Waits
  // for kPatienceMs at most. One thread at a time.
  int Open(uint32_t interface, std::string& error);
  static constexpr int kPatienceMs = 1'000;
  // Whether the helper has ended: nothing can be opened any more. Any thread; takes no answer away.
  bool ended() const;
  // More requests wait: each opened socket costs a beaten sensor as long.
  static constexpr int kBetweenMs = 10;

 private:
  SocketOpener(std::vector<std::string> interfaces, std::unique_ptr<HelperProcess> helper)
      : interfaces_(std::move(interfaces)), helper_(std::move(helper)) {}
  const std::vector<std::string> interfaces_;
  const std::unique_ptr<HelperProcess> helper_;
  uint32_t last_number_ = 0;
};

}  // namespace vedette
