#include "exporter/feed/monitor.h"

#include <zmq.h>

#include <cstring>
#include <optional>

#include "exporter/feed/zap.h"

namespace vedette {
namespace {

// zmq_socket_monitor(3): a 16-bit event and a 32-bit value in native order, then the endpoint.
std::optional<ConnectionEvent> Classify(uint16_t event, uint32_t value) {
  switch (event) {
    case ZMQ_EVENT_ACCEPTED:
      return ConnectionEvent::kAccepted;
    case ZMQ_EVENT_ACCEPT_FAILED:
      return ConnectionEvent::kAcceptFailed;
    case ZMQ_EVENT_CONNECTED:
      return ConnectionEvent::kConnected;
    case ZMQ_EVENT_CONNECT_RETRIED:
      return ConnectionEvent::kRetry;
    case ZMQ_EVENT_DISCONNECTED:
      return ConnectionEvent::kDisconnected;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      return ConnectionEvent::kAuthenticated;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      return value == kZapNotNow ? ConnectionEvent::kRefusedNow : ConnectionEvent::kRefused;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return ConnectionEvent::kHandshakeEnded;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      if (value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH) return ConnectionEvent::kNotCurve;
      if (value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC) return ConnectionEvent::kWrongKey;
      return ConnectionEvent::kHandshakeBroken;
    default:
      return std::nullopt;
  }
}

}  // namespace

bool ConnectionMonitor::Open(const ZmqContext& context, ZmqSocket& watched, std::string_view name) {
  const std::string endpoint = "inproc://" + std::string(name);
  // No bound on waiting events: libzmq's network thread would block at it, and partners with it. They are small, and
  // read whenever the watched socket is.
  if (!socket_.Open(context, ZMQ_PAIR) || !socket_.Set(ZMQ_RCVHWM, 0) || !socket_.Set(ZMQ_LINGER, 0)) return false;
  if (zmq_socket_monitor(watched.get(), endpoint.c_str(), ZMQ_EVENT_ALL) != 0) return false;
  watched_ = &watched;
  return zmq_connect(socket_.get(), endpoint.c_str()) == 0;
}

void ConnectionMonitor::Close() {
  if (watched_ != nullptr && watched_->get() != nullptr) zmq_socket_monitor(watched_->get(), nullptr, 0);
  watched_ = nullptr;
  socket_.Close();
}

bool ConnectionMonitor::Next(ConnectionEvent& event) {
  while (ReceiveFrames(socket_.get(), 2, frames_) == Receipt::kMessage) {
    uint16_t number = 0;
    uint32_t value = 0;
    if (frames_.empty() || frames_[0].size() != sizeof(number) + sizeof(value)) continue;
    std::memcpy(&number, frames_[0].data(), sizeof(number));
    std::memcpy(&value, frames_[0].data() + sizeof(number), sizeof(value));
    const std::optional<ConnectionEvent> known = Classify(number, value);
    if (!known) continue;
    event = *known;
    const bool of_descriptor = *known == ConnectionEvent::kAccepted || *known == ConnectionEvent::kDisconnected;
    descriptor_ = of_descriptor ? static_cast<int>(value) : -1;
    return true;
  }
  return false;
}

}  // namespace vedette
