#include "exporter/feed/subscriber.h"

#include <zmq.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "exporter/feed/keys.h"
#include "exporter/feed/monitor.h"
#include "exporter/feed/sequence.h"
#include "exporter/feed/socket.h"
#include "exporter/feed/wire_format.h"

namespace vedette {
namespace {

using Clock = std::chrono::steady_clock;

// How soon `stop` is noticed.
constexpr long kPollMs = 100;
// A sensor that was started anew is back within seconds, and what it sends before we are is lost: the first minute we
// knock as pyzmq does, every 100 to 200 ms. libzmq's own back-off (ZMQ_RECONNECT_IVL_MAX) doubles each wait, so that it
// comes back late by up to the time that the sensor was away. After the minute we knock more seldom, at whose door
// nobody is.
constexpr int kReconnectMs = 100;
constexpr int kPatientReconnectMs = 2'000;
constexpr std::chrono::seconds kImpatience{60};
// A host that is down answers nothing: the kernel's own attempts take two minutes, with pauses of up to one.
constexpr int kConnectMs = 5'000;
// How long after a connection's end libzmq has to say that it tries again.
constexpr std::chrono::seconds kOwnReconnect{1};
// A server whose key we have wrong ends the handshake without a word. So does one that restarts at that moment, hence
// more than once.
constexpr int kSilentEndsBeforeError = 3;
// Messages read before connection events are looked at again.
constexpr int kMessagesPerRound = 1'000;
// A sensor that knows us and does not let us in now (suspended, too many connections) is asked again after the first
// pause, then after twice as long each time up to the longest.
constexpr std::chrono::seconds kFirstPause{2};
constexpr std::chrono::seconds kLongestPause{300};
// Losses are said at most so often.
constexpr std::chrono::seconds kDroppedSaidEvery{60};
constexpr std::chrono::seconds kLossSaidEvery{600};
// Silence longer than this many heartbeats is worth a sentence.
constexpr uint64_t kHeartbeatsOfSilence = 3;
// Largest frame, encrypted: CURVE adds 33 bytes (ZeroMQ RFC 26). A hostile server must not make us hold more.
constexpr int64_t kMaxMessageBytes = static_cast<int64_t>(kMaxBodyBytes) + 64;
constexpr size_t kMaxFrames = 3;

class Subscription {
 public:
  Subscription(const SubscribeConfig& config, const std::function<bool(std::string_view)>& on_line,
               const std::function<void(std::string_view)>& on_event)
      : config_(config), on_line_(on_line), on_event_(on_event) {}

  SubscribeSummary Run(const std::atomic<bool>& stop);

 private:
  bool Connect();
  bool Fail(std::string error) {
    summary_.error = std::move(error);
    return false;
  }
  // These return false once it has ended.
  bool ReadEvents();
  bool OnEvent(ConnectionEvent event);
  bool ReadMessages();
  bool OnMessage();
  bool OnAlerts();
  void OnLosses();
  bool OnRefusedNow();
  // `heard` is the last number heard of before this message.
  void Report(const SequenceTracker::Arrival& arrival, uint64_t first, uint64_t heard);
  bool CheckSilence();
  // Connected, and yet no message of this view, ever.
  bool NothingCame() const { return connected_ && !heard_ && summary_.malformed == 0; }
  bool FailOnView() {
    return Fail("connected, but nothing comes: is the view `" + config_.view +
                "` right? It is the name that the operator gave to our key");
  }
  bool CheckConnection();
  bool Reconnect(int interval_ms);
  void TellPosition(uint64_t last, bool jump) {
    if (config_.on_position) config_.on_position({sequence_.epoch(), last, epoch_ended_}, jump);
  }

