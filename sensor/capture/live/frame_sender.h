// Sends a frame on an interface.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace vedette {

// Opened with the privileges that capturing needs, used without them. Any thread.
class FrameSender {
 public:
  // nullptr with an error: not Ethernet, or no permission. An interface that is not there can be bound later.
  static std::unique_ptr<FrameSender> Open(const std::string& interface, std::string& error);
  ~FrameSender();
  FrameSender(const FrameSender&) = delete;
  FrameSender& operator=(const FrameSender&) = delete;

  // Sends on the interface that has the name now; needs no privilege. False with an error: none has, or it is not
  // Ethernet.
  bool Rebind(std::string& error);
  // An Ethernet frame. False with an error.
  bool Send(std::span<const uint8_t> frame, std::string& error);

 private:
  FrameSender(std::string interface, int socket) : interface_(std::move(interface)), socket_(socket) {}
  const std::string interface_;
  const int socket_;
};

}  // namespace vedette
