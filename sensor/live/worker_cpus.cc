#include "sensor/live/worker_cpus.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string_view>
#include <tuple>

#include "sensor/capture/cpu.h"

namespace vedette {
namespace {

constexpr uint32_t kMaxCpus = 1024;  // cpu_set_t's

std::string FirstLineOf(const std::string& path) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return line;
}

bool Has(const std::vector<uint32_t>& cpus, uint32_t cpu) {
  return std::find(cpus.begin(), cpus.end(), cpu) != cpus.end();
}

// Empty where the machine has one node, or the card does not say.
std::vector<uint32_t> CpusNear(const std::string& interface) {
  const std::string node = FirstLineOf("/sys/class/net/" + interface + "/device/numa_node");
  if (node.empty() || node[0] == '-') return {};
  return ParseCpuList(FirstLineOf("/sys/devices/system/node/node" + node + "/cpulist"));
}

// 0 for the first thread of a core, 1 for the next.
size_t PlaceInCore(uint32_t cpu) {
  const std::vector<uint32_t> core =
      ParseCpuList(FirstLineOf(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu)));
  return static_cast<size_t>(std::find(core.begin(), core.end(), cpu) - core.begin());
}

std::vector<uint32_t> InOrder(std::vector<uint32_t> allowed, const std::vector<uint32_t>& near) {
  const auto rank = [&](uint32_t cpu) { return std::tuple(!near.empty() && !Has(near, cpu), PlaceInCore(cpu), cpu); };
  std::sort(allowed.begin(), allowed.end(), [&](uint32_t a, uint32_t b) { return rank(a) < rank(b); });
  return allowed;
}

}  // namespace

std::vector<uint32_t> ParseCpuList(const std::string& text) {
  std::vector<uint32_t> cpus;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    uint32_t first = 0, last = 0;
    const auto [after, status] = std::from_chars(at, end, first);
    at = after;
    last = first;
    if (status == std::errc() && at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    if (status == std::errc()) {
      for (uint32_t cpu = first; cpu <= std::min(last, kMaxCpus); ++cpu) cpus.push_back(cpu);
    }
    at = std::find(at, end, ',');
    if (at < end) ++at;
  }
  return cpus;
}

std::vector<int> ChooseCpus(const CaptureConfig& capture, std::string& error) {
  const std::vector<uint32_t> allowed = AllowedCpus();
  if (capture.workers > 1 && capture.workers > allowed.size()) {
    error = fmt::format(
        "`capture: workers` is {}, and this process may use {} CPU{} ({}); each worker needs one of its "
        "own: set it to {} at most",
        capture.workers, allowed.size(), allowed.size() == 1 ? "" : "s", fmt::join(allowed, ", "), allowed.size());
    return {};
  }
  for (const uint32_t cpu : capture.pin.cpus) {
    if (Has(allowed, cpu)) continue;
    error = fmt::format("`capture: pin` names CPU {}, which this process may not use; it may use {}", cpu,
                        fmt::join(allowed, ", "));
    return {};
  }
  std::vector<int> cpus(capture.workers, -1);
  if (!capture.pin.cpus.empty()) {
    std::copy_n(capture.pin.cpus.begin(), std::min(cpus.size(), capture.pin.cpus.size()), cpus.begin());
  } else if (capture.pin.automatic && capture.workers > 1) {
    const std::vector<std::string> interfaces = capture.AllInterfaces();
    const std::vector<uint32_t> order =
        InOrder(allowed, interfaces.empty() ? std::vector<uint32_t>() : CpusNear(interfaces[0]));
    std::copy_n(order.begin(), cpus.size(), cpus.begin());
  }
  return cpus;
}

}  // namespace vedette
