// A feed on loopback and clients that do what the input says: partners, a stranger, one that does not encrypt, one that
// speaks no ZeroMQ. Each connects, subscribes, sends any bytes, goes away. Whatever they do, each receives its own view
// and nothing else, and a partner that behaves receives all of it.
//
// The input is a list of actions: a byte of what (the low three bits) and who (the next three), and a text where it
// sends.
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <zmq.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exporter/feed/keys.h"
#include "exporter/feed/publisher.h"
#include "exporter/feed/wire_format.h"
#include "tests/fuzz/input.h"

namespace {

using namespace vedette;
using Clock = std::chrono::steady_clock;

constexpr const char* kViews[] = {"cert-a", "cert-ab"};
enum Who : uint8_t { kPartnerA, kPartnerB, kStranger, kPlain, kRaw, kNumWho };
// More would only be slower: a handshake takes a millisecond.
constexpr int kMaxActions = 24;
constexpr size_t kMaxClients = 6;
// Far more than any step takes, on a machine that has other work too.
constexpr std::chrono::seconds kPatience{8};

const KeyPair& KeysOf(size_t who) {
  static const std::array<KeyPair, 4> keys = {NewKeyPair(), NewKeyPair(), NewKeyPair(), NewKeyPair()};
  return keys[who];
}
const KeyPair& ServerKeys() { return KeysOf(3); }

class Client {
 public:
  Client(Who who, const std::string& endpoint) : who_(who) {
    if (who == kRaw) {
      raw_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
      Check(raw_ >= 0 && connect(raw_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
      return;
    }
    context_ = zmq_ctx_new();
    socket_ = zmq_socket(context_, ZMQ_XSUB);  // filters nothing on its side, and sends what it is told to
    SetInt(ZMQ_LINGER, 0);
    SetInt(ZMQ_SNDTIMEO, 0);
    if (who != kPlain) {
      SetText(ZMQ_CURVE_SERVERKEY, ServerKeys().public_key);
      SetText(ZMQ_CURVE_PUBLICKEY, KeysOf(who).public_key);
      SetText(ZMQ_CURVE_SECRETKEY, KeysOf(who).secret_key);
    }
    Check(zmq_connect(socket_, endpoint.c_str()) == 0);
  }
  ~Client() {
    if (raw_ >= 0) close(raw_);
    if (socket_ != nullptr) zmq_close(socket_);
    if (context_ != nullptr) zmq_ctx_term(context_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view bytes) {
    if (raw_ >= 0) {
      (void)!send(raw_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      zmq_send(socket_, bytes.data(), bytes.size(), ZMQ_DONTWAIT);
    }
  }
  // Takes what has come and checks it; how many alerts it was.
  uint64_t Receive() {
    uint64_t alerts = 0;
    std::vector<std::string> frames;
    while (socket_ != nullptr && ReceiveMessage(frames)) {
      Check(who_ == kPartnerA || who_ == kPartnerB);
      const std::vector<std::string_view> views(frames.begin(), frames.end());
      FeedHeader header;
      std::vector<std::string_view> lines;
      Check(ReadMessage(views, TopicOf(kViews[who_]), header, lines) == WireError::kNone);
      for (const std::string_view line : lines) Check(line.find(std::string("\"") + kViews[who_] + "\"") != line.npos);
      alerts += lines.size();
    }
    return alerts;
  }
  Who who() const { return who_; }

 private:
  bool ReceiveMessage(std::vector<std::string>& frames) {
    frames.clear();
    for (int more = 1; more != 0;) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      if (zmq_msg_recv(&message, socket_, ZMQ_DONTWAIT) < 0) return false;
      frames.emplace_back(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
      more = zmq_msg_more(&message);
      zmq_msg_close(&message);
    }
    return true;
  }
  void SetInt(int option, int value) { Check(zmq_setsockopt(socket_, option, &value, sizeof(value)) == 0); }
  void SetText(int option, const std::string& value) {
    Check(zmq_setsockopt(socket_, option, value.data(), value.size()) == 0);
  }

  Who who_;
  int raw_ = -1;
  void* context_ = nullptr;
  void* socket_ = nullptr;
};

void PublishTo(FeedPublisher& feed, size_t partner) {
  feed.Publish(partner, std::string(R"({"view":")") + kViews[partner] + "\"}\n");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  std::string error;
  FeedConfig config;
  config.endpoint = "tcp://127.0.0.1:*";
  config.keys = ServerKeys();
  config.partners = {{kViews[0], KeysOf(0).public_key}, {kViews[1], KeysOf(1).public_key}};
  config.log = [](std::string_view line) { Check(line.find('\n') == line.npos); };
  const std::unique_ptr<FeedPublisher> feed = FeedPublisher::Open(config, error);
  Check(feed != nullptr);

  std::vector<std::unique_ptr<Client>> clients;
  uint64_t published[2] = {0, 0};
  const auto poll = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      feed->Poll();
      for (const auto& client : clients) client->Receive();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  };
  for (int i = 0; i < kMaxActions && !input.empty(); ++i) {
    const uint8_t action = input.Byte();
    const uint8_t who = action >> 3 & 7;
    Client* client = clients.empty() ? nullptr : clients[who % clients.size()].get();
    switch (action & 7) {
      case 0:
        if (clients.size() < kMaxClients) {
          clients.push_back(std::make_unique<Client>(static_cast<Who>(who % kNumWho), feed->endpoint()));
        }
        break;
      case 1:
        if (client != nullptr) client->Send(input.Text());
        break;
      case 2:  // a subscription, to its own view or another's
        if (client != nullptr) client->Send(std::string("\x01") + kViews[(action >> 6 ^ client->who()) & 1] + "/");
        break;
      case 3:
        if (client != nullptr) client->Send("\x01" + std::string(input.Text()));
        break;
      case 4:
        if (client != nullptr) client->Send(std::string(1, '\0') + std::string(input.Text()));
        break;
      case 5:
        if (!clients.empty()) clients.erase(clients.begin() + who % static_cast<ptrdiff_t>(clients.size()));
        break;
      case 6:
        PublishTo(*feed, who & 1);
        ++published[who & 1];
        break;
      default:
        poll(1 + who);
    }
  }
  poll(4);
  const FeedCounters after = feed->counters();
  Check(after.alerts == published[0] + published[1]);
  Check(after.dropped_alerts == 0 && after.malformed_alerts == 0 && after.oversized_alerts == 0);

  // Whoever was not told off is served as if nothing had been.
  bool suspended = false;
  for (const auto& client : clients) suspended |= client->who() == kPartnerB;
  suspended |= after.protocol_breaches != 0;
  if (!suspended) {
    clients.push_back(std::make_unique<Client>(kPartnerB, feed->endpoint()));
    Client& fresh = *clients.back();
    fresh.Send(std::string("\x01") + kViews[1] + "/");
    const Clock::time_point until = Clock::now() + kPatience;
    while (feed->partners()[1].counters.connections == 0) {
      Check(Clock::now() < until);
      feed->Poll();
      fresh.Receive();  // libzmq subscribes anew, where it had to connect again, only when it is called
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    PublishTo(*feed, 1);
    for (uint64_t alerts = 0; alerts == 0; alerts += fresh.Receive()) {
      Check(Clock::now() < until);
      feed->Poll();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  feed->Close(std::chrono::milliseconds(0));
  return 0;
}
