// The control socket of a running sensor, both ends. control.md is the page of its protocol.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <thread>

namespace vedette {

// Whose the socket is, and who may ask. Where root makes it, with the rights of the user that the sensor becomes.
struct ControlOwner {
  unsigned uid, gid;
  bool made_by_root = false;
  std::optional<unsigned> group;  // its members may connect: mode 0660. None: mode 0600
};

// The id of a group, by its name or number. To be asked before the process is confined, for it reads the system's
// groups. None, with an error that says what to do.
std::optional<unsigned> GroupOf(const std::string& name, std::string& error);

class ControlServer {
 public:
  static constexpr size_t kMaxRequestBytes = size_t{64} << 10;
  static constexpr size_t kMaxResponseBytes = size_t{4} << 20;

  // Called in the server's thread with the request; what it returns is sent, with "ok": true unless it says otherwise.
  using Handler = std::function<nlohmann::json(const nlohmann::json& request)>;

  // Whom a command is for.
  enum class For : uint8_t {
    kOwner,  // root and the sensor's user
    kGroup   // whoever may connect: it changes nothing
  };

  // Makes the socket; nullptr with an error that names it and says what to do. Handlers are added, then Start.
  static std::unique_ptr<ControlServer> Open(const std::string& path, std::string& error);
  // The same for another owner than this process, or for a group. To be called while the process has one thread and the
  // rights that it was started with.
  static std::unique_ptr<ControlServer> Open(const std::string& path, const ControlOwner& owner, std::string& error);
  ~ControlServer();  // ends the thread and removes the socket
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Before Start, or between StartEarly and Ready.
  void Handle(const std::string& command, Handler handler, For whom = For::kOwner) {
    handlers_[command] = {std::move(handler), whom};
  }
  void Start();
  // Until Ready every request is answered with an error: the sensor is starting.
  void StartEarly();
  void Ready() { starting_.store(false, std::memory_order_release); }

  // One request line to one response line, without its newline. Any input is answered; this is what the fuzz target
  // calls. `whom`: who asks.
  std::string Answer(std::string_view line, For whom = For::kOwner) const;

 private:
  ControlServer(std::string path, int socket, int end_event);
  void Serve();
  void ServeOne(int connection);

  const std::string path_;
  const int socket_, end_event_;
  struct Command {
    Handler handler;
    For whom = For::kOwner;
  };
  std::map<std::string, Command> handlers_;
  std::atomic<bool> starting_{false};
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
