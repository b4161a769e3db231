#include "sensor/live/canary_runner.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "exporter/feed/subscriber.h"
#include "exporter/metrics/families.h"
#include "sensor/live/canary_frame.h"
#include "signatures/canary.h"

namespace vedette {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::seconds kListenAgain{2};  // after the listener was refused

// The name that a line of the canary's view tells of; empty for anything else.
std::string NameIn(std::string_view line) {
  const Json event = Json::parse(line, nullptr, false);
  if (!event.is_object() || !event.contains("event_type") || event["event_type"] != "canary") return {};
  const auto indicator = event.find("indicator");
  if (indicator == event.end() || !indicator->is_object()) return {};
  const auto value = indicator->find("matched_value");
  return value == indicator->end() || !value->is_string() ? std::string() : value->get<std::string>();
}

}  // namespace

std::string LoopbackOf(const std::string& endpoint) {
  const size_t colon = endpoint.rfind(':');
  const std::string host = endpoint.substr(0, colon);
  if (host == "tcp://0.0.0.0" || host == "tcp://*") return "tcp://127.0.0.1" + endpoint.substr(colon);
  if (host == "tcp://[::]") return "tcp://[::1]" + endpoint.substr(colon);
  return endpoint;
}

CanaryRunner::CanaryRunner(Parts parts, const CanaryConfig& config) : parts_(std::move(parts)), config_(config) {
  if (parts_.feed != nullptr) listener_ = std::thread([this] { Listen(); });
  worker_ = std::thread([this] { Work(); });
}

void CanaryRunner::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_.store(true);
  }
  wake_.notify_all();
  if (worker_.joinable()) worker_.join();
  if (listener_.joinable()) listener_.join();
}

uint64_t CanaryRunner::Request() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (requested_ <= last_.number) requested_ = last_.number + 1;
  wake_.notify_all();
  return requested_;
}

CanaryRunner::Outcome CanaryRunner::last() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return last_;
}

void CanaryRunner::AppendFigures(Figures& out) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  out.Add(families::kCanaries, "sent", static_cast<double>(sent_));
  out.Add(families::kCanaries, "arrived", static_cast<double>(num_arrived_));
  out.Add(families::kCanaries, "missed", static_cast<double>(missed_));
  out.Add(families::kCanaries, "foreign", static_cast<double>(parts_.watch->foreign()));
  out.Add(families::kCanaryFailing, failing_ ? 1 : 0);
  out.Add(families::kCanarySeconds, last_seconds_);
}

void CanaryRunner::Listen() {
  SubscribeConfig config;
  config.endpoint = LoopbackOf(parts_.endpoint);
  config.server_public_key = parts_.server_public_key;
  config.keys = parts_.keys;
  config.view = kCanaryView;
  config.on_heartbeat = [this] {
    const std::lock_guard<std::mutex> lock(mutex_);
    joined_ = true;
    wake_.notify_all();
  };
  while (!stopping_.load()) {
    const SubscribeSummary summary = Subscribe(
        config,
        [this](std::string_view line) {
          const std::string name = NameIn(line);
          const std::lock_guard<std::mutex> lock(mutex_);
          if (!name.empty() && name == awaited_) {
            arrived_ = true;
            wake_.notify_all();
          }
          return true;
        },
        [this](std::string_view event) {
          const std::lock_guard<std::mutex> lock(mutex_);
          listener_said_ = event;
        },
        stopping_);
    std::unique_lock<std::mutex> lock(mutex_);
    joined_ = false;
    if (!summary.error.empty()) listener_said_ = summary.error;
    wake_.wait_for(lock, kListenAgain, [&] { return stopping_.load(); });
  }
}

// False where it ended before.
bool CanaryRunner::Wait(std::unique_lock<std::mutex>& lock, Clock::time_point until, const bool& condition) {
  wake_.wait_until(lock, until, [&] { return stopping_.load() || condition; });
  return condition;
}

