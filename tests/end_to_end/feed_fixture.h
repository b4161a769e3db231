// A publisher on loopback, partners with keys, and clients that behave well or badly.
#pragma once

#include <gtest/gtest.h>
#include <zmq.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "exporter/feed/keys.h"
#include "exporter/feed/publisher.h"
#include "exporter/feed/subscriber.h"

namespace vedette {

using namespace std::chrono_literals;

// No wait of a test is longer.
constexpr std::chrono::seconds kLimit{60};

// The line that a test publishes as alert number `n` of `view`.
inline std::string Line(const std::string& view, uint64_t n, size_t padding = 0) {
  std::string line = R"({"view":")";
  line += view;
  line += R"(","n":)";
  line += std::to_string(n);
  line += R"(,"pad":")";
  line.append(padding, 'x');
  line += "\"}\n";
  return line;
}

// Subscribe() in a thread.
class Subscriber {
 public:
  explicit Subscriber(SubscribeConfig config, std::chrono::microseconds per_line = 0us)
      : thread_([this, config, per_line] {
          summary_ = Subscribe(
              config,
              [this, per_line](std::string_view line) {
                if (per_line.count() > 0) std::this_thread::sleep_for(per_line);
                const std::lock_guard lock(mutex_);
                lines_.emplace_back(line);
                return true;
              },
              [this](std::string_view event) {
                const std::lock_guard lock(mutex_);
                events_ += event;
                events_ += '\n';
              },
              stop_);
          done_ = true;
        }) {}
  ~Subscriber() { Stop(); }

  const SubscribeSummary& Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return summary_;
  }
  bool done() const { return done_; }
  size_t num_lines() const {
    const std::lock_guard lock(mutex_);
    return lines_.size();
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::string events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  bool Said(const std::string& text) const { return events().find(text) != std::string::npos; }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
  std::string events_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  SubscribeSummary summary_;
  std::thread thread_;
};

// A libzmq socket as any program may have one. Waits in Receive are short.
class RawClient {
 public:
  explicit RawClient(int type) : context_(zmq_ctx_new()), socket_(zmq_socket(context_, type)) {
    SetInt(ZMQ_LINGER, 200);
    SetInt(ZMQ_RCVTIMEO, 20);
    SetInt(ZMQ_SNDTIMEO, 1000);
  }
  ~RawClient() { Close(); }
  void Close() {
    if (context_ == nullptr) return;
    zmq_close(socket_);
    zmq_ctx_term(context_);
    context_ = nullptr;
  }
  void SetInt(int option, int value) { ASSERT_EQ(zmq_setsockopt(socket_, option, &value, sizeof(value)), 0); }
  void SetText(int option, const std::string& value) {
    ASSERT_EQ(zmq_setsockopt(socket_, option, value.data(), value.size()), 0);
  }
  void SetKeys(const KeyPair& own, const std::string& server_key) {
    SetText(ZMQ_CURVE_SERVERKEY, server_key);
    SetText(ZMQ_CURVE_PUBLICKEY, own.public_key);
    SetText(ZMQ_CURVE_SECRETKEY, own.secret_key);
  }
  void Connect(const std::string& endpoint) { ASSERT_EQ(zmq_connect(socket_, endpoint.c_str()), 0); }
  void Send(const std::string& bytes) { zmq_send(socket_, bytes.data(), bytes.size(), 0); }
  void Subscribe(const std::string& topic) { Send("\x01" + topic); }  // of an XSUB
  // The next message's frames, joined with '|'; empty when nothing comes.
  std::string Receive() {
    std::string text;
    for (bool more = true; more;) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      if (zmq_msg_recv(&message, socket_, 0) < 0) {
        zmq_msg_close(&message);
        return {};
      }
      more = zmq_msg_more(&message) != 0;
      text.append(static_cast<const char*>(zmq_msg_data(&message)), zmq_msg_size(&message));
      if (more) text += '|';
      zmq_msg_close(&message);
    }
    return text;
  }
  // Everything that comes until nothing comes any more.
  std::string ReceiveAll() {
    std::string all;
    for (std::string one = Receive(); !one.empty(); one = Receive()) all += one + "\n";
    return all;
  }
  void* socket() { return socket_; }

 private:
  void* context_;
  void* socket_;
};

class FeedFixture : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "vedette-feed-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    for (const char* who : {"server", "cert-a", "cert-ab", "stranger"}) MakeKeys(who);
    config_.endpoint = "tcp://127.0.0.1:*";
    config_.secret_key_file = Path("server.key");
    config_.partners = {{"cert-a", keys_["cert-a"].public_key}, {"cert-ab", Path("cert-ab.pub")}};
    config_.log = [this](std::string_view line) { log_ += std::string(line) + "\n"; };
  }
  void TearDown() override {
    publisher_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return (folder_ / name).string(); }
  void MakeKeys(const std::string& who) {
    std::string error;
    keys_[who] = NewKeyPair();
    ASSERT_TRUE(WriteKeyPair(keys_[who], Path(who), error)) << error;
  }
  void OpenFeed() {
    std::string error;
    publisher_ = FeedPublisher::Open(config_, error);
    ASSERT_NE(publisher_, nullptr) << error;
  }
  SubscribeConfig As(const std::string& who) const {
    SubscribeConfig config;
    config.endpoint = publisher_->endpoint();
    config.server_public_key = Path("server.pub");
    config.secret_key_file = Path(who + ".key");
    config.view = who;
    config.idle_seconds = static_cast<uint32_t>(kLimit.count());
    return config;
  }
  // A client that speaks for itself: with an XSUB socket nothing is filtered on its side.
  std::unique_ptr<RawClient> Raw(const std::string& who, int type = ZMQ_XSUB, int receive_high_water_mark = 1000) {
    auto client = std::make_unique<RawClient>(type);
    client->SetInt(ZMQ_RCVHWM, receive_high_water_mark);
    client->SetKeys(keys_.at(who), keys_.at("server").public_key);
    client->Connect(publisher_->endpoint());
    return client;
  }
  // Polls the publisher until `condition` holds.
  bool PollUntil(const std::function<bool()>& condition, std::chrono::milliseconds limit = kLimit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() >= until) return false;
      publisher_->Poll();
      std::this_thread::sleep_for(1ms);
    }
    return true;
  }
  void PollFor(std::chrono::milliseconds time) {
    PollUntil([] { return false; }, time);
  }
  // What `client` receives until `text` came; and what comes right after it.
  std::string HearUntil(RawClient& client, const std::string& text) {
    std::string heard;
    EXPECT_TRUE(PollUntil([&] {
      heard += client.ReceiveAll();
      return heard.find(text) != std::string::npos;
    })) << "no "
        << text << " in " << heard;
    return heard + client.ReceiveAll();
  }
  // Every alert handed to Publish reached its partner, or is counted under the one reason why not.
  void ExpectAccounted(uint64_t received) const {
    const FeedCounters counters = publisher_->counters();
    EXPECT_EQ(counters.alerts, received + counters.dropped_alerts + counters.unheard_alerts +
                                   counters.oversized_alerts + counters.malformed_alerts);
  }
  bool Logged(const std::string& text) const { return log_.find(text) != std::string::npos; }
  size_t Connections(size_t partner) const { return publisher_->partners()[partner].counters.connections; }

  std::filesystem::path folder_;
  std::map<std::string, KeyPair> keys_;
  FeedConfig config_;
  std::string log_;
  std::unique_ptr<FeedPublisher> publisher_;
};

}  // namespace vedette
