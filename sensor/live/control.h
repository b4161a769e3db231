// The control socket of a running sensor, both ends. control.md is the page of its protocol.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <thread>

namespace vedette {

class ControlServer {
 public:
  static constexpr size_t kMaxRequestBytes = size_t{64} << 10;
  static constexpr size_t kMaxResponseBytes = size_t{4} << 20;

  // Called in the server's thread with the request; what it returns is sent, with "ok": true unless it says otherwise.
  using Handler = std::function<nlohmann::json(const nlohmann::json& request)>;

  // Makes the socket; nullptr with an error that names it and says what to do. Handlers are added, then Start.
  static std::unique_ptr<ControlServer> Open(const std::string& path, std::string& error);
  ~ControlServer();  // ends the thread and removes the socket
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  void Handle(const std::string& command, Handler handler) { handlers_[command] = std::move(handler); }
  void Start();

  // One request line to one response line, without its newline. Any input is answered; this is what the fuzz target
  // calls.
  std::string Answer(std::string_view line) const;

 private:
  ControlServer(std::string path, int socket, int end_event);
  void Serve();
  void ServeOne(int connection);

  const std::string path_;
  const int socket_, end_event_;
  std::map<std::string, Handler> handlers_;
  std::thread thread_;
};

// Sends a request and waits for the response. False with `error` where no sensor answers (`unreachable`) or what it
// answers is no JSON.
bool AskSensor(const std::string& path, const nlohmann::json& request, nlohmann::json& response, std::string& error);

}  // namespace vedette