void CanaryRunner::Work() {
  Clock::time_point next = config_.interval.count() == 0 ? Clock::time_point::max() : Clock::now();
  for (;;) {
    uint64_t number = 0;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const auto due = [&] { return stopping_.load() || requested_ > last_.number; };
      if (next == Clock::time_point::max()) {
        wake_.wait(lock, due);
      } else {
        wake_.wait_until(lock, next, due);
      }
      if (stopping_.load()) return;
      number = last_.number + 1;
      requested_ = std::max(requested_, number);
      last_ = {};
      last_.number = number;
      last_.running = true;
    }
    const Outcome outcome = SendOne(number);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_.load()) return;  // cut short, which says nothing
    last_ = outcome;
    ++(outcome.arrived ? num_arrived_ : missed_);
    failing_ = !outcome.arrived;
    if (outcome.arrived) last_seconds_ = outcome.seconds;
    if (!outcome.arrived) parts_.log->Warn(fmt::format("canary {} missed: {}", outcome.name, outcome.missing));
    if (outcome.arrived && num_arrived_ == 1)
      parts_.log->Info(fmt::format("canary: the first one arrived after {:.0f} ms", outcome.seconds * 1000));
    if (config_.interval.count() != 0) next = Clock::now() + config_.interval;
  }
}

uint64_t CanaryRunner::Taken() const {
  uint64_t taken = 0;
  for (const InjectingSource* source : parts_.sources) taken += source->taken();
  return taken;
}

bool CanaryRunner::Inject(const Canary& canary, std::string& error) {
  std::vector<uint8_t> frame = FrameOf(canary);
  const size_t place = next_place_++;
  if (!parts_.wires.empty()) return parts_.wires[place % parts_.wires.size()]->Send(frame, error);
  parts_.sources[place % parts_.sources.size()]->Inject(std::move(frame));
  return true;
}

CanaryRunner::Outcome CanaryRunner::SendOne(uint64_t number) {
  const Canary canary = NewCanary();
  Outcome outcome;
  outcome.number = number;
  outcome.name = canary.name;
  if (parts_.feed != nullptr) {
    // What is published before the listener is there goes nowhere.
    std::unique_lock<std::mutex> lock(mutex_);
    if (!Wait(lock, Clock::now() + config_.time_out, joined_)) {
      outcome.missing = fmt::format("nothing was sent, because nobody can subscribe to the feed at {} ({})",
                                    LoopbackOf(parts_.endpoint), listener_said_.empty() ? "no answer" : listener_said_);
      return outcome;
    }
  }
  const uint64_t taken_before = Taken(), published_before = parts_.feed == nullptr ? 0 : parts_.feed->canaries();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    awaited_ = canary.name;
    arrived_ = false;
    ++sent_;
  }
  parts_.watch->Expect(canary);
  const auto sent_at = std::chrono::system_clock::now().time_since_epoch();
  const Clock::time_point begin = Clock::now();
  if (!Inject(canary, outcome.missing)) return outcome;
  const Clock::time_point end = begin + config_.time_out;
  std::unique_lock<std::mutex> lock(mutex_);
  if (parts_.feed == nullptr) {
    // The exporter calls nobody: it is looked at.
    constexpr std::chrono::milliseconds kLook{5};
    while (!arrived_ && !stopping_.load() && Clock::now() < end) {
      arrived_ = parts_.watch->Seen().has_value();
      if (!arrived_) wake_.wait_for(lock, kLook);
    }
  }
  outcome.arrived = Wait(lock, end, arrived_);
  outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  awaited_.clear();
  lock.unlock();
  if (const std::optional<uint64_t> seen = parts_.watch->Seen()) {
    const auto sent_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(sent_at).count();
    outcome.exporter_seconds = static_cast<double>(static_cast<int64_t>(*seen) - sent_ns) * 1e-9;
  }
  if (!outcome.arrived) outcome.missing = WhereLost(taken_before, published_before);
  return outcome;
}

std::string CanaryRunner::WhereLost(uint64_t taken_before, uint64_t published_before) const {
  if (!parts_.watch->Seen()) {
    if (!parts_.wires.empty())
      return "it was sent on the interface, but raised no alert: does `capture: filter` let it pass (UDP port 53 from "
             "192.0.2.1 to 192.0.2.53), and does the interface show what it sends?";
    if (Taken() == taken_before)
      return "no worker took it: the capture hangs or has ended; restart the sensor, and report what the log says";
    return "a worker took it, but it raised no alert: its queue to the exporter may be full, or the indicators in use "
           "hold no canary (`vedette status`)";
  }
  if (parts_.feed == nullptr || parts_.feed->canaries() == published_before)
    return "the exporter had its alert but did not publish it; restart the sensor, and report what the log says";
  const std::lock_guard<std::mutex> lock(mutex_);
  return fmt::format("its alert was published, but did not arrive at the feed's other end ({}: {})",
                     LoopbackOf(parts_.endpoint), listener_said_.empty() ? "no event" : listener_said_);
}

}  // namespace vedette
