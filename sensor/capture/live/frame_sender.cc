#include "sensor/capture/live/frame_sender.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

std::string Problem(const std::string& interface, const std::string& why) {
  return interface + ": no canary can be sent there: " + why + "; `canary: inject: source` needs nothing of it";
}

}  // namespace

std::unique_ptr<FrameSender> FrameSender::Open(const std::string& interface, std::string& error) {
  // Protocol 0: it receives nothing.
  const int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    error = Problem(interface, ErrnoText());
    return nullptr;
  }
  std::unique_ptr<FrameSender> sender(new FrameSender(interface, descriptor));
  if (if_nametoindex(interface.c_str()) != 0 && !sender->Rebind(error)) return nullptr;
  return sender;
}

bool FrameSender::Rebind(std::string& error) {
  const auto fail = [&](const std::string& why) {
    error = Problem(interface_, why);
    return false;
  };
  ifreq request{};
  if (interface_.size() >= sizeof request.ifr_name) return fail("there is no such interface");
  std::memcpy(request.ifr_name, interface_.data(), interface_.size());
  if (ioctl(socket_, SIOCGIFINDEX, &request) != 0) return fail("there is no such interface");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = request.ifr_ifindex;
  if (ioctl(socket_, SIOCGIFHWADDR, &request) != 0) return fail(ErrnoText());
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER && request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK)
    return fail("it is not Ethernet");
  if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return fail(ErrnoText());
  return true;
}

FrameSender::~FrameSender() { close(socket_); }

bool FrameSender::Send(std::span<const uint8_t> frame, std::string& error) {
  if (send(socket_, frame.data(), frame.size(), MSG_DONTWAIT) == static_cast<ssize_t>(frame.size())) return true;
  error = interface_ + ": the canary could not be sent: " + ErrnoText();
  return false;
}

}  // namespace vedette
