// bench_machine [--json]: what this machine is, as far as a replay depends on it.
//
//   dependent load   one after another through memory that no cache holds, each address read from the one before: what
//                    the first touch of a flow costs. In pages of 4 KB, and in huge ones where the kernel gives some.
//                    Memory is called far where it is over 110 ns.
//   bandwidth        of reading memory in order
#include <sys/mman.h>
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "tests/bench/report.h"

namespace vedette::bench {
namespace {

constexpr size_t kBytes = size_t{256} << 20, kLineBytes = 64, kLines = kBytes / kLineBytes;
constexpr size_t kLoads = 2'000'000;
constexpr double kFarNs = 110;

double CpuNs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// Every line holds the number of the next one, in a round through all of them that jumps about: a linear congruential
// generator of full period.
void MakeRound(uint8_t* memory) {
  constexpr uint64_t kFactor = 2'862'933'555'777'941'757ULL, kStep = 3'037'000'493ULL;
  static_assert((kLines & (kLines - 1)) == 0 && kFactor % 4 == 1 && kStep % 2 == 1);
  for (uint64_t i = 0; i < kLines; ++i) {
    const auto next = static_cast<uint32_t>((i * kFactor + kStep) & (kLines - 1));
    std::memcpy(memory + i * kLineBytes, &next, sizeof next);
  }
}

// Nanoseconds; the least of three.
double DependentLoad(const uint8_t* memory) {
  double least = 1e9;
  uint32_t at = 0;
  for (int round = 0; round < 3; ++round) {
    const double before = CpuNs();
    for (size_t i = 0; i < kLoads; ++i) std::memcpy(&at, memory + size_t{at} * kLineBytes, sizeof at);
    least = std::min(least, (CpuNs() - before) / kLoads);
  }
  if (at == kLines) std::printf(" ");  // never: the loads have to happen
  return least;
}

double GigabytesPerSecond(const uint8_t* memory) {
  uint64_t sum = 0;
  const double before = CpuNs();
  for (size_t i = 0; i < kBytes; i += 8) {
    uint64_t word;
    std::memcpy(&word, memory + i, sizeof word);
    sum += word;
  }
  const double seconds = (CpuNs() - before) * 1e-9;
  if (sum == 1) std::printf(" ");
  return static_cast<double>(kBytes) * 1e-9 / seconds;
}

int Main(bool json) {
  const Report report(json);
  double ns[2] = {0, 0}, bandwidth = 0;
  for (const bool huge : {false, true}) {
    void* const map = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return 1;
    madvise(map, kBytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    MakeRound(static_cast<uint8_t*>(map));
    ns[huge ? 1 : 0] = DependentLoad(static_cast<uint8_t*>(map));
    if (!huge) bandwidth = GigabytesPerSecond(static_cast<uint8_t*>(map));
    munmap(map, kBytes);
  }
  const unsigned cores = std::thread::hardware_concurrency();
  const std::string far = ns[0] > kFarNs ? "memory is far" : "memory is near";
  report.Row("machine", CpuName(),
             {{"cores", cores}, {"dependent load ns", ns[0]}, {"in huge pages ns", ns[1]}, {"GB/s", bandwidth}}, far);
  if (!json) {
    std::printf("%s, %u cores; a dependent load takes %.0f ns (%.0f ns in huge pages): %s; %.1f GB/s\n",
                CpuName().c_str(), cores, ns[0], ns[1], far.c_str(), bandwidth);
  }
  return 0;
}

}  // namespace
}  // namespace vedette::bench

int main(int argc, char** argv) { return vedette::bench::Main(argc > 1 && std::string(argv[1]) == "--json"); }
