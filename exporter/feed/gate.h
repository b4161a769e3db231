// Who may connect, and what a connection receives: the authenticator, the monitor and the subscriptions of one XPUB
// socket. A connection receives the view of the partner whose key it has, and nothing else, whatever it asks for.
//
// Thread rule: that of the socket. README.md beside this file, "Granting", says what libzmq 4.3.4 leaves to us here.
#pragma once

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/feed/connections.h"
#include "exporter/feed/feed_log.h"
#include "exporter/feed/feed_partner.h"
#include "exporter/feed/keys.h"
#include "exporter/feed/monitor.h"
#include "exporter/feed/publisher.h"
#include "exporter/feed/socket.h"
#include "exporter/feed/zap.h"

namespace vedette {

// A partner that several machines read at once has a handful of connections; more are forgotten ones.
constexpr size_t kMaxConnectionsPerPartner = 8;
// What a subscription costs libzmq is about 50 times its bytes. Nobody needs more than one.
constexpr uint64_t kMaxSubscriptionBytes = 16ULL * 1024;
// Messages to us are subscriptions of a view's name, and the handshake: 257 bytes and a client's metadata
// (ZeroMQ RFC 26).
constexpr int64_t kMaxMessageToPublisher = 2L * 1024;

class FeedGate {
 public:
  // A connection that takes no view for `idle_limit` is ended: it would not count among those that its partner may
  // have.
  // `log` outlives the gate.
  FeedGate(FeedLog& log, std::chrono::milliseconds idle_limit);

  // From here on its key is let in. The partner outlives the gate, or is removed before. No other has its key.
  void Add(FeedPartner& partner);
  // Its key is a stranger's from here on, and its connections are ended. One that was let in and has not asked for
  // anything yet is ended when it does, or when it is idle for too long; no view is granted to it.
  void Remove(FeedPartner& partner);

  // Sets the socket up; before it is bound.
  bool Open(const ZmqContext& context, ZmqSocket& publisher, const KeyPair& keys);
  void set_port(int port) { port_ = port; }
  // Handles what waits, within bounds; partners that were just granted their view are appended to `joined`.
  void Poll(std::vector<PartnerId>& joined);
  void Close();

  size_t NumConnections(const FeedPartner& partner) const { return ledger_.NumGranted(partner.id); }
  // Lets a suspended partner in again. False where it is not suspended.
  bool Readmit(FeedPartner& partner);
  // For a partner whose queue is full: of several connections, ends the one that takes nothing, so that it does not
  // starve the others. False when there is but one, or they are all alike. libzmq lets go of it soon after.
  bool EndStandingStill(const FeedPartner& partner);
  const FeedCounters& counters() const { return counters_; }

 private:
  enum class Kind : uint8_t { kSubscribe, kUnsubscribe, kMessage };
  struct Arrival;  // a message to us, with what libzmq knows of its sender

  using Clock = std::chrono::steady_clock;

  void ReadEvents();
  void EndIdle();
  void Count(ConnectionEvent event);
  std::variant<ZapAnswer, ZapRefusal> Decide(const std::string& public_key, std::string_view address);
  bool Receive(Arrival& arrival);
  void Handle(const Arrival& arrival, std::vector<PartnerId>& joined);
  void Subscribe(const FeedPartner& partner, ConnectionLedger::Connection& connection, const Arrival& arrival,
                 std::vector<PartnerId>& joined);
  void RefuseOneTooMany(const FeedPartner& partner, std::string_view address);
  void EndAll(PartnerId partner);
  void End(ConnectionLedger::Connection& connection);

  std::unordered_map<PartnerId, FeedPartner*> partners_;
  std::unordered_map<std::string, FeedPartner*> partner_of_key_;
  FeedLog& log_;
  ZmqSocket* publisher_ = nullptr;
  ZapHandler zap_;
  ConnectionMonitor monitor_;
  ConnectionLedger ledger_;
  std::unordered_map<int, Clock::time_point> idle_since_;  // of descriptors without a view
  Clock::time_point idle_seen_{};                          // when they were looked at last
  const std::chrono::milliseconds idle_limit_;
  FeedCounters counters_;  // those of refusals and connections
  bool in_doubt_ = false;  // libzmq's last connection may not be the message's sender
  int port_ = 0;
};

}  // namespace vedette
