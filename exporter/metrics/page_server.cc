#include "exporter/metrics/page_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "parsers/base/errno_text.h"

namespace vedette {
namespace {

constexpr int kBacklog = 128;
constexpr std::chrono::milliseconds kCloseLimit{1000};   // for the other end to take the last bytes
constexpr std::chrono::milliseconds kNoDescriptor{100};  // before accept is tried again

// -1 with `error`.
int ListenAt(const std::string& address, std::string& error) {
  const size_t colon = address.rfind(':');
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = colon == std::string::npos ? EAI_NONAME
                                                : getaddrinfo(address.substr(0, colon).c_str(),
                                                              address.substr(colon + 1).c_str(), &hints, &found);
  if (status != 0) {
    error = gai_strerror(status);
    return -1;
  }
  const int descriptor = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  const bool listens = descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                       bind(descriptor, found->ai_addr, found->ai_addrlen) == 0 && listen(descriptor, kBacklog) == 0;
  if (!listens) error = ErrnoText();
  freeaddrinfo(found);
  if (listens) return descriptor;
  if (descriptor >= 0) close(descriptor);
  return -1;
}

bool WouldBlock() { return errno == EAGAIN || errno == EINTR; }

// Where the head of a request ends; npos: not yet.
size_t EndOfHead(std::string_view request) {
  const size_t crlf = request.find("\r\n\r\n"), lf = request.find("\n\n");
  return std::min(crlf, lf);
}

}  // namespace

std::unique_ptr<PageServer> PageServer::Open(const std::string& address, std::string path, std::string content_type,
                                             Page page, std::string& error) {
  const int listening = ListenAt(address, error);
  if (listening < 0) return nullptr;
  return std::unique_ptr<PageServer>(
      new PageServer(listening, std::move(path), std::move(content_type), std::move(page)));
}

PageServer::PageServer(int socket, std::string path, std::string content_type, Page page)
    : socket_(socket),
      end_event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      path_(std::move(path)),
      content_type_(std::move(content_type)),
      page_(std::move(page)) {
  thread_ = std::thread([this] { Serve(); });
}

PageServer::~PageServer() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(end_event_, &one, sizeof one);
  thread_.join();
  for (const Connection& connection : connections_) close(connection.descriptor);
  close(socket_);
  close(end_event_);
}

uint16_t PageServer::port() const {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  return getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size) == 0 ? ntohs(own.sin_port) : 0;
}

void PageServer::Serve() {
  std::vector<pollfd> waiting;
  for (;;) {
    waiting = {{.fd = end_event_, .events = POLLIN, .revents = 0}, {.fd = socket_, .events = POLLIN, .revents = 0}};
    auto until = Clock::time_point::max();
    for (const Connection& connection : connections_) {
      const short events = connection.state == State::kWriting ? POLLOUT : POLLIN;
      waiting.push_back({.fd = connection.descriptor, .events = events, .revents = 0});
      until = std::min(until, connection.end);
    }
    int limit = -1;
    if (!connections_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      limit = static_cast<int>(std::max<int64_t>(left.count(), 0));
    }
    if (poll(waiting.data(), waiting.size(), limit) < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0) return;
    // Those that are there before new ones, which may take their places.
    size_t at = 2;
    for (auto connection = connections_.begin(); connection != connections_.end(); ++at) {
      const bool over = (waiting[at].revents != 0 && !Advance(*connection)) || Clock::now() >= connection->end;
      if (!over) {
        ++connection;
        continue;
      }
      close(connection->descriptor);
      connection = connections_.erase(connection);
    }
    if (waiting[1].revents != 0) Accept();
  }
}

// As many as there may be at once, then those that are there have their turn.
void PageServer::Accept() {
  for (size_t i = 0; i < kMaxConnections; ++i) {
    const int descriptor = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (descriptor < 0) {
      // No descriptors left: wait rather than spin.
      if (!WouldBlock() && errno != ECONNABORTED) std::this_thread::sleep_for(kNoDescriptor);
      return;
    }
    connections_.push_back({.descriptor = descriptor, .end = Clock::now() + kRequestLimit});
    // Most have sent their request by now, and need no place.
    if (!Advance(connections_.back())) {
      close(descriptor);
      connections_.pop_back();
    }
    if (connections_.size() <= kMaxConnections) continue;
    close(connections_.front().descriptor);
    connections_.pop_front();
  }
}

bool PageServer::Advance(Connection& connection) {
  if (connection.state == State::kWriting) return Write(connection);
  return Read(connection);
}

bool PageServer::Read(Connection& connection) {
  char buffer[4096];
  const ssize_t count = recv(connection.descriptor, buffer, sizeof buffer, 0);
  if (count < 0) return WouldBlock();
  if (count == 0) return false;
  if (connection.state == State::kClosing) return true;  // whatever it says now
  connection.request.append(buffer, static_cast<size_t>(count));
  if (EndOfHead(connection.request) == std::string::npos && connection.request.size() <= kMaxRequestBytes) return true;
  connection.response = ResponseTo(connection.request);
  connection.state = State::kWriting;
  connection.end = Clock::now() + kResponseLimit;
  return Write(connection);
}

bool PageServer::Write(Connection& connection) {
  while (connection.sent < connection.response.size()) {
    const ssize_t count = send(connection.descriptor, connection.response.data() + connection.sent,
                               connection.response.size() - connection.sent, MSG_NOSIGNAL);
    if (count < 0) return WouldBlock();
    connection.sent += static_cast<size_t>(count);
  }
  // To close at once would tell the other end of an error where something of its request is unread.
  shutdown(connection.descriptor, SHUT_WR);
  connection.state = State::kClosing;
  connection.end = Clock::now() + kCloseLimit;
  return true;
}

std::string PageServer::ResponseTo(std::string_view request) const {
  const std::string_view line = request.substr(0, request.find_first_of("\r\n"));
  const size_t first = line.find(' '), second = line.find(' ', first + 1);
  const std::string_view method = line.substr(0, first);
  std::string_view target;
  if (first != std::string_view::npos && second != std::string_view::npos)
    target = line.substr(first + 1, second - first - 1);
  target = target.substr(0, target.find('?'));
  std::string_view status = "200 OK", type = content_type_;
  std::string body;
  if (EndOfHead(request) == std::string_view::npos) {
    status = "431 Request Header Fields Too Large";
  } else if (target.empty() || !line.substr(second + 1).starts_with("HTTP/1.")) {
    status = "400 Bad Request";
  } else if (method != "GET" && method != "HEAD") {
    status = "405 Method Not Allowed";
  } else if (target != path_) {
    status = "404 Not Found";
  } else {
    body = page_();
  }
  if (status != "200 OK") {
    body = std::string(status) + '\n';
    type = "text/plain";
  }
  std::string response = "HTTP/1.1 ";
  response.append(status).append("\r\nContent-Type: ").append(type);
  response.append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\nConnection: close\r\n\r\n");
  if (method != "HEAD") response += body;
  return response;
}

}  // namespace vedette
