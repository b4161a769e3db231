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

// Whether a control socket can have this path; false with an error that names it.
bool IsControlPath(const std::string& path, std::string& error);

enum class AskOutcome : uint8_t {
  kAnswered,
  kNobody,  // there is no socket, nobody listens at it, or it may not be used
  kSilent,  // somebody listens and does not answer
  kUseless  // what answers is no sensor
};

// No command makes a sensor work before it answers: what takes long is asked for again. One that says nothing for so
// long hangs.
constexpr std::chrono::seconds kAskLimit{5};

// Sends a request and waits for the response, no longer than `limit` in all. With an `error` for the user unless it was
// answered.
AskOutcome AskSensor(const std::string& path, const nlohmann::json& request, nlohmann::json& response,
                     std::string& error, std::chrono::milliseconds limit = kAskLimit);

}  // namespace vedette
