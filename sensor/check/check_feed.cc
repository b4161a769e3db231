#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "exporter/feed/keys.h"
#include "exporter/feed/publisher.h"
#include "exporter/metrics/metrics_endpoint.h"
#include "sensor/check/parts.h"
#include "sensor/commands/progress.h"
#include "sensor/live/control.h"
#include "sensor/live/self_watch.h"

namespace vedette {
namespace {

// Whether the sensor that runs with this configuration answers: what it holds is not taken by a stranger.
bool OurSensorRuns(const Config& config) {
  nlohmann::json status;
  std::string error;
  return !config.control.empty() &&
         AskSensor(config.control, {{"command", "status"}}, status, error) == AskOutcome::kAnswered &&
         status.value("sensor", std::string()) == config.sensor_name;
}

void CheckPartners(const Config& config, const KeyPair& keys, const IndicatorSet* set, CheckReport& report) {
  const bool any_unmarked = std::any_of(config.clearances.begin(), config.clearances.end(), [](const Clearance& one) {
    return !one.unmarked_sources.empty() && one.max_tlp >= Tlp::kAmberStrict;
  });
  if (!config.clearances.empty() && !config.clearances[0].unmarked_sources.empty() && !any_unmarked)
    report.Warn("feed",
                "`unmarked_sources` has no effect: indicators without TLP are amber+strict, and no partner has such a "
                "`max_tlp`");
  if (config.feed.partners.empty())
    report.Warn("feed", "there are no partners; alerts go to nobody but `output`, if that is set");
  for (size_t i = 0; i < config.feed.partners.size(); ++i) {
    const PartnerConfig& partner = config.feed.partners[i];
    const Clearance& clearance = config.clearances[i];
    if (!keys.public_key.empty() && partner.public_key == keys.public_key)
      report.Error("feed", fmt::format("partner {} has the sensor's own key; ask it for its .pub file", partner.name));
    if (clearance.originators.empty()) {
      report.Warn("feed", fmt::format("partner {} has no `originators` and can never receive anything", partner.name));
      continue;
    }
    if (set == nullptr) continue;
    uint64_t permitted = 0;
    for (uint32_t index = 0; index < set->size(); ++index) permitted += clearance.Permits(set->at(index)) ? 1 : 0;
    const std::string text = fmt::format("partner {} may be told of {} of the {} indicators", partner.name,
                                         Thousands(permitted), Thousands(set->size()));
    if (permitted != 0) {
      report.Ok("feed", text);
    } else {
      report.Warn("feed", text + "; look at its `originators` and `max_tlp`, and at `unmarked_sources`");
    }
  }
}

struct ListenAddress {
  std::string host, port;
};

// "tcp://127.0.0.1:5577" and "127.0.0.1:9477".
ListenAddress AddressOf(std::string_view text) {
  if (const size_t scheme = text.find("://"); scheme != text.npos) text.remove_prefix(scheme + 3);
  const size_t colon = std::min(text.rfind(':'), text.size());
  return {std::string(text.substr(0, colon)), std::string(text.substr(std::min(colon + 1, text.size())))};
}

bool IsEvery(const std::string& host) { return host == "*" || host == "0.0.0.0" || host == "[::]"; }

// Whether both cannot be listened at.
bool Collide(const ListenAddress& one, const ListenAddress& other) {
  return one.port == other.port && one.port != "*" && one.port != "0" &&
         (one.host == other.host || IsEvery(one.host) || IsEvery(other.host));
}

// Whether somebody listens at an address (not a name) already.
bool IsTaken(const std::string& text) {
  const ListenAddress address = AddressOf(text);
  std::string host = address.host;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  std::from_chars(address.port.data(), address.port.data() + address.port.size(), port);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const bool is_v4 = inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return false;
  const int descriptor = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool bound =
      bind(descriptor, is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6),
           is_v4 ? sizeof v4 : sizeof v6) == 0 &&
      listen(descriptor, 1) == 0;
  const bool taken = !bound && errno == EADDRINUSE;
  close(descriptor);
  return taken;
}

}  // namespace

void CheckFeed(const Config& config, const IndicatorSet* set, CheckReport& report) {
  if (!config.has_feed) return;
  FeedConfig feed = config.feed;
  std::string error;
  // As the sensor: root may check with a key of the user that the sensor becomes.
  const bool keyed =
      !feed.secret_key_file.empty() && ReadSecretKey(feed.secret_key_file, feed.keys, error, config.capture.user);
  if (keyed) {
    report.Ok("feed", feed.secret_key_file + ": a key pair that only its owner can read");
  } else if (!error.empty()) {
    report.Error("feed", error);
  }
  CheckPartners(config, feed.keys, set, report);
  if (feed.endpoint.empty()) return;
  // Whatever the sensor's feed would refuse is refused here, by the same code.
  Config whole = config;
  KeyPair canary_keys;
  AddCanaryView(whole, canary_keys);
  feed.partners = whole.feed.partners;
  if (!keyed) feed.keys = NewKeyPair();
  if (FeedPublisher::Open(feed, error) != nullptr) return report.Ok("feed", feed.endpoint + " can be listened at");
  if (error.find("is taken") != std::string::npos && OurSensorRuns(config))
    return report.Ok("feed", feed.endpoint + " is in use by this sensor, which runs");
  report.Error("feed", error);
}

void CheckMetrics(const Config& config, CheckReport& report) {
  const std::string& listen = config.metrics.listen;
  if (listen.empty()) return;
  const auto fail = [&](const std::string& text) {
    config.metrics.listen_given ? report.Error("metrics", text) : report.Warn("metrics", text);
  };
  if (config.has_feed && Collide(AddressOf(listen), AddressOf(config.feed.endpoint)))
    return fail(fmt::format("{}: is the feed's port; choose another `listen`, or `off`", listen));
  // Whatever the sensor's endpoint would refuse is refused here, by the same code.
  const FigureRegistry none;
  std::string error;
  if (MetricsEndpoint::Open(listen, none, error) != nullptr)
    return report.Ok("metrics", listen + " can be listened at");
  if (IsTaken(listen) && OurSensorRuns(config))
    return report.Ok("metrics", listen + " is in use by this sensor, which runs");
  fail(error);
}

}  // namespace vedette
