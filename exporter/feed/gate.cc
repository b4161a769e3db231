#include "exporter/feed/gate.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zmq.h>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "exporter/feed/keys.h"
#include "exporter/feed/wire_format.h"

namespace vedette {
namespace {

// Each call of Poll handles at most this many, so that a flood of strangers cannot keep alerts waiting: 64 handshakes
// take about 1 ms.
constexpr size_t kHandshakesPerPoll = 64;
constexpr size_t kMessagesPerPoll = 256;
// A client that opens a connection and says nothing holds a descriptor for this long.
constexpr int kHandshakeLimitMs = 10'000;

// A host that is gone is noticed within about a minute by these probes, where nothing is under way to it.
constexpr int kKeepaliveIdleSeconds = 30;
constexpr int kKeepaliveIntervalSeconds = 10;
constexpr int kKeepaliveProbes = 3;
// While something is (a heartbeat, mostly) the kernel does not probe but sends it again, for a quarter of an hour if it
// is let. A client that takes nothing for so long is ended by this, too; it comes back, and sees by the numbers what it
// missed.
constexpr int kUnacknowledgedLimitMs = 120'000;

int LocalPort(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return -1;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return -1;
}

// What waits in the kernel, not sent yet because the other end takes no more.
uint32_t UnsentBytes(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return size >= offsetof(tcp_info, tcpi_notsent_bytes) + sizeof(info.tcpi_notsent_bytes) ? info.tcpi_notsent_bytes : 0;
}

// A client's bytes in a log line.
std::string Printable(std::string_view text) {
  constexpr size_t kShown = 80;
  std::string out;
  for (const char c : text.substr(0, kShown)) out += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > kShown) out += "...";
  return out;
}

}  // namespace

struct FeedGate::Arrival {
  Kind kind = Kind::kMessage;
  std::string topic;
  bool has_sender = false;  // libzmq itself unsubscribes for connections that end
  std::string address;
  std::optional<ConnectionToken> token;
  int descriptor = -1;
};

FeedGate::FeedGate(FeedLog& log, std::chrono::milliseconds idle_limit) : log_(log), idle_limit_(idle_limit) {}

void FeedGate::Add(FeedPartner& partner) {
  partners_[partner.id] = &partner;
  partner_of_key_[partner.public_key] = &partner;
}

void FeedGate::Remove(FeedPartner& partner) {
  partners_.erase(partner.id);
  partner_of_key_.erase(partner.public_key);
  ReadEvents();  // as in End: the descriptors are still those of these connections
  EndAll(partner.id);
}

bool FeedGate::Open(const ZmqContext& context, ZmqSocket& publisher, const KeyPair& keys) {
  publisher_ = &publisher;
  return zap_.Open(context) && publisher.Set(ZMQ_XPUB_MANUAL, 1) && publisher.Set(ZMQ_CURVE_SERVER, 1) &&
         publisher.Set(ZMQ_CURVE_SECRETKEY, keys.secret_key) && publisher.Set(ZMQ_ZAP_DOMAIN, kZapDomain) &&
         publisher.Set(ZMQ_MAXMSGSIZE, kMaxMessageToPublisher) && publisher.Set(ZMQ_HANDSHAKE_IVL, kHandshakeLimitMs) &&
         publisher.Set(ZMQ_TCP_KEEPALIVE, 1) && publisher.Set(ZMQ_TCP_KEEPALIVE_IDLE, kKeepaliveIdleSeconds) &&
         publisher.Set(ZMQ_TCP_KEEPALIVE_INTVL, kKeepaliveIntervalSeconds) &&
         publisher.Set(ZMQ_TCP_KEEPALIVE_CNT, kKeepaliveProbes) &&
         publisher.Set(ZMQ_TCP_MAXRT, kUnacknowledgedLimitMs) && monitor_.Open(context, publisher, "feed-monitor");
}

void FeedGate::Close() {
  monitor_.Close();
  zap_.Close();
}

void FeedGate::Poll(std::vector<PartnerId>& joined) {
  ReadEvents();
  zap_.Handle(kHandshakesPerPoll,
              [this](const std::string& key, std::string_view address) { return Decide(key, address); });
  Arrival arrival;
  for (size_t i = 0; i < kMessagesPerPoll; ++i) {
    if (!Receive(arrival)) {
      in_doubt_ = false;  // nothing waits, so libzmq's two queues are of one length again
      break;
    }
    Handle(arrival, joined);
  }
  EndIdle();
  log_.Tick();
}

void FeedGate::EndIdle() {
  const Clock::time_point now = Clock::now();
  if (now - idle_seen_ < idle_limit_ / 10) return;
  idle_seen_ = now;
  ReadEvents();  // as in End: the descriptors are still those of these connections
  std::erase_if(idle_since_, [&](const auto& connection) {
    const auto& [descriptor, since] = connection;
    if (now - since < idle_limit_) return false;
    ++counters_.closed_connections;
    log_.Warn("idle", "feed: a connection requested no view for " +
                          std::to_string(idle_limit_ / std::chrono::seconds(1)) + " s; closing it");
    if (LocalPort(descriptor) == port_) shutdown(descriptor, SHUT_RDWR);
    return true;
  });
}

