#include "exporter/feed/publisher.h"

#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "exporter/feed/feed_log.h"
#include "exporter/feed/gate.h"
#include "exporter/feed/keys.h"
#include "exporter/feed/socket.h"
#include "exporter/feed/wire_format.h"
#include "parsers/base/counter.h"

namespace vedette {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Between two looks at a full queue or at partners that are to come.
constexpr std::chrono::microseconds kWaitStep{500};

// For libzmq's thread to let go of a connection that we ended. Once a connection, so even here nothing waits for long.
constexpr milliseconds kEndingLimit{20};

uint64_t MicrosecondsSince1970() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

std::string Timestamp() {
  const uint64_t now_ms = MicrosecondsSince1970() / 1000;
  const auto seconds = static_cast<time_t>(now_ms / 1000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  const size_t size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  (void)std::snprintf(text + size, sizeof(text) - size, ".%03uZ", static_cast<unsigned>(now_ms % 1000));
  return text;
}

// tcp://HOST:0 as libzmq writes it.
std::string BindEndpoint(const std::string& endpoint) {
  return endpoint.ends_with(":0") ? endpoint.substr(0, endpoint.size() - 1) + "*" : endpoint;
}

std::string BindError(const std::string& endpoint) {
  const std::string start = "feed endpoint " + endpoint + ": ";
  switch (zmq_errno()) {
    case EADDRINUSE:
      return start + "the port is taken; `ss -ltnp` shows by whom, or choose another";
    case EADDRNOTAVAIL:
    case ENODEV:
      return start + "this machine has no such address; use one of its own, or tcp://*:PORT for all";
    case EACCES:
      return start + "no right to use this port; choose one above 1023";
    case EINVAL:
      return start + "not understood; write it as tcp://ADDRESS:PORT";
    default:
      return start + "cannot listen: " + ZmqErrorText();
  }
}

bool CheckConfig(const FeedConfig& config, std::string& error) {
  if (!IsTcpEndpoint(config.endpoint)) {
    error = "feed endpoint '" + config.endpoint + "': write it as tcp://ADDRESS:PORT";
    return false;
  }
  if (config.partners.empty()) {
    error = "feed: no partner is configured; give each a name and the public key that it sent";
    return false;
  }
  if (config.batch_alerts == 0 || config.batch_alerts > kMaxBatchAlerts) {
    error = "feed: a batch has 1 to " + std::to_string(kMaxBatchAlerts) + " alerts";
    return false;
  }
  if (config.batch_delay.count() < 0 || config.heartbeat.count() <= 0 || config.high_water_mark <= 0 ||
      config.lossless_wait.count() < 0 || config.epoch > kMaxNumber) {
    error = "feed: the heartbeat and the high-water mark must be above 0, delays not negative";
    return false;
  }
  return true;
}

class Publisher final : public FeedPublisher {
 public:
  explicit Publisher(const FeedConfig& config)
      : config_(config),
        log_(config.log, config.warn),
        gate_(log_, config.idle_limit),
        epoch_(config.epoch == 0 ? MicrosecondsSince1970() : config.epoch) {}
  ~Publisher() override { Stop(milliseconds(0)); }

  bool Listen(std::string& error);
  std::optional<PartnerId> Add(const PartnerConfig& partner, std::string& error) override;
  bool Remove(PartnerId partner) override;
  std::optional<PartnerId> Find(std::string_view name) const override;
  void Publish(PartnerId partner, std::string_view json_line) override;
  void Poll() override;
  bool SetLossCounters(std::string json) override;
  bool WaitForPartners(milliseconds limit) override;
  bool Readmit(PartnerId partner) override;
  bool Close(milliseconds limit) override;
  std::string endpoint() const override { return endpoint_; }
  std::string public_key() const override { return public_key_; }
  uint64_t epoch() const override { return epoch_; }
  FeedCounters counters() const override;
  std::vector<PartnerStatus> partners() const override;

 private:
  // nullptr: it is none, or no more.
  FeedPartner* PartnerOf(PartnerId id) { return id < partners_.size() ? partners_[id].get() : nullptr; }
  bool Stopped() const { return config_.stop != nullptr && config_.stop->load(std::memory_order_relaxed); }
  void Flush(FeedPartner& partner);
  void Drop(FeedPartner& partner);
  // Waits for room until `until`.
  Sent SendWaiting(const FeedPartner& partner, std::string_view header, std::string_view body, Clock::time_point until);
  Sent SendEvent(const FeedPartner& partner, FeedEvent event, Clock::time_point until);
  void Stop(milliseconds linger);

  FeedConfig config_;
  ZmqContext context_;
  ZmqSocket socket_;
  FeedLog log_;
  FeedGate gate_;
  std::vector<std::unique_ptr<FeedPartner>> partners_;           // by id; null where one was removed
  std::map<std::string, uint64_t, std::less<>> former_numbers_;  // next of the views that ended, by name
  std::vector<PartnerId> joined_;                                // to be greeted with a heartbeat
  Clock::time_point next_heartbeat_ = {};
  std::string loss_ = "{}";
  std::string endpoint_;
  std::string public_key_;
  uint64_t epoch_;
  FeedCounters counters_;
};

bool Publisher::Listen(std::string& error) {
  KeyPair keys = config_.keys;
  config_.keys.Clear();  // libzmq has its own copy from here on
  if (keys.secret_key.empty() && !ReadSecretKey(config_.secret_key_file, keys, error)) return false;
  // With NODROP a full queue is an error of this send, and so can be counted. Only the pipes that match a message are
  // looked at, and those are one partner's.
  if (!socket_.Open(context_, ZMQ_XPUB) || !gate_.Open(context_, socket_, keys) || !socket_.Set(ZMQ_XPUB_NODROP, 1) ||
      !socket_.Set(ZMQ_SNDHWM, config_.high_water_mark) || !socket_.Set(ZMQ_LINGER, 0) ||
      !socket_.Set(ZMQ_IPV6, config_.endpoint.find('[') != std::string::npos ? 1 : 0)) {
    error = "feed: cannot set up the socket: " + ZmqErrorText();
    return false;
  }
  if (zmq_bind(socket_.get(), BindEndpoint(config_.endpoint).c_str()) != 0) {
    error = BindError(config_.endpoint);
    return false;
  }
  endpoint_ = socket_.GetText(ZMQ_LAST_ENDPOINT);
  const size_t colon = endpoint_.rfind(':');
  int port = 0;
  if (colon != std::string::npos) {
    std::from_chars(endpoint_.data() + colon + 1, endpoint_.data() + endpoint_.size(), port);
  }
  gate_.set_port(port);
  public_key_ = keys.public_key;
  next_heartbeat_ = Clock::now() + config_.heartbeat;
  return true;
}

std::optional<PartnerId> Publisher::Add(const PartnerConfig& partner, std::string& error) {
  if (!IsViewName(partner.name)) {
    error = "feed partner '" + partner.name + "': a name is 1 to 64 of a-z, 0-9 and '-'";
    return std::nullopt;
  }
  std::string key;
  if (!ReadPublicKey(partner.public_key, key, error)) {
    error.insert(0, "feed partner " + partner.name + ": ");
    return std::nullopt;
  }
  if (Find(partner.name)) {
    error = "feed partner " + partner.name + " is there twice; several machines of one partner share one entry";
    return std::nullopt;
  }
  for (const std::unique_ptr<FeedPartner>& other : partners_) {
    if (other == nullptr || other->public_key != key) continue;
    error = "feed partner " + partner.name + " has the key of another partner; each needs its own";
    return std::nullopt;
  }
  const PartnerId id = partners_.size();
  partners_.push_back(std::unique_ptr<FeedPartner>(
      new FeedPartner{.id = id, .name = partner.name, .public_key = std::move(key), .topic = TopicOf(partner.name)}));
  if (const auto former = former_numbers_.extract(partner.name); !former.empty()) partners_[id]->next = former.mapped();
  gate_.Add(*partners_[id]);
  return id;
}

bool Publisher::Remove(PartnerId id) {
  FeedPartner* const partner = PartnerOf(id);
  if (partner == nullptr) return false;
  if (partner->lines != 0) Drop(*partner);
  former_numbers_[partner->name] = partner->next;
  gate_.Remove(*partner);
  partners_[id].reset();
  return true;
}

std::optional<PartnerId> Publisher::Find(std::string_view name) const {
  for (const std::unique_ptr<FeedPartner>& partner : partners_) {
    if (partner != nullptr && partner->name == name) return partner->id;
  }
  return std::nullopt;
}

bool Publisher::Readmit(PartnerId id) {
  FeedPartner* const partner = PartnerOf(id);
  return partner != nullptr && gate_.Readmit(*partner);
}

void Publisher::Publish(PartnerId id, std::string_view json_line) {
  FeedPartner* const partner = PartnerOf(id);
  if (partner == nullptr || socket_.get() == nullptr) return;
  ++counters_.alerts;
  const bool oversized = json_line.size() > kMaxLineBytes;
  if (oversized || json_line.empty() || json_line.find('\n') != json_line.size() - 1) {
    // It keeps its number, so that the partner sees that something is missing.
    ++(oversized ? counters_.oversized_alerts : counters_.malformed_alerts);
    Flush(*partner);
    ++partner->next;
    return;
  }
  if (partner->lines == 0) {
    partner->first = partner->next;
    partner->due = Clock::now() + config_.batch_delay;
  }
  ++partner->next;
  ++partner->lines;
  partner->body += json_line;
  if (partner->lines >= config_.batch_alerts || partner->body.size() >= kFullBatchBytes) Flush(*partner);
}

// What is in its batch is lost to it.
void Publisher::Drop(FeedPartner& partner) {
  partner.dropped_alerts += partner.lines;
  counters_.dropped_alerts += partner.lines;
  ++counters_.dropped_batches;
}

void Publisher::Flush(FeedPartner& partner) {
  if (partner.lines == 0) return;
  const std::string header = WriteHeader({.event = FeedEvent::kAlerts,
                                          .schema = config_.schema,
                                          .epoch = epoch_,
                                          .first = partner.first,
                                          .count = partner.lines});
  const Clock::time_point until = partner.stalled || config_.lossless_wait.count() == 0
                                      ? Clock::time_point()
                                      : Clock::now() + config_.lossless_wait;
  ++counters_.batches;
  const bool heard = gate_.NumConnections(partner) != 0;
  Sent sent = SendWaiting(partner, header, partner.body, until);
  // One connection that stands still must not cost the others of its partner their alerts.
  while (sent == Sent::kFull && gate_.EndStandingStill(partner))
    sent = SendWaiting(partner, header, partner.body, Clock::now() + kEndingLimit);
  if (sent == Sent::kSent) {
    if (!heard) counters_.unheard_alerts += partner.lines;
    if (partner.stalled) {
      log_.Info("reads again " + partner.name, "feed: partner " + partner.name + " reads again; it lost " +
                                                   std::to_string(partner.dropped_in_stall) + " alerts");
    }
    partner.stalled = false;
    partner.dropped_in_stall = 0;
  } else {
    if (!partner.stalled)
      log_.Warn("too slow " + partner.name,
                "feed: partner " + partner.name + " reads too slowly, its queue is full; it loses alerts");
    partner.stalled = true;
    partner.dropped_in_stall += partner.lines;
    Drop(partner);
  }
  partner.lines = 0;
  partner.body.clear();
}

Sent Publisher::SendWaiting(const FeedPartner& partner, std::string_view header, std::string_view body,
                            Clock::time_point until) {
  const std::vector<std::string_view> frames = {partner.topic, header, body};
  Sent sent = SendFrames(socket_.get(), frames);
  if (sent != Sent::kFull) return sent;
  // libzmq learns only now and then what its network thread has sent; reading makes it look.
  gate_.Poll(joined_);
  sent = SendFrames(socket_.get(), frames);
  while (sent == Sent::kFull && Clock::now() < until && !Stopped()) {
    std::this_thread::sleep_for(kWaitStep);
    gate_.Poll(joined_);
    sent = SendFrames(socket_.get(), frames);
  }
  return sent;
}

Sent Publisher::SendEvent(const FeedPartner& partner, FeedEvent event, Clock::time_point until) {
  const std::string header = WriteHeader({.event = event,
                                          .schema = config_.schema,
                                          .epoch = epoch_,
                                          .last = partner.next - 1,
                                          .interval_ms = static_cast<uint64_t>(config_.heartbeat.count()),
                                          .dropped_alerts = partner.dropped_alerts,
                                          .time = Timestamp(),
                                          .loss = loss_});
  return SendWaiting(partner, header, {}, until);
}

void Publisher::Poll() {
  if (socket_.get() == nullptr) return;
  gate_.Poll(joined_);
  const Clock::time_point now = Clock::now();
  const bool heartbeat = now >= next_heartbeat_;
  const std::vector<PartnerId> greeted = std::exchange(joined_, {});
  for (const std::unique_ptr<FeedPartner>& partner : partners_) {
    if (partner == nullptr) continue;
    const bool joined = std::find(greeted.begin(), greeted.end(), partner->id) != greeted.end();
    if (heartbeat || joined || (partner->lines > 0 && now >= partner->due)) Flush(*partner);
    if (!heartbeat && !joined) continue;
    if (SendEvent(*partner, FeedEvent::kHeartbeat, {}) == Sent::kSent) ++counters_.heartbeats;
  }
  if (heartbeat) next_heartbeat_ = now + config_.heartbeat;
}

bool Publisher::SetLossCounters(std::string json) {
  if (!IsLossObject(json)) return false;
  loss_ = std::move(json);
  return true;
}

bool Publisher::WaitForPartners(milliseconds limit) {
  const Clock::time_point until = Clock::now() + limit;
  for (;;) {
    Poll();
    const auto connected = [this](const std::unique_ptr<FeedPartner>& partner) {
      return partner == nullptr || gate_.NumConnections(*partner) > 0;
    };
    if (std::all_of(partners_.begin(), partners_.end(), connected)) return true;
    if (Clock::now() >= until || Stopped()) return false;
    std::this_thread::sleep_for(kWaitStep);
  }
}

bool Publisher::Close(milliseconds limit) {
  if (socket_.get() == nullptr) return true;
  const Clock::time_point until = Clock::now() + limit;
  Poll();
  bool complete = true;
  for (const std::unique_ptr<FeedPartner>& partner : partners_) {
    if (partner == nullptr) continue;
    Flush(*partner);
    complete &= SendEvent(*partner, FeedEvent::kEnd, until) == Sent::kSent;
  }
  const Clock::time_point flushed = Clock::now();
  Stop(std::max(milliseconds(0), std::chrono::ceil<milliseconds>(until - flushed)));
  return complete && Clock::now() < until;
}

void Publisher::Stop(milliseconds linger) {
  if (socket_.get() != nullptr) socket_.Set(ZMQ_LINGER, static_cast<int>(linger.count()));
  gate_.Close();
  socket_.Close();
  context_.Terminate();
}

FeedCounters Publisher::counters() const {
  FeedCounters counters = counters_;
  AddCounters(counters, gate_.counters());
  return counters;
}

std::vector<PartnerStatus> Publisher::partners() const {
  std::vector<PartnerStatus> list;
  for (const std::unique_ptr<FeedPartner>& partner : partners_) {
    if (partner == nullptr) continue;
    list.push_back({.id = partner->id,
                    .name = partner->name,
                    .last = partner->next - 1,
                    .stalled = partner->stalled,
                    .counters = {.dropped_alerts = partner->dropped_alerts,
                                 .connections = gate_.NumConnections(*partner),
                                 .suspended = partner->suspended ? 1U : 0U}});
  }
  return list;
}

}  // namespace

std::unique_ptr<FeedPublisher> FeedPublisher::Open(const FeedConfig& config, std::string& error) {
  if (!CheckConfig(config, error)) return nullptr;
  auto publisher = std::make_unique<Publisher>(config);
  for (const PartnerConfig& partner : config.partners) {
    if (!publisher->Add(partner, error)) return nullptr;
  }
  if (!publisher->Listen(error)) return nullptr;
  return publisher;
}

}  // namespace vedette
