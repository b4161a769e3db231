#include "sensor/hardening/processes/descriptor_passing.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vedette {

bool SendWithDescriptor(int socket, std::span<const std::byte> message, int descriptor) {
  iovec part{.iov_base = const_cast<std::byte*>(message.data()), .iov_len = message.size()};
  alignas(cmsghdr) char beside[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = beside;
    header.msg_controllen = sizeof beside;
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof(int));
  }
  return sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

Received ReceiveWithDescriptor(int socket, std::span<std::byte> message, int& descriptor, int limit_ms) {
  descriptor = -1;
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, limit_ms) <= 0) return Received::kNothing;
  iovec part{.iov_base = message.data(), .iov_len = message.size()};
  // Room for one; the kernel closes those that have none, and says so.
  alignas(cmsghdr) char beside[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = beside;
  header.msg_controllen = sizeof beside;
  const ssize_t size = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size == 0) return Received::kGone;
  if (size < 0) return errno == EAGAIN || errno == EINTR ? Received::kNothing : Received::kGone;
  size_t descriptors = 0;
  for (cmsghdr* rights = CMSG_FIRSTHDR(&header); rights != nullptr; rights = CMSG_NXTHDR(&header, rights)) {
    if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
    // CMSG_SPACE rounds up: a second one may fit.
    for (size_t at = 0; at + sizeof(int) <= rights->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int one = -1;
      std::memcpy(&one, CMSG_DATA(rights) + at, sizeof one);
      if (++descriptors == 1) {
        descriptor = one;
      } else {
        close(one);
      }
    }
  }
  const bool whole = static_cast<size_t>(size) == message.size() && (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (whole && descriptors <= 1) return Received::kMessage;
  if (descriptor >= 0) close(descriptor);
  descriptor = -1;
  return Received::kWrong;
}

}  // namespace vedette