void FeedGate::ReadEvents() {
  ConnectionEvent event{};
  while (monitor_.Next(event)) Count(event);
}

void FeedGate::Count(ConnectionEvent event) {
  switch (event) {
    case ConnectionEvent::kAuthenticated:
      ++counters_.connections;
      break;
    case ConnectionEvent::kAccepted:
      idle_since_[monitor_.descriptor()] = Clock::now();
      break;
    case ConnectionEvent::kDisconnected:
      idle_since_.erase(monitor_.descriptor());
      ledger_.OnDisconnected(monitor_.descriptor());
      break;
    case ConnectionEvent::kNotCurve:
      ++counters_.refused_not_curve;
      log_.Warn("not encrypted", "feed: refused a client that does not encrypt; partners connect with CURVE");
      break;
    case ConnectionEvent::kWrongKey:
      ++counters_.refused_wrong_server_key;
      log_.Warn("wrong server key",
                "feed: refused a client that has another public key for this server; send the partner the current one");
      break;
    case ConnectionEvent::kHandshakeBroken:
    case ConnectionEvent::kHandshakeEnded:
      ++counters_.refused_handshakes;
      log_.Warn("handshake",
                "feed: a client did not complete its handshake; it may not encrypt, or not speak ZeroMQ at all");
      break;
    case ConnectionEvent::kAcceptFailed:
      ++counters_.accept_failures;
      log_.Warn("accept", "feed: could not accept a connection; raise the limit of open files (LimitNOFILE)");
      break;
    case ConnectionEvent::kRefused:  // counted where it was decided
    case ConnectionEvent::kRefusedNow:
    case ConnectionEvent::kConnected:
    case ConnectionEvent::kRetry:
      break;
  }
}

std::variant<ZapAnswer, ZapRefusal> FeedGate::Decide(const std::string& public_key, std::string_view address) {
  const auto known = partner_of_key_.find(public_key);
  if (known == partner_of_key_.end()) {
    ++counters_.refused_unknown_key;
    log_.Warn("unknown key", "feed: refused unknown client key " + public_key + " from " + Printable(address));
    return ZapRefusal::kUnknownKey;
  }
  const FeedPartner& partner = *known->second;
  if (partner.suspended) {
    ++counters_.refused_suspended;
    log_.Warn("suspended " + partner.name, "feed: refused partner " + partner.name + " from " + Printable(address) +
                                               ", which is suspended until it is readmitted");
    return ZapRefusal::kNotNow;
  }
  ReadEvents();  // what came before this handshake; the rest comes after it
  if (ledger_.NumGranted(partner.id) >= kMaxConnectionsPerPartner) {
    RefuseOneTooMany(partner, address);
    return ZapRefusal::kNotNow;
  }
  return ZapAnswer{partner.name, WriteToken(ledger_.Admit(partner.id))};
}

