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

constexpr FigureFamily kFlows = {"vedette_flows_total", FigureKind::kCounter, "flows seen", ""};
constexpr FigureFamily kPacketsDropped = {"vedette_packets_dropped_total", FigureKind::kCounter,
                                          "packets lost before they were looked at, by cause", "cause"};

class Source : public FigureSource {
 public:
  void AppendFigures(Figures& out) const override {
    out.Add(kFlows, 12);
    out.Add(kPacketsDropped, "kernel", 3);
    out.Add(kPacketsDropped, "quote\"d", 1);
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

class SlowClients : public testing::Test {
 protected:
  void SetUp() override {
    registry_.Add(source_);
    std::string error;
    endpoint_ = MetricsEndpoint::Open("127.0.0.1:0", registry_, error);
    ASSERT_NE(endpoint_, nullptr) << error;
  }
  void TearDown() override {
    for (const int fd : open_) close(fd);
  }
  void Send(int fd, const std::string& text) {
    EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void ExpectAnsweredAtOnce() {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NE(Get(endpoint_->port(), "/metrics").find("vedette_flows_total 12"), std::string::npos);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  }

  const Source source_;
  FigureRegistry registry_;
  std::unique_ptr<MetricsEndpoint> endpoint_;
  std::vector<int> open_;
};

TEST_F(SlowClients, WhoSaysNothingKeepsNobodyOut) {
  for (int round = 0; round < 5; ++round) {
    while (open_.size() < static_cast<size_t>(round) * 50) open_.push_back(Connect(endpoint_->port()));
    ExpectAnsweredAtOnce();
  }
}

TEST_F(SlowClients, WhoSaysABitOfItKeepsNobodyOut) {
  for (int i = 0; i < 100; ++i) {
    open_.push_back(Connect(endpoint_->port()));
    Send(open_.back(), "GET /metrics HT");
  }
  ExpectAnsweredAtOnce();
}

TEST_F(SlowClients, WhoReadsNothingKeepsNobodyOut) {
  for (int i = 0; i < 100; ++i) {
    open_.push_back(Connect(endpoint_->port()));
    Send(open_.back(), "GET /metrics HTTP/1.1\r\n\r\n");
  }
  ExpectAnsweredAtOnce();
}

// Its time is that of the whole request, whatever it says in between.
TEST_F(SlowClients, WhoDawdlesIsCutOff) {
  const int fd = Connect(endpoint_->port());
  open_.push_back(fd);
  const auto begin = std::chrono::steady_clock::now();
  while (send(fd, "x", 1, MSG_NOSIGNAL) == 1 && std::chrono::steady_clock::now() - begin < std::chrono::seconds(10))
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST_F(SlowClients, AnswersARequestInPieces) {
  const int fd = Connect(endpoint_->port());
  open_.push_back(fd);
  for (const char c : std::string("GET /metrics?x=1 HTTP/1.1\r\nHost: a\r\n\r\n")) {
    Send(fd, std::string(1, c));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  char first[16] = {};
  EXPECT_EQ(recv(fd, first, 15, MSG_WAITALL), 15);
  EXPECT_STREQ(first, "HTTP/1.1 200 OK");
}

TEST_F(SlowClients, RefusesWhatIsNoRequestForThePage) {
  const auto status = [this](const std::string& request) {
    const int fd = Connect(endpoint_->port());
    open_.push_back(fd);
    Send(fd, request);
    char first[13] = {};
    return recv(fd, first, 12, MSG_WAITALL) == 12 ? std::string(first).substr(9) : std::string("closed");
  };
  EXPECT_EQ(status("POST /metrics HTTP/1.1\r\n\r\n"), "405");
  EXPECT_EQ(status("HEAD /metrics HTTP/1.1\r\n\r\n"), "200");
  EXPECT_EQ(status("GET /other HTTP/1.1\r\n\r\n"), "404");
  EXPECT_EQ(status("nonsense\n\n"), "400");
  EXPECT_EQ(status("GET /metrics SIP/2.0\r\n\r\n"), "400");
  EXPECT_EQ(status("GET /metrics HTTP/1.1\r\n" + std::string(PageServer::kMaxRequestBytes, 'a')), "431");
  ExpectAnsweredAtOnce();
}

}  // namespace
}  // namespace vedette