  const SubscribeConfig& config_;
  const std::function<bool(std::string_view)>& on_line_;
  const std::function<void(std::string_view)>& on_event_;
  SubscribeSummary summary_;
  std::string topic_;
  ZmqContext context_;
  ZmqSocket socket_;
  ConnectionMonitor monitor_;
  SequenceTracker sequence_;
  std::vector<std::string> frames_;
  std::vector<std::string_view> views_;
  std::vector<std::string_view> lines_;
  FeedHeader header_;
  Clock::time_point last_message_;
  uint64_t interval_ms_ = 0;                        // of heartbeats, once one came
  bool heard_ = false;                              // a message of this view
  bool drained_ = true;                             // no message is waiting
  bool patient_ = false;                            // we knock seldom
  std::optional<Clock::time_point> lost_at_;        // not connected since
  std::optional<Clock::time_point> reconnect_due_;  // unless libzmq does it first
  std::chrono::seconds pause_ = kFirstPause;        // before the next attempt, where the sensor does not let us in now
  bool refused_now_ = false;                        // so it was at the last attempt
  bool connected_ = false;
  Clock::time_point authenticated_at_;
  uint64_t dropped_before_ = 0;  // in earlier epochs
  std::optional<Clock::time_point> dropped_said_, loss_said_;
  uint64_t dropped_last_said_ = 0;
  bool epoch_ended_ = false;  // the end of the epoch came
  int silent_ends_ = 0;
  bool said_unreachable_ = false;
  bool said_silent_ = false;
};

bool Subscription::Connect() {
  if (!IsViewName(config_.view)) return Fail("view '" + config_.view + "': a name is 1 to 64 of a-z, 0-9 and '-'");
  if (!IsTcpEndpoint(config_.endpoint) || config_.endpoint.ends_with('*')) {
    return Fail("endpoint '" + config_.endpoint + "': write it as tcp://ADDRESS:PORT");
  }
  topic_ = TopicOf(config_.view);
  KeyPair own = config_.keys;
  std::string server_key;
  std::string error;
  if (own.secret_key.empty() && !ReadSecretKey(config_.secret_key_file, own, error)) return Fail(error);
  if (!ReadPublicKey(config_.server_public_key, server_key, error)) return Fail("the server's key: " + error);
  const bool ready =
      socket_.Open(context_, ZMQ_SUB) && socket_.Set(ZMQ_LINGER, 0) && socket_.Set(ZMQ_CURVE_SERVERKEY, server_key) &&
      socket_.Set(ZMQ_CURVE_PUBLICKEY, own.public_key) && socket_.Set(ZMQ_CURVE_SECRETKEY, own.secret_key) &&
      socket_.Set(ZMQ_MAXMSGSIZE, kMaxMessageBytes) && socket_.Set(ZMQ_RECONNECT_IVL, kReconnectMs) &&
      socket_.Set(ZMQ_CONNECT_TIMEOUT, kConnectMs) && socket_.Set(ZMQ_TCP_KEEPALIVE, 1) &&
      socket_.Set(ZMQ_TCP_KEEPALIVE_IDLE, 30) && socket_.Set(ZMQ_TCP_KEEPALIVE_INTVL, 10) &&
      socket_.Set(ZMQ_TCP_KEEPALIVE_CNT, 3) && socket_.Set(ZMQ_IPV6, config_.endpoint.find('[') != std::string::npos) &&
      socket_.Set(ZMQ_SUBSCRIBE, std::string_view(topic_)) && monitor_.Open(context_, socket_, "subscriber-monitor");
  if (!ready) return Fail("cannot set up the socket: " + ZmqErrorText());
  if (zmq_connect(socket_.get(), config_.endpoint.c_str()) != 0) {
    return Fail("endpoint '" + config_.endpoint + "': " + ZmqErrorText() + "; write it as tcp://ADDRESS:PORT");
  }
  return true;
}

SubscribeSummary Subscription::Run(const std::atomic<bool>& stop) {
  if (!Connect()) return summary_;
  if (config_.after.epoch != 0) {
    sequence_.GoOnAfter(config_.after.epoch, config_.after.last);
    epoch_ended_ = config_.after.ended;
  }
  last_message_ = Clock::now();
  lost_at_ = last_message_;
  zmq_pollitem_t items[] = {{socket_.get(), 0, ZMQ_POLLIN, 0}, {monitor_.socket(), 0, ZMQ_POLLIN, 0}};
  while (!stop.load(std::memory_order_relaxed)) {
    zmq_poll(items, 2, kPollMs);
    // What was received before a connection ended still counts, so messages go first.
    if (!ReadMessages() || !ReadEvents() || !CheckConnection() || !CheckSilence()) break;
  }
  monitor_.Close();
  return summary_;
}

bool Subscription::ReadEvents() {
  ConnectionEvent event{};
  while (monitor_.Next(event)) {
    if (!OnEvent(event)) return false;
  }
  return true;
}

bool Subscription::OnEvent(ConnectionEvent event) {
  switch (event) {
    case ConnectionEvent::kAuthenticated:
      reconnect_due_.reset();
      lost_at_.reset();
      silent_ends_ = 0;
      said_unreachable_ = false;
      refused_now_ = false;
      connected_ = true;
      pause_ = kFirstPause;
      authenticated_at_ = Clock::now();
      summary_.authenticated = true;
      ++summary_.connections;
      on_event_("connected to " + config_.endpoint);
      return true;
    case ConnectionEvent::kRefused:
      return Fail(config_.endpoint + " does not know our public key; send it the .pub file that belongs to " +
                  config_.secret_key_file);
    case ConnectionEvent::kRefusedNow:
      return OnRefusedNow();
    case ConnectionEvent::kNotCurve:
      return Fail(config_.endpoint + " does not encrypt, so it is not the feed; check address and port");
    case ConnectionEvent::kWrongKey:
      return Fail(config_.endpoint +
                  " has another key than the one we were given; ask the operator for the current one");
    case ConnectionEvent::kHandshakeBroken:
      return Fail(config_.endpoint + " does not speak the feed's protocol; check address and port");
    case ConnectionEvent::kHandshakeEnded:
      if (++silent_ends_ < kSilentEndsBeforeError) return true;
      return Fail(config_.endpoint + " ends the handshake " + std::to_string(silent_ends_) +
                  " times: most likely the server's public key that we were given is not its current one, or this is "
                  "not the feed");
    case ConnectionEvent::kDisconnected:
      connected_ = false;
      if (!lost_at_) lost_at_ = Clock::now();
      if (refused_now_) return true;
      reconnect_due_ = Clock::now() + kOwnReconnect;
      if (silent_ends_ == 0) on_event_("disconnected from " + config_.endpoint + ", trying again");
      return true;
    case ConnectionEvent::kRetry:
      if (refused_now_) return true;
      reconnect_due_.reset();
      if (!lost_at_) lost_at_ = Clock::now();
      if (!said_unreachable_ && silent_ends_ == 0) on_event_(config_.endpoint + " cannot be reached yet; still trying");
      said_unreachable_ = true;
      return true;
    case ConnectionEvent::kAccepted:
    case ConnectionEvent::kConnected:
    case ConnectionEvent::kAcceptFailed:
      return true;
  }
  return true;
}

bool Subscription::OnRefusedNow() {
  refused_now_ = true;
  reconnect_due_ = Clock::now() + pause_;
  on_event_(config_.endpoint +
            " knows us and does not let us in now: its operator has suspended us, or we have too many "
            "connections; trying again in " +
            std::to_string(pause_.count()) + " s");
  pause_ = std::min(2 * pause_, kLongestPause);
  return true;
}

bool Subscription::ReadMessages() {
  for (int i = 0; i < kMessagesPerRound; ++i) {
    const Receipt receipt = ReceiveFrames(socket_.get(), kMaxFrames, frames_);
    drained_ = receipt == Receipt::kNothing;
    if (drained_) return true;
    if (receipt == Receipt::kFailed) return Fail("cannot receive: " + ZmqErrorText());
    last_message_ = Clock::now();
    said_silent_ = false;
    if (!OnMessage()) return false;
  }
  return true;
}

bool Subscription::OnMessage() {
  views_.assign(frames_.begin(), frames_.end());
  const WireError error = ReadMessage(views_, topic_, header_, lines_);
  if (error != WireError::kNone) {
    ++summary_.malformed;
    on_event_("ignored a message: " + std::string(Describe(error)));
    return true;
  }
  switch (header_.event) {
    case FeedEvent::kAlerts:
      return OnAlerts();
    case FeedEvent::kOther:
      return true;
    case FeedEvent::kHeartbeat:
    case FeedEvent::kEnd:
      break;
  }
  const uint64_t heard = sequence_.next() - 1;
  Report(sequence_.OnLast(header_.epoch, header_.last), header_.last + 1, heard);
  interval_ms_ = header_.interval_ms;
  OnLosses();
  if (header_.event == FeedEvent::kHeartbeat) {
    TellPosition(sequence_.next() - 1, false);
    ++summary_.heartbeats;
    if (config_.on_heartbeat) config_.on_heartbeat();
    return true;
  }
  summary_.ended = true;
  epoch_ended_ = true;
  TellPosition(sequence_.next() - 1, false);
  on_event_("end of the feed after alert " + std::to_string(header_.last));
  return !config_.stop_at_end;
}

// What a heartbeat says is lost. Each is said when it rises, at a bounded rate; the summary has the last state.
void Subscription::OnLosses() {
  const Clock::time_point now = Clock::now();
  const auto due = [now](std::optional<Clock::time_point>& said, std::chrono::seconds interval) {
    if (said && now - *said < interval) return false;
    said = now;
    return true;
  };
  summary_.dropped_by_sensor = dropped_before_ + header_.dropped_alerts;
  if (summary_.dropped_by_sensor > dropped_last_said_ && due(dropped_said_, kDroppedSaidEvery)) {
    dropped_last_said_ = summary_.dropped_by_sensor;
    on_event_("the sensor has dropped " + std::to_string(summary_.dropped_by_sensor) +
              " alerts for us, because we read too slowly");
  }
  // The first is where it stands when we come; a sensor that starts anew has lost nothing.
  const bool changed = !summary_.loss.empty() && header_.loss != summary_.loss && header_.loss != "{}";
  summary_.loss = header_.loss;
  if (changed && due(loss_said_, kLossSaidEvery)) on_event_("the sensor could not see everything: " + summary_.loss);
}

bool Subscription::OnAlerts() {
  const uint64_t heard = sequence_.next() - 1;
  const SequenceTracker::Arrival arrival = sequence_.OnAlerts(header_.epoch, header_.first, header_.count);
  Report(arrival, header_.first, heard);
  ++summary_.batches;
  summary_.duplicates += arrival.skip;
  for (size_t i = arrival.skip; i < lines_.size(); ++i) {
    if (!on_line_(lines_[i])) return false;
    ++summary_.alerts;
    if (config_.stop_after != 0 && summary_.alerts >= config_.stop_after) {
      TellPosition(header_.first + i, false);
      return false;
    }
  }
  TellPosition(sequence_.next() - 1, false);
  return true;
}

void Subscription::Report(const SequenceTracker::Arrival& arrival, uint64_t first, uint64_t heard) {
  if (arrival.new_epoch) {
    const bool known_before = summary_.epochs > 0 || config_.after.epoch != 0;
    // Of the epoch in which an earlier run ended, when the first message of this run is of another.
    const bool was_away = known_before && !heard_;
    ++summary_.epochs;
    dropped_before_ = summary_.dropped_by_sensor;
    std::string text = "epoch " + std::to_string(sequence_.epoch()) + " begins";
    if (known_before) text = "the sensor has restarted: " + text;
    if (arrival.went_back && known_before) text += ", lower than the previous one: its clock was set back";
    if (known_before && !epoch_ended_) {
      ++summary_.unknown_tails;
      text += was_away ? "; while we were away, epoch " + std::to_string(config_.after.epoch) + " ended"
                       : std::string("; the previous epoch had no end");
      text += ": whether alerts followed its number " + std::to_string(heard) + " is not known";
    }
    epoch_ended_ = false;
    if (arrival.before > 0) text += "; " + std::to_string(arrival.before) + " alerts were sent before we joined";
    on_event_(text);
  }
  heard_ = true;
  summary_.before += arrival.before;
  if (arrival.new_epoch || arrival.missing != 0) TellPosition(first - 1, true);
  if (arrival.missing == 0) return;
  ++summary_.gaps;
  summary_.missing += arrival.missing;
  on_event_("gap: alerts " + std::to_string(first - arrival.missing) + " to " + std::to_string(first - 1) +
            " of epoch " + std::to_string(sequence_.epoch()) + " are missing");
}

bool Subscription::Reconnect(int interval_ms) {
  // The interval holds for connections made after it was set. What is waiting would be lost: callers see that nothing
  // is.
  zmq_disconnect(socket_.get(), config_.endpoint.c_str());
  if (socket_.Set(ZMQ_RECONNECT_IVL, interval_ms) && zmq_connect(socket_.get(), config_.endpoint.c_str()) == 0) {
    patient_ = interval_ms == kPatientReconnectMs;
    return true;
  }
  return Fail("cannot reconnect to " + config_.endpoint + ": " + ZmqErrorText());
}

bool Subscription::CheckConnection() {
  if (!drained_) return true;
  const Clock::time_point now = Clock::now();
  if (lost_at_ && !refused_now_) {
    const bool patience_due = now - *lost_at_ >= kImpatience;
    if (patience_due != patient_) return Reconnect(patience_due ? kPatientReconnectMs : kReconnectMs);
  }
  // After a message that breaks ZMTP, as one over the limit does, libzmq gives the connection up for good.
  if (!reconnect_due_ || now < *reconnect_due_) return true;
  reconnect_due_.reset();
  if (!refused_now_) {
    ++summary_.malformed;
    on_event_("the connection ended on a message that breaks the protocol or is too large; reconnecting");
  }
  return Reconnect(patient_ ? kPatientReconnectMs : kReconnectMs);
}

bool Subscription::CheckSilence() {
  const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_message_).count();
  if (config_.idle_seconds != 0 && silence >= 1000 * static_cast<int64_t>(config_.idle_seconds)) {
    if (refused_now_) return Fail(config_.endpoint + " knows us and does not let us in; ask its operator why");
    if (NothingCame()) return FailOnView();
    if (!summary_.authenticated) {
      return Fail(config_.endpoint + " cannot be reached; check address and port, and that the sensor runs");
    }
    on_event_("nothing for " + std::to_string(config_.idle_seconds) + " s, stopping");
    return false;
  }
  if (NothingCame() && Clock::now() - authenticated_at_ >= config_.greeting_limit) return FailOnView();
  if (interval_ms_ != 0 && !said_silent_ && static_cast<uint64_t>(silence) / kHeartbeatsOfSilence >= interval_ms_) {
    said_silent_ = true;
    on_event_("no sign of life from the sensor for " + std::to_string(silence / 1000) + " s");
  }
  return true;
}

}  // namespace

SubscribeSummary Subscribe(const SubscribeConfig& config, const std::function<bool(std::string_view)>& on_line,
                           const std::function<void(std::string_view)>& on_event, const std::atomic<bool>& stop) {
  return Subscription(config, on_line, on_event).Run(stop);
}

}  // namespace vedette