bool FeedGate::Receive(Arrival& arrival) {
  zmq_msg_t message;
  zmq_msg_init(&message);
  int received = -1;
  do {
    received = zmq_msg_recv(&message, publisher_->get(), ZMQ_DONTWAIT);
  } while (received < 0 && zmq_errno() == EINTR);
  if (received >= 0) {
    const std::string_view bytes(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
    const auto property = [&message](const char* name) {
      const char* value = zmq_msg_gets(&message, name);
      return std::string(value == nullptr ? "" : value);
    };
    arrival.kind = bytes.empty() || bytes[0] > 1 || bytes[0] < 0 ? Kind::kMessage
                   : bytes[0] == 1                               ? Kind::kSubscribe
                                                                 : Kind::kUnsubscribe;
    arrival.topic = bytes.substr(bytes.empty() ? 0 : 1);
    arrival.has_sender = zmq_msg_gets(&message, kUserIdProperty) != nullptr;
    arrival.address = property("Peer-Address");
    arrival.token = ReadToken(property(kTokenProperty));
    arrival.descriptor = arrival.has_sender ? zmq_msg_get(&message, ZMQ_SRCFD) : -1;
  }
  zmq_msg_close(&message);
  return received >= 0;
}

void FeedGate::Handle(const Arrival& arrival, std::vector<PartnerId>& joined) {
  if (arrival.kind == Kind::kMessage) in_doubt_ = true;
  if (!arrival.has_sender || !arrival.token || arrival.descriptor < 0) return;
  ReadEvents();
  const auto known = partners_.find(arrival.token->partner);
  ConnectionLedger::Connection* connection = ledger_.Find(*arrival.token, arrival.descriptor);
  if (known == partners_.end()) {
    // Let in while it was a partner's. Another may have its name by now.
    if (connection != nullptr && !connection->closing) End(*connection);
    return;
  }
  FeedPartner& partner = *known->second;
  if (arrival.kind == Kind::kMessage) {
    ++counters_.protocol_breaches;
    partner.suspended = true;
    log_.Warn("breach " + partner.name,
              "feed: partner " + partner.name + " at " + arrival.address +
                  " sent a message into the feed, which only flows to it; it is suspended, until `vedette partner "
                  "readmit " +
                  partner.name + "` or a restart");
    EndAll(partner.id);
    return;
  }
  if (connection == nullptr) {
    counters_.ended_subscriptions += arrival.kind == Kind::kSubscribe;
    return;
  }
  if (connection->closing) return;
  if (in_doubt_) {
    End(*connection);  // it comes back and subscribes anew
    return;
  }
  if (arrival.kind == Kind::kSubscribe) {
    Subscribe(partner, *connection, arrival, joined);
  } else if (connection->granted > 0 && partner.topic.starts_with(arrival.topic)) {
    if (--connection->granted > 0) return;
    publisher_->Set(ZMQ_UNSUBSCRIBE, partner.topic);
    idle_since_[connection->descriptor] = Clock::now();
  }
}

void FeedGate::Subscribe(const FeedPartner& partner, ConnectionLedger::Connection& connection, const Arrival& arrival,
                         std::vector<PartnerId>& joined) {
  connection.subscription_bytes += arrival.topic.size() + 1;
  if (connection.subscription_bytes > kMaxSubscriptionBytes) {
    ++counters_.protocol_breaches;
    log_.Warn("endless " + partner.name, "feed: partner " + partner.name + " at " + arrival.address +
                                             " subscribes without end; its connection is closed");
    End(connection);
    return;
  }
  if (!partner.topic.starts_with(arrival.topic)) {
    ++counters_.refused_subscriptions;
    log_.Warn("view of another " + partner.name, "feed: partner " + partner.name + " at " + arrival.address +
                                                     " asked for '" + Printable(arrival.topic) + "', its view is '" +
                                                     partner.topic + "'");
    return;
  }
  if (!publisher_->Set(ZMQ_SUBSCRIBE, partner.topic)) return;
  idle_since_.erase(connection.descriptor);
  if (++connection.granted > 1) return;
  if (ledger_.NumGranted(partner.id) > kMaxConnectionsPerPartner) {  // let in together with another
    RefuseOneTooMany(partner, arrival.address);
    End(connection);
    return;
  }
  log_.Info("joined " + partner.name,
            "feed: partner " + partner.name + " at " + arrival.address + " receives its view");
  joined.push_back(partner.id);
}

bool FeedGate::Readmit(FeedPartner& partner) {
  if (!std::exchange(partner.suspended, false)) return false;
  log_.Info("readmitted", "feed: partner " + partner.name + " is readmitted");
  return true;
}

void FeedGate::RefuseOneTooMany(const FeedPartner& partner, std::string_view address) {
  ++counters_.refused_too_many;
  log_.Warn("too many " + partner.name, "feed: refused partner " + partner.name + " from " + Printable(address) +
                                            ": it has " + std::to_string(kMaxConnectionsPerPartner) +
                                            " connections, the most that one partner may have");
}

// libzmq does not say which of several queues is full. It is one whose other end takes nothing, so what the kernel
// could not send yet is as much as a socket holds, while that of one that reads is little. Where they are all alike,
// ending one would help nobody.
bool FeedGate::EndStandingStill(const FeedPartner& partner) {
  ReadEvents();
  if (ledger_.NumGranted(partner.id) < 2) return false;
  ConnectionLedger::Connection* fullest = nullptr;
  uint32_t most = 0;
  uint32_t least = UINT32_MAX;
  ledger_.ForEachGranted(partner.id, [&](ConnectionLedger::Connection& connection) {
    const uint32_t unsent = LocalPort(connection.descriptor) == port_ ? UnsentBytes(connection.descriptor) : 0;
    least = std::min(least, unsent);
    if (unsent <= most) return;
    most = unsent;
    fullest = &connection;
  });
  if (fullest == nullptr || most / 2 <= least) return false;
  log_.Warn("stands still " + partner.name,
            "feed: partner " + partner.name + " has several connections, and one does not read; closing that one");
  End(*fullest);
  return true;
}

void FeedGate::EndAll(PartnerId partner) {
  while (ConnectionLedger::Connection* open = ledger_.Oldest(partner)) End(*open);
}

// libzmq has no call that ends one connection, so its descriptor is shut down and libzmq finds the connection ended.
// The caller has read all events, so the descriptor is still this connection's, but for an end in this very moment:
// the port keeps even that among the feed's own connections.
void FeedGate::End(ConnectionLedger::Connection& connection) {
  connection.closing = true;
  ++counters_.closed_connections;
  if (LocalPort(connection.descriptor) == port_) shutdown(connection.descriptor, SHUT_RDWR);
}

}  // namespace vedette
