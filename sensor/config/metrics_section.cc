#include <fmt/format.h>

#include <charconv>

#include "sensor/config/sections.h"

namespace vedette {
namespace {

constexpr const char* kListenType = "an address and port such as 127.0.0.1:9477, or off";

// Why an address and port cannot be listened at; empty: they can be, as far as their form goes.
std::string NotAnAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  const std::string host = text.substr(0, colon);
  if (colon == std::string::npos || host.empty())
    return "names no address; write 127.0.0.1:9477, or 0.0.0.0:9477 for all there are";
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data() + colon + 1, end, port);
  if (rest != end || status != std::errc() || colon + 1 == text.size()) return "has no port from 0 to 65535";
  if (host.find(':') != std::string::npos) return "is an IPv6 address, which the metrics endpoint cannot listen at";
  return {};
}

void ReadListen(const Section& section, MetricsConfig& metrics) {
  if (!section.Find("listen")) return;
  section.Read("listen", metrics.listen, kListenType);
  metrics.listen_given = true;
  if (metrics.listen == "off") {
    metrics.listen.clear();
  } else if (const std::string reason = NotAnAddress(metrics.listen); !reason.empty()) {
    section.Fail("listen", fmt::format("`{}` {}; `listen` has to be {}", metrics.listen, reason, kListenType));
  }
}

}  // namespace

Key<Config> MetricsSection() {
  using M = MetricsConfig;
  return SectionKey<Config, M>(
      "metrics", "",
      {
          OwnKey<M>({"listen", kListenType, M().listen, "address and port for Prometheus (/metrics); off: none"},
                    &M::listen, ReadListen),
          NumberKey("log_seconds", &M::log_seconds, 0, 86'400, "between two lines of figures in the log; 0: none"),
      },
      &Config::metrics);
}

}  // namespace vedette
