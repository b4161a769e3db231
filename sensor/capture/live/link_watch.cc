#include "sensor/capture/live/link_watch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

// A message about a link takes some 1.5 KB, with many virtual functions more; what does not fit is asked for.
constexpr size_t kBufferBytes = size_t{64} << 10;

std::string NameIn(const ifinfomsg* info, size_t size) {
  for (const rtattr* attribute = IFLA_RTA(info); RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size)) {
    if (attribute->rta_type != IFLA_IFNAME) continue;
    const char* const name = static_cast<const char*>(RTA_DATA(attribute));
    return {name, strnlen(name, RTA_PAYLOAD(attribute))};
  }
  return {};
}

void AddChange(const nlmsghdr& header, std::vector<LinkWatch::Change>& changes) {
  if (header.nlmsg_type != RTM_NEWLINK && header.nlmsg_type != RTM_DELLINK) return;
  if (header.nlmsg_len < NLMSG_LENGTH(sizeof(ifinfomsg))) return;
  const auto* const info = static_cast<const ifinfomsg*>(NLMSG_DATA(&header));
  LinkWatch::Change& change = changes.emplace_back();
  change.gone = header.nlmsg_type == RTM_DELLINK;
  change.link.index = static_cast<unsigned>(info->ifi_index);
  change.link.name = NameIn(info, header.nlmsg_len - NLMSG_LENGTH(sizeof(ifinfomsg)));
  change.link.up = !change.gone && (info->ifi_flags & IFF_UP) != 0;
  change.link.carrier = change.link.up && (info->ifi_flags & IFF_RUNNING) != 0;
}

}  // namespace

std::unique_ptr<LinkWatch> LinkWatch::Open(std::string& error) {
  FileDescriptor changes(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  FileDescriptor questions(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!changes.is_open() || !questions.is_open() ||
      bind(changes.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    error = "the kernel's news of interfaces: " + ErrnoText();
    return nullptr;
  }
  return std::unique_ptr<LinkWatch>(new LinkWatch(std::move(changes), std::move(questions)));
}

std::vector<LinkWatch::Change> LinkWatch::Wait(int limit_ms, bool& lost) {
  lost = false;
  std::vector<Change> changes;
  pollfd waiting{.fd = changes_.get(), .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, limit_ms) <= 0) return changes;
  alignas(nlmsghdr) std::array<char, kBufferBytes> buffer;
  while (changes.size() < kMaxChanges) {
    sockaddr_nl from{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t received = recvmsg(changes_.get(), &message, 0);
    if (received < 0) {
      if (errno == EINTR) continue;
      lost = lost || (errno != EAGAIN && errno != EWOULDBLOCK);  // ENOBUFS: the kernel had no room for some
      if (errno != ENOBUFS) break;
      continue;  // what it kept follows
    }
    if ((message.msg_flags & MSG_TRUNC) != 0) lost = true;
    if (from.nl_pid != 0) continue;  // another process may send here as well; the kernel is 0
    auto left = static_cast<size_t>(received);
    for (const auto* header = reinterpret_cast<const nlmsghdr*>(buffer.data()); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      AddChange(*header, changes);
    }
  }
  return changes;
}

Link LinkWatch::Find(const std::string& name) const {
  Link link;
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return link;
  std::memcpy(request.ifr_name, name.data(), name.size());
  if (ioctl(questions_.get(), SIOCGIFINDEX, &request) != 0) return link;
  const int index = request.ifr_ifindex;
  if (ioctl(questions_.get(), SIOCGIFFLAGS, &request) != 0) return link;  // gone in between
  const auto flags = static_cast<uint16_t>(request.ifr_flags);
  link.index = static_cast<unsigned>(index);
  link.name = name;
  link.up = (flags & IFF_UP) != 0;
  link.carrier = link.up && (flags & IFF_RUNNING) != 0;
  return link;
}

Link LinkWatch::Find(unsigned index) const {
  ifreq request{};
  request.ifr_ifindex = static_cast<int>(index);
  if (ioctl(questions_.get(), SIOCGIFNAME, &request) != 0) return {};
  Link link = Find(std::string(request.ifr_name, strnlen(request.ifr_name, sizeof request.ifr_name)));
  return link.index == index ? link : Link{};  // renamed in between
}

bool BoundInterface(int descriptor, int& index) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 || address.ss_family != AF_PACKET)
    return false;
  index = reinterpret_cast<const sockaddr_ll*>(&address)->sll_ifindex;
  return true;
}

std::string ListInterfaces() {
  constexpr size_t kMostListed = 32;
  struct if_nameindex* const all = if_nameindex();
  if (all == nullptr) return fmt::format("(they cannot be listed: {})", ErrnoText());
  const FileDescriptor questions(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::vector<std::string> names = {"any"};  // all of them
  for (const struct if_nameindex* one = all; one->if_index != 0; ++one) {
    ifreq request{};
    std::memcpy(request.ifr_name, one->if_name, strnlen(one->if_name, IFNAMSIZ - 1));
    const bool is_down = ioctl(questions.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) == 0;
    names.push_back(fmt::format("{}{}", one->if_name, is_down ? " (down)" : ""));
  }
  if_freenameindex(all);
  std::sort(names.begin(), names.end());
  const bool too_many = names.size() > kMostListed;
  if (too_many) names.resize(kMostListed);
  return fmt::format("{}{}", fmt::join(names, ", "), too_many ? ", …" : "");
}

}  // namespace vedette
