// What the kernel says of network interfaces: that one changed, and how one is now.
//
// Needs no privilege, and works confined: a NETLINK_ROUTE socket for the changes (rtnetlink(7)), ioctl on another for
// questions (netdevice(7)). Both know the network namespace in which they were opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parsers/base/file.h"

namespace vedette {

// One interface at one moment.
struct Link {
  unsigned index = 0;  // the kernel's number; 0: there is no such interface
  std::string name;
  bool up = false;       // by the administrator: `ip link set up`
  bool carrier = false;  // up, and what it is connected to is up as well
};

// One thread.
class LinkWatch {
 public:
  // nullptr with an error.
  static std::unique_ptr<LinkWatch> Open(std::string& error);

  // Waits `limit_ms` at most for changes and returns them in their order; one that is gone has `up` false and `gone`.
  // `lost`: there were more than the kernel kept, so each interface has to be asked for.
  struct Change {
    Link link;
    bool gone = false;
  };
  std::vector<Change> Wait(int limit_ms, bool& lost);
  // Of one call; the rest is returned by the next.
  static constexpr size_t kMaxChanges = 256;

  // As it is now. `index` 0: there is none of that name, or of that number.
  Link Find(const std::string& name) const;
  Link Find(unsigned index) const;

 private:
  LinkWatch(FileDescriptor changes, FileDescriptor questions)
      : changes_(std::move(changes)), questions_(std::move(questions)) {}
  const FileDescriptor changes_;
  const FileDescriptor questions_;
};

// The interface to which a packet socket is bound now; 0: to none. -1: its interface was removed. Nothing (false): it
// is no packet socket.
bool BoundInterface(int descriptor, int& index);

// "any, eth0, eth1 (down)": for whoever named one that is not there. The first 32, which is enough to see a typing error;
// a host of containers has hundreds.
std::string ListInterfaces();

}  // namespace vedette
