#include "exporter/metrics/metrics_endpoint.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#include <vector>

#include "exporter/metrics/families.h"

namespace vedette {
namespace {

class Source : public FigureSource {
 public:
  void AppendFigures(Figures& out) const override {
    out.Add(families::kFlows, 12);
    out.Add(families::kPacketsDropped, "kernel", 3);
    out.Add(families::kPacketsDropped, "quote\"d", 1);
    out.Add(families::kMatches, "M\xfcnchen", 2);      // Latin-1
    out.Add(families::kMatches, "M\xc3\xbcnchen", 3);  // UTF-8
    out.Add(families::kMatches, "a\nb", 4);
    HistogramCounts histogram;
    histogram.Record(0.0003);
    histogram.Record(0.3);
    out.Add(families::kAlertLatency, histogram);
  }
};

int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

// What a plain HTTP client gets.
std::string Get(uint16_t port, const std::string& path) {
  const int fd = Connect(port);
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string response;
  char buffer[4096];
  for (ssize_t count; (count = read(fd, buffer, sizeof buffer)) > 0;)
    response.append(buffer, static_cast<size_t>(count));
  close(fd);
  return response;
}

TEST(MetricsEndpoint, AnswersInPrometheusFormat) {
  const Source source;
  FigureRegistry registry;
  registry.Add(source);
  std::string error;
  const auto endpoint = MetricsEndpoint::Open("127.0.0.1:0", registry, error);
  ASSERT_NE(endpoint, nullptr) << error;
  const std::string page = Get(endpoint->port(), "/metrics");
  for (const char* line :
       {"# TYPE vedette_flows_total counter\n", "\nvedette_flows_total 12\n",
        "# TYPE vedette_packets_dropped_total counter\n", "vedette_packets_dropped_total{cause=\"kernel\"} 3\n",
        "vedette_packets_dropped_total{cause=\"quote\\\"d\"} 1\n",
        "vedette_matches_total{source=\"M\\\\xfcnchen\"} 2\n", "vedette_matches_total{source=\"M\xc3\xbcnchen\"} 3\n",
        "vedette_matches_total{source=\"a\\\\nb\"} 4\n", "# TYPE vedette_alert_latency_seconds histogram\n",
        "vedette_alert_latency_seconds_count 2\n", "vedette_alert_latency_seconds_bucket{le=\"0.0005\"} 1\n"}) {
    EXPECT_NE(page.find(line), std::string::npos) << line << "in\n" << page;
  }
  EXPECT_EQ(page.find("# TYPE vedette_packets_dropped_total", page.find("# TYPE vedette_packets_dropped_total") + 1),
            std::string::npos)
      << "one family, one head";
  EXPECT_NE(Get(endpoint->port(), "/etc/passwd").find("404"), std::string::npos);
  // The port is taken now.
  EXPECT_EQ(MetricsEndpoint::Open("127.0.0.1:" + std::to_string(endpoint->port()), registry, error), nullptr);
  EXPECT_NE(error.find("cannot listen on"), std::string::npos) << error;
}

TEST(MetricsEndpoint, WhoSaysNothingKeepsNobodyOut) {
  const Source source;
  FigureRegistry registry;
  registry.Add(source);
  std::string error;
  const auto endpoint = MetricsEndpoint::Open("127.0.0.1:0", registry, error);
  ASSERT_NE(endpoint, nullptr) << error;
  const auto took = [&] {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NE(Get(endpoint->port(), "/metrics").find("vedette_flows_total 12"), std::string::npos);
    return std::chrono::steady_clock::now() - begin;
  };
  std::vector<int> silent = {Connect(endpoint->port()), Connect(endpoint->port())};
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // so that they have their threads
  EXPECT_LT(took(), std::chrono::seconds(1));
  // One for each thread, and more: they are cut off after two seconds.
  while (silent.size() < 12) silent.push_back(Connect(endpoint->port()));
  EXPECT_LT(took(), std::chrono::seconds(8));
  for (const int fd : silent) close(fd);
}

}  // namespace
}  // namespace vedette
