// Tells the service manager how the sensor is: sd_notify(3)'s protocol, one datagram a message to the socket in
// NOTIFY_SOCKET.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace vedette {

class ServiceManager {
 public:
  // From the environment: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID. To be made before the process is confined and
  // before threads start. Without a service manager every call does nothing. Takes the variables out of the
  // environment, so that no program started later speaks for the sensor.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  bool present() const { return socket_ >= 0; }
  // How often Alive has to be called at least; half of it is a good habit. Nothing: no watchdog.
  std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }

  // Never wait, and never fail loudly: a service manager that does not listen is no reason to stop. Any thread.
  void Ready(std::string_view status);      // also at the end of a reload
  void Reloading(std::string_view status);  // Ready has to follow
  void Stopping(std::string_view status);
  void Status(std::string_view status);  // one line for `systemctl status`; line breaks become spaces
  void Alive();

 private:
  void Send(std::string_view state, std::string_view status);
  int socket_ = -1;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace vedette
