// The smallest HTTP server (RFC 9112) that serves one page to many clients, of whom some are slow or mean no good.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace vedette {

// One thread of its own, which waits for no client: a connection is bounded in time, and one more than kMaxConnections
// takes the place of the one that has had its turn longest. Whoever asks at once is answered at once.
class PageServer {
 public:
  static constexpr size_t kMaxConnections = 64;  // Prometheus has one; ports are scanned by the hundred
  static constexpr size_t kMaxRequestBytes = size_t{16} << 10;
  static constexpr std::chrono::milliseconds kRequestLimit{2000};   // from accept to the whole request
  static constexpr std::chrono::milliseconds kResponseLimit{5000};  // from there until it is read

  // The body for GET; called in the server's thread.
  using Page = std::function<std::string()>;

  // `address`: "127.0.0.1:9477"; port 0 picks a free one. nullptr with errno's text in `error`.
  static std::unique_ptr<PageServer> Open(const std::string& address, std::string path, std::string content_type,
                                          Page page, std::string& error);
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;
  uint16_t port() const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : uint8_t { kReading, kWriting, kClosing };
  struct Connection {
    int descriptor;
    State state = State::kReading;
    Clock::time_point end;  // of the state's time
    std::string request = {}, response = {};
    size_t sent = 0;
  };

  PageServer(int socket, std::string path, std::string content_type, Page page);
  void Serve();
  void Accept();
  bool Advance(Connection& connection);  // false: it has ended
  bool Read(Connection& connection);
  bool Write(Connection& connection);
  std::string ResponseTo(std::string_view request) const;

  const int socket_, end_event_;
  const std::string path_, content_type_;
  const Page page_;
  std::list<Connection> connections_;  // the oldest first
  std::thread thread_;
};

}  // namespace vedette
