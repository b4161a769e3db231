#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "exporter/feed/keys.h"
#include "exporter/feed/publisher.h"
#include "exporter/metrics/metrics_endpoint.h"
#include "sensor/check/as_user.h"
#include "sensor/check/holder.h"
#include "sensor/check/parts.h"
#include "sensor/live/self_watch.h"
#include "sensor/setup/progress.h"

namespace vedette {
namespace {

// Whether the file can be read by the user that is left; said only of a key, which everything else is refused for.
bool CanRead(const std::string& user, const std::string& path) {
  std::vector<int> answers;
  return AskAs(user, {{path, Access::kRead}}, answers) && answers[0] == 0;
}

// The packaged units start the sensor as its user, so that root's rights help with nothing.
bool IsOfAService(const Config& config) { return std::filesystem::path(config.path).parent_path() == "/etc/vedette"; }

void CheckKey(const Config& config, CheckReport& report) {
  const std::string& path = config.feed.secret_key_file;
  const std::string& user = config.capture.user;
  if (CanRead(user, path)) return report.Ok("feed", path + ": a key pair that only its owner can read");
  if (IsOfAService(config)) {
    return report.Error("feed", fmt::format("{0}: user {1} cannot read it, and the service starts the sensor as that "
                                            "user: chown {1} {0}, and its folder likewise",
                                            path, user));
  }
  report.Ok("feed", fmt::format("{}: a key pair that only root can read; root has to start the sensor", path));
}

void CheckPartners(const Config& config, const KeyPair& keys, const IndicatorSet* set, CheckReport& report) {
  const std::vector<PartnerConfig>& partners = config.feed.partners;
  const bool any_unmarked = std::any_of(partners.begin(), partners.end(), [](const PartnerConfig& one) {
    return !one.clearance.unmarked_sources.empty() && one.clearance.max_tlp >= Tlp::kAmberStrict;
  });
  if (!partners.empty() && !partners[0].clearance.unmarked_sources.empty() && !any_unmarked)
    report.Warn("feed",
                "`unmarked_sources` has no effect: indicators without TLP are amber+strict, and no partner has such a "
                "`max_tlp`");
  if (partners.empty()) report.Warn("feed", "there are no partners; alerts go to nobody but `output`, if that is set");
  for (const PartnerConfig& partner : partners) {
    const Clearance& clearance = partner.clearance;
    if (!keys.public_key.empty() && partner.public_key == keys.public_key)
      report.Error("feed", fmt::format("partner {} has the sensor's own key; ask it for its .pub file", partner.name));
    if (clearance.originators.empty()) {
      report.Warn("feed", fmt::format("partner {} has no `originators` and can never receive anything", partner.name));
      continue;
    }
    if (set == nullptr) continue;
    uint64_t permitted = 0;
    for (uint32_t index = 0; index < set->size(); ++index) permitted += clearance.Permits(set->at(index)) ? 1 : 0;
    const std::string text = fmt::format("partner {} may receive {} of the {} indicators", partner.name,
                                         Thousands(permitted), Thousands(set->size()));
    if (permitted != 0) {
      report.Ok("feed", text);
    } else {
      report.Warn("feed", text + "; check its `originators` and `max_tlp`, and `unmarked_sources`");
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

// Why a sensor without rights cannot listen there; empty: it can. It binds its ports after it has given up its rights,
// whoever starts it.
std::string NeedsRights(const std::string& port) {
  unsigned number = 0, first = 1024;
  const auto [end, status] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (status != std::errc() || end != port.data() + port.size() || number == 0) return {};
  std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first;
  if (number >= first) return {};
  return fmt::format(
      "port {0} is below {1}, and the sensor has dropped its privileges by the time it listens; choose a port from {1} "
      "up, or allow lower ones to everybody: sysctl -w net.ipv4.ip_unprivileged_port_start={0}",
      number, first);
}

// Whether it is the sensor of this configuration that holds a port: then nothing is wrong with it.
bool IsOurs(const Config& config, const std::optional<Holder>& holder) {
  return holder ? RunsWith(*holder, config.path) : OurSensorRuns(config);
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
    CheckKey(config, report);
  } else if (!error.empty()) {
    report.Error("feed", error);
  }
  CheckPartners(config, feed.keys, set, report);
  if (feed.endpoint.empty()) return;
  const std::string port = AddressOf(feed.endpoint).port;
  if (feed.endpoint.starts_with("tcp://")) {
    if (const std::string why = NeedsRights(port); !why.empty())
      return report.Error("feed", feed.endpoint + ": " + why);
  }
  // Whatever the sensor's feed would refuse is refused here, by the same code.
  Config whole = config;
  KeyPair canary_keys;
  AddCanaryView(whole, canary_keys);
  feed.partners = whole.feed.partners;
  if (!keyed) feed.keys = NewKeyPair();
  if (FeedPublisher::Open(feed, error) != nullptr) return report.Ok("feed", feed.endpoint + " is free to listen on");
  const std::optional<Holder> holder = HolderOfPort(port);
  if (error.find("is taken") != std::string::npos && IsOurs(config, holder))
    return report.Ok("feed", feed.endpoint + " is in use by this sensor, which is running");
  report.Error("feed", error + TextOf(holder));
}

void CheckMetrics(const Config& config, CheckReport& report) {
  const std::string& listen = config.metrics.listen;
  if (listen.empty()) return;
  const auto fail = [&](const std::string& text) {
    config.metrics.listen_given ? report.Error("metrics", text) : report.Warn("metrics", text);
  };
  if (config.has_feed && Collide(AddressOf(listen), AddressOf(config.feed.endpoint)))
    return fail(fmt::format("{}: is the feed's port; choose another `listen`, or `off`", listen));
  const std::string port = AddressOf(listen).port;
  if (const std::string why = NeedsRights(port); !why.empty()) return fail(listen + ": " + why);
  // Whatever the sensor's endpoint would refuse is refused here, by the same code.
  const FigureRegistry none;
  std::string error;
  if (MetricsEndpoint::Open(listen, none, error) != nullptr)
    return report.Ok("metrics", listen + " is free to listen on");
  const std::optional<Holder> holder = HolderOfPort(port);
  if (SomebodyListens(port) && IsOurs(config, holder))
    return report.Ok("metrics", listen + " is in use by this sensor, which is running");
  fail(error + TextOf(holder));
}

}  // namespace vedette
