#include "sensor/hardening/processes/socket_opener.h"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <span>
#include <system_error>
#include <type_traits>

#include "parsers/base/errno_text.h"
#include "sensor/hardening/landlock.h"
#include "sensor/hardening/privileges.h"
#include "sensor/hardening/processes/descriptor_passing.h"
#include "sensor/hardening/system_calls.h"

namespace vedette {
namespace {

struct Request {
  uint32_t number = 0;
  uint32_t interface = 0;  // its place in the list
};
struct Answer {
  uint32_t number = 0;
  int32_t error = 0;  // errno; 0: a socket comes with it
};
// The first message of the helper: whether it is ready.
struct Ready {
  char error[256] = {};  // ends with 0; empty: it is
};

template <class Message>
std::span<std::byte> BytesOf(Message& message) {
  static_assert(std::is_trivially_copyable_v<Message>);
  return std::as_writable_bytes(std::span(&message, 1));
}

using Name = std::array<char, IFNAMSIZ>;

// Bound to the interface, and to no protocol. -1 with errno.
int OpenPacketSocket(const Name& name) {
  const int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  ifreq request{};
  std::copy(name.begin(), name.end(), request.ifr_name);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  if (ioctl(descriptor, SIOCGIFINDEX, &request) == 0) {
    address.sll_ifindex = request.ifr_ifindex;
    if (bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  }
  const int reason = errno;
  close(descriptor);
  errno = reason;
  return -1;
}

// For good. False with an error.
bool ConfineHelper(const SocketOpener::Options& options, std::string& error) {
  DroppedPrivileges left;
  if (!DropPrivilegesButNetRaw(options.user, left, error)) return false;
  prctl(PR_SET_DUMPABLE, 0);  // no other process of that user looks into it
  if (options.landlock) {
    const int abi = LandlockAbi();
    LandlockRules nothing;
    if (abi != 0 && !nothing.Enforce(abi, error)) return false;
    if (abi == 0 && options.required) {
      error = "the kernel has no Landlock";
      return false;
    }
  }
  bool missing = false;
  if (!options.seccomp || AllowPacketSocketCalls(missing, error)) return true;
  if (!missing || options.required) return false;
  error.clear();
  return true;
}

// The helper's life. From the first request on it takes no memory.
void Serve(const SocketOpener::Options& options, int socket) {
  std::vector<Name> names;
  for (const std::string& interface : options.interfaces) {
    Name& name = names.emplace_back();
    name.fill('\0');
    std::copy_n(interface.begin(), std::min(interface.size(), name.size() - 1), name.begin());
  }
  Ready ready;
  std::string error;
  const bool confined = ConfineHelper(options, error);
  std::copy_n(error.begin(), std::min(error.size(), sizeof ready.error - 1), ready.error);
  if (!SendWithDescriptor(socket, BytesOf(ready), -1) || !confined) return;
  for (;;) {
    Request request;
    int descriptor = -1;
    const Received received = ReceiveWithDescriptor(socket, BytesOf(request), descriptor, -1);
    if (descriptor >= 0) close(descriptor);
    if (received == Received::kGone) return;
    if (received != Received::kMessage) continue;
    Answer answer{.number = request.number, .error = EINVAL};
    int opened = -1;
    if (request.interface < names.size()) {
      opened = OpenPacketSocket(names[request.interface]);
      answer.error = opened < 0 ? errno : 0;
    }
    SendWithDescriptor(socket, BytesOf(answer), opened);
    if (opened >= 0) close(opened);
    poll(nullptr, 0, SocketOpener::kBetweenMs);
  }
}

}  // namespace

std::unique_ptr<SocketOpener> SocketOpener::Start(const Options& options, std::string& error) {
  for (const std::string& interface : options.interfaces) {
    if (!interface.empty() && interface.size() < IFNAMSIZ) continue;
    error = fmt::format("`{}` is no name of an interface", interface);
    return nullptr;
  }
  std::unique_ptr<HelperProcess> helper = HelperProcess::Start(
      "vedette-sockets", "the capture sockets", [&](int socket) { Serve(options, socket); }, error);
  if (helper == nullptr) return nullptr;
  Ready ready;
  int descriptor = -1;
  const Received received = ReceiveWithDescriptor(helper->socket(), BytesOf(ready), descriptor, kPatienceMs);
  if (descriptor >= 0) close(descriptor);
  ready.error[sizeof ready.error - 1] = '\0';
  if (received == Received::kMessage && ready.error[0] == '\0')
    return std::unique_ptr<SocketOpener>(new SocketOpener(options.interfaces, std::move(helper)));
  error = fmt::format("the process that opens capture sockets: {}",
                      received == Received::kMessage ? ready.error : "it did not start");
  return nullptr;
}

bool SocketOpener::ended() const {
  pollfd other_end{.fd = helper_->socket(), .events = POLLRDHUP, .revents = 0};
  return poll(&other_end, 1, 0) > 0 && (other_end.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

int SocketOpener::Open(uint32_t interface, std::string& error) {
  const auto name = [&] { return interface < interfaces_.size() ? interfaces_[interface] : std::string("?"); };
  Request request{.number = ++last_number_, .interface = interface};
  if (!SendWithDescriptor(helper_->socket(), BytesOf(request), -1)) {
    error = fmt::format("{}: the process that opens capture sockets is gone or busy: {}", name(), ErrnoText(errno));
    return -1;
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    Answer answer;
    int descriptor = -1;
    const Received received = ReceiveWithDescriptor(helper_->socket(), BytesOf(answer), descriptor,
                                                    static_cast<int>(std::max<int64_t>(left, 0)));
    if (received == Received::kMessage && answer.number == request.number) {
      if (answer.error == 0 && descriptor >= 0) return descriptor;
      if (descriptor >= 0) close(descriptor);
      error = fmt::format("{}: no capture socket: {}", name(), ErrnoText(answer.error));
      return -1;
    }
    if (descriptor >= 0) close(descriptor);  // an answer that came too late for its request
    if (received != Received::kGone && left > 0) continue;
    error = fmt::format("{}: the process that opens capture sockets {}", name(),
                        received == Received::kGone ? "has ended" : "does not answer");
    return -1;
  }
}

}  // namespace vedette
