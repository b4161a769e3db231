// What becomes of connections: libzmq's monitor of one socket, read as a list of typed events.
#pragma once

#include <cstdint>
#include <string_view>

#include "exporter/feed/socket.h"

namespace vedette {

enum class ConnectionEvent : uint8_t {
  kAccepted,  // descriptor() says which
  kConnected,
  kRetry,            // a connection attempt failed or ended; another follows
  kDisconnected,     // descriptor() says which
  kAuthenticated,    // handshake complete
  kRefused,          // the other side's authenticator said no: it does not know our key
  kRefusedNow,       // it knows our key, and does not let us in now (kZapNotNow)
  kNotCurve,         // the peer speaks no CURVE
  kWrongKey,         // its handshake does not decrypt: it has another key for us
  kHandshakeBroken,  // any other breach of the handshake
  kHandshakeEnded,   // the peer closed before the handshake was complete
  kAcceptFailed,     // no descriptor left, most often
};

class ConnectionMonitor {
 public:
  // `name` is unique in the context. Call before the socket is bound or connected.
  bool Open(const ZmqContext& context, ZmqSocket& watched, std::string_view name);
  // Before the watched socket is closed.
  void Close();
  // The next event, in the order in which they happened; false when there is none now. Whatever libzmq did before it
  // handed a message of the watched socket to this thread is seen here.
  bool Next(ConnectionEvent& event);
  int descriptor() const { return descriptor_; }
  void* socket() const { return socket_.get(); }

 private:
  ZmqSocket* watched_ = nullptr;
  ZmqSocket socket_;
  std::vector<std::string> frames_;
  int descriptor_ = -1;
};

}  // namespace vedette
