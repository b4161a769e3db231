// Which partner's connections are alive, and what they asked for.
//
// libzmq 4.3.4 has no such list, and granting a subscription to a connection that has ended since makes it use freed
// memory, or gives a view to whoever came next. So everything that tells about a connection is put in one order: an
// admission carries the number of the last event before it, and a message belongs to a live connection exactly when its
// descriptor has not been disconnected after that number. See README.md, "Granting".
//
// Pure: no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exporter/feed/feed_partner.h"

namespace vedette {

struct ConnectionToken {
  PartnerId partner = 0;  // whose key it has
  uint64_t serial = 0;    // of this admission, ascending
  uint64_t admitted = 0;  // events seen before it
};
std::string WriteToken(const ConnectionToken& token);
std::optional<ConnectionToken> ReadToken(std::string_view text);

class ConnectionLedger {
 public:
  struct Connection {
    PartnerId partner = 0;
    int descriptor = -1;
    uint64_t subscription_bytes = 0;  // asked for so far; libzmq holds memory for each of them
    uint64_t granted = 0;             // subscriptions held to the partner's own view
    bool closing = false;             // told to go
  };

  ConnectionToken Admit(PartnerId partner) {
    return {.partner = partner, .serial = ++last_serial_, .admitted = events_};
  }
  void OnDisconnected(int descriptor);
  // The connection of a message, nullptr when it has ended; the first message enters it. Holds until the next call.
  Connection* Find(const ConnectionToken& token, int descriptor);

  size_t NumGranted(PartnerId partner) const;
  // The oldest of this partner that is not closing.
  Connection* Oldest(PartnerId partner);
  // Those that receive the partner's view and are not closing.
  void ForEachGranted(PartnerId partner, const std::function<void(Connection&)>& visit);

 private:
  uint64_t events_ = 0;
  uint64_t last_serial_ = 0;
  std::map<uint64_t, Connection> connections_;      // by serial
  std::unordered_map<int, uint64_t> disconnected_;  // descriptor -> event; as many as descriptors there are
  std::unordered_map<int, uint64_t> serial_of_descriptor_;
};

}  // namespace vedette
