// bench_render [DATABASE.mmdb…]: how many alerts per second one thread shows, as text of each format and to partners,
// and the cost of a geolocation look-up.
#include <time.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "exporter/feed/feed_sink.h"
#include "exporter/policy/alert_policy.h"
#include "exporter/render/renderer.h"
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

// Takes all, and sends nothing.
class Nowhere final : public FeedPublisher {
 public:
  std::optional<PartnerId> Add(const PartnerConfig& partner, std::string&) override {
    names_.push_back(partner.name);
    return names_.size() - 1;
  }
  bool Remove(PartnerId) override { return false; }
  std::optional<PartnerId> Find(std::string_view) const override { return std::nullopt; }
  void Publish(PartnerId, std::string_view line) override { bytes += line.size(); }
  void Poll() override {}
  bool SetLossCounters(std::string) override { return true; }
  bool WaitForPartners(std::chrono::milliseconds) override { return true; }
  bool Readmit(PartnerId) override { return false; }
  bool Close(std::chrono::milliseconds) override { return true; }
  std::string endpoint() const override { return {}; }
  std::string public_key() const override { return {}; }
  uint64_t epoch() const override { return 1; }
  FeedCounters counters() const override { return {}; }
  std::vector<PartnerStatus> partners() const override { return {}; }
  size_t bytes = 0;

 private:
  std::vector<std::string> names_;
};

// What the exporter does for each alert and partner, but for sending. Partners with the same clearance see the same.
void ShowToPartners(AlertPolicy& policy, std::vector<Alert>& alerts) {
  for (const auto& [count, distinct] : {std::pair<int, int>{4, 1}, {4, 2}, {50, 1}, {50, 2}}) {
    Nowhere nowhere;
    Partners partners(nullptr);
    FeedSink sink(nowhere, partners, policy);
    for (int i = 0; i < count; ++i) {
      PartnerConfig partner{.name = "p" + std::to_string(i), .public_key = {}};
      partner.clearance.partner = partner.name;
      partner.clearance.originators = {"cert-a"};
      if (i % distinct == 0) partner.clearance.originators.emplace_back("cert-b");
      partner.clearance.max_tlp = Tlp::kRed;
      partner.clearance.unmarked_sources = {"*"};
      std::string error;
      sink.Add(partner, error);
    }
    const double seconds = Seconds([&] {
      for (Alert& alert : alerts) sink.Accept(*policy.Decide(alert));
    });
    std::printf("feed, %2d partners, %d views: %9.0f alerts a second, %5zu bytes each\n", count, distinct,
                kAlerts / seconds, nowhere.bytes / kAlerts);
  }
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
    out.source = out.originator = index == 0 ? "cert-b" : "cert-a";
    out.description = "Command and control of a loader, seen in phishing against public administration";
    out.tags = {"misp-galaxy:tool=\"Loader\"", "tlp:green"};
    out.confidence = static_cast<uint8_t>(80 - index);
    return out;
  };
  AlertPolicy policy(IndicatorCatalogue{record, 2, std::string(64, 'a'), 0},
                     {.sensor = {"bench", VEDETTE_VERSION, true, {}},
                      .file_name = [](uint32_t) { return std::string_view("bench.pcap"); },
                      .geo = &geo});
  std::vector<Alert> alerts = MakeAlerts();
  View view;
  for (const auto& [name, format] : {std::pair<const char*, OutputFormat>{"JSON", OutputFormat::kJsonl},
                                     {"CSV", OutputFormat::kCsv},
                                     {"table", OutputFormat::kTable}}) {
    const std::unique_ptr<Renderer> renderer = MakeRenderer(format);
    renderer->ShowEachAtOnce();
    Reader reader = Reader::Operator();
    std::string out;
    size_t bytes = 0;
    const double seconds = Seconds([&] {
      for (Alert& alert : alerts) {
        out.clear();
        if (policy.Show(*policy.Decide(alert), reader, view) == ViewOutcome::kShown) renderer->Append(view, out);
        bytes += out.size();
      }
    });
    std::printf("%-6s %9.0f alerts a second, %5zu bytes each\n", name, kAlerts / seconds, bytes / kAlerts);
  }
  ShowToPartners(policy, alerts);
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
