// bench_render [DATABASE.mmdb…]: how many alerts a second one thread renders, and what a geolocation look-up costs.
#include <time.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "exporter/render/render.h"
#include "parsers/registry.h"

namespace vedette {
namespace {

constexpr int kAlerts = 100'000;

// CPU time of this thread: a busy machine changes it little.
double Now() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double Seconds(const std::function<void()>& work) {
  const double begin = Now();
  work();
  return Now() - begin;
}

IpAddress RandomV4(std::mt19937& random, uint32_t mask) {
  const uint32_t number = (random() & mask) | 0x05000000;
  const uint8_t wire[4] = {static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
                           static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
  return IpAddress::V4(wire);
}

std::vector<Alert> MakeAlerts() {
  std::mt19937 random(1);
  std::vector<Alert> alerts(kAlerts);
  for (int i = 0; i < kAlerts; ++i) {
    Alert& alert = alerts[static_cast<size_t>(i)];
    alert.packet = static_cast<uint64_t>(i) + 1;
    alert.time_ns = 1'795'428'000'000'000'000 + static_cast<uint64_t>(i) * 1'000'000;
    alert.flow.id = static_cast<uint64_t>(i) * 7919;
    alert.flow.client = RandomV4(random, 0xff);
    alert.flow.server = RandomV4(random, 0x0fff);
    alert.flow.client_port = static_cast<uint16_t>(random());
    alert.flow.server_port = 443;
    alert.flow.protocol = 6;
    alert.flow.app = TlsProtocol::kId;
    alert.flow.first_ns = alert.flow.last_ns = alert.time_ns;
    alert.kind = ObservableKind::kTlsSni;
    alert.value = "host" + std::to_string(random() % 1000) + ".bad.example";
    alert.indicators = {0, 1};
    alert.message = {{ObservableKind::kTlsSni, alert.value},
                     {ObservableKind::kTlsJa3, "e7d705a3286e19ea42f587b344ee6865"},
                     {ObservableKind::kTlsJa4, "t13d1516h2_8daaf6152771_b0da82dd1658"},
                     {ObservableKind::kTlsVersion, "TLS 1.3"}};
  }
  return alerts;
}

void Run(const std::vector<std::string>& databases) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (line.rfind("model name", 0) != 0) continue;
    std::printf("CPU %s\n", line.substr(line.find(':') + 2).c_str());
    break;
  }
  GeoLookup geo;
  std::string error;
  for (const std::string& path : databases) {
    if (!geo.Open(path, error)) std::printf("%s\n", error.c_str());
  }
  const auto record = [](uint32_t index) {
    IndicatorRecord out;
    out.index = index;
    out.type = IndicatorType::kDomain;
    out.value = "bad.example";
    out.id = index == 0 ? "indicator--8d7f5c1a-2a54-4f6e-9a3b-6a1f2e0c9b77" : "list:17";
    out.source = out.originator = "cert-a";
    out.description = "Command and control of a loader, seen in phishing against public administration";
    out.tags = {"misp-galaxy:tool=\"Loader\"", "tlp:green"};
    out.confidence = static_cast<uint8_t>(80 - index);
    return out;
  };
  AlertRenderer renderer(IndicatorCatalogue{record, 2, std::string(64, 'a'), 0}, &geo,
                         SensorIdentity{"bench", VEDETTE_VERSION, true, {}},
                         [](uint32_t) { return std::string_view("bench.pcap"); });
  const std::vector<Alert> alerts = MakeAlerts();
  using Append = bool (AlertRenderer::*)(const Alert&, const HitFilter&, std::string&);
  for (const auto& [name, append] : {std::pair<const char*, Append>{"JSON", &AlertRenderer::AppendJson},
                                     {"CSV", &AlertRenderer::AppendCsv},
                                     {"table", static_cast<Append>(&AlertRenderer::AppendTableRow)}}) {
    std::string out;
    size_t bytes = 0;
    const double seconds = Seconds([&, append = append] {
      for (const Alert& alert : alerts) {
        out.clear();
        (renderer.*append)(alert, nullptr, out);
        bytes += out.size();
      }
    });
    std::printf("%-6s %9.0f alerts a second, %5zu bytes each\n", name, kAlerts / seconds, bytes / kAlerts);
  }
  if (geo.databases().empty()) return;
  std::mt19937 random(2);
  for (const auto& [name, mask] :
       {std::pair<const char*, uint32_t>{"geo, 4,000 addresses", 0x0fff}, {"geo, all addresses", 0x7fffffff}}) {
    constexpr int kLookups = 1'000'000;
    std::vector<IpAddress> addresses(kLookups);
    for (IpAddress& address : addresses) address = RandomV4(random, mask);
    size_t known = 0;
    const double seconds = Seconds([&] {
      for (const IpAddress& address : addresses) known += geo.Find(address).empty() ? 0 : 1;
    });
    std::printf("%s: %.0f ns a look-up, %.0f%% known\n", name, seconds / kLookups * 1e9,
                100.0 * static_cast<double>(known) / kLookups);
  }
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) {
  vedette::Run(std::vector<std::string>(argv + 1, argv + argc));
  return 0;
}
