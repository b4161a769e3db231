// How many alerts per second the feed carries: publisher and subscribers in one process, over loopback with CURVE.
//
//   bench_feed [ALERTS [BYTES]]        default 300000 alerts of 1500 bytes per partner
//
// Prints a line for 0, 1 and 4 partners: alerts per second from the first Publish to the last alert received, the
// cost of Publish for the calling thread, and what was lost (nothing: the lossless mode of a replay is on).
#include <sys/resource.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "exporter/feed/keys.h"
#include "exporter/feed/publisher.h"
#include "exporter/feed/subscriber.h"

namespace {

using namespace vedette;
using Clock = std::chrono::steady_clock;

double ThreadCpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double ProcessCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

bool Run(const std::string& folder, size_t num_subscribed, uint64_t num_alerts, size_t line_bytes) {
  const size_t num_partners = num_subscribed == 0 ? 1 : num_subscribed;
  std::string error;
  FeedConfig config;
  config.endpoint = "tcp://127.0.0.1:*";
  config.secret_key_file = folder + "/server.key";
  config.lossless_wait = std::chrono::seconds(60);
  for (size_t i = 0; i < num_partners; ++i) {
    const std::string name = "partner-" + std::to_string(i);
    config.partners.push_back({name, std::string(folder).append("/").append(name).append(".pub")});
  }
  const std::unique_ptr<FeedPublisher> feed = FeedPublisher::Open(config, error);
  if (feed == nullptr) {
    (void)std::fprintf(stderr, "%s\n", error.c_str());
    return false;
  }
  const std::atomic<bool> stop{false};
  std::vector<SubscribeSummary> summaries(num_subscribed);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < num_subscribed; ++i) {
    SubscribeConfig subscribe;
    subscribe.endpoint = feed->endpoint();
    subscribe.server_public_key = feed->public_key();
    subscribe.view = config.partners[i].name;
    subscribe.secret_key_file = std::string(folder).append("/").append(subscribe.view).append(".key");
    subscribe.idle_seconds = 60;
    subscribe.stop_at_end = true;
    threads.emplace_back([subscribe, &stop, summary = &summaries[i]] {
      *summary = Subscribe(
          subscribe, [](std::string_view) { return true; }, [](std::string_view) {}, stop);
    });
  }
  if (num_subscribed > 0 && !feed->WaitForPartners(std::chrono::seconds(20))) {
    (void)std::fprintf(stderr, "partners did not come\n");
    return false;
  }
  std::string line = "{\"pad\":\"";
  line.append(line_bytes - line.size() - 3, 'x');
  line.append("\"}\n");
  const auto begin = Clock::now();
  const double process_begin = ProcessCpuSeconds();
  const double thread_begin = ThreadCpuSeconds();
  for (uint64_t n = 0; n < num_alerts; ++n) {
    for (size_t i = 0; i < num_partners; ++i) feed->Publish(i, line);
    if (n % 64 == 0) feed->Poll();
  }
  const double thread_cpu = ThreadCpuSeconds() - thread_begin;
  feed->Close(std::chrono::seconds(60));
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const double process_cpu = ProcessCpuSeconds() - process_begin;
  uint64_t received = 0;
  uint64_t missing = 0;
  for (const SubscribeSummary& summary : summaries) {
    received += summary.alerts;
    missing += summary.missing + summary.malformed + summary.before;
  }
  const double total = static_cast<double>(num_alerts * num_partners);
  std::printf(
      "%zu subscribed: %9.0f alerts/s (%5.0f MB/s), Publish %5.2f us an alert, all threads %5.2f us an alert, "
      "%llu received, %llu lost\n",
      num_subscribed, total / seconds, total * static_cast<double>(line_bytes) / seconds / 1e6,
      thread_cpu / total * 1e6, process_cpu / total * 1e6, static_cast<unsigned long long>(received),
      static_cast<unsigned long long>(missing));
  return missing == 0 && received == num_alerts * num_subscribed;
}

bool ReadArgument(const char* text, uint64_t& out) {
  const char* end = text + std::strlen(text);
  const auto [last, code] = std::from_chars(text, end, out);
  return code == std::errc() && last == end && out > 0;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t num_alerts = 300'000;
  uint64_t line_bytes = 1'500;
  if (argc > 3 || (argc > 1 && !ReadArgument(argv[1], num_alerts)) ||
      (argc > 2 && (!ReadArgument(argv[2], line_bytes) || line_bytes < 20))) {
    (void)std::fprintf(stderr, "usage: bench_feed [ALERTS [BYTES]], at least 20 bytes\n");
    return 2;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "bench-feed-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  std::string error;
  bool good = WriteKeyPair(NewKeyPair(), folder + "/server", error);
  for (size_t i = 0; i < 4; ++i) good &= WriteKeyPair(NewKeyPair(), folder + "/partner-" + std::to_string(i), error);
  std::printf("%s, %u cores, %llu alerts of %llu bytes a partner\n", CpuName().c_str(),
              std::thread::hardware_concurrency(), static_cast<unsigned long long>(num_alerts),
              static_cast<unsigned long long>(line_bytes));
  for (const size_t num_subscribed : {0, 1, 4}) good &= Run(folder, num_subscribed, num_alerts, line_bytes);
  std::filesystem::remove_all(folder);
  return good ? 0 : 1;
}
