// bench_capture FILE [ROUNDS]: how fast packets come out of a large capture, in one thread.
//
// In turn, so that all meet the same machine: the floor (walks the mapped file and touches the first bytes of each
// packet, with nothing around it), the product's CaptureFiles doing the same touch, and libpcap's pcap_next_ex where it
// can read the file. Prints the median of the thread CPU times and ratios to the floor. The file should be in the page
// cache.
#include <fcntl.h>
#include <pcap/pcap.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "parsers/base/file.h"
#include "sensor/capture/files/capture_files.h"

namespace vedette {
namespace {

struct Sum {
  uint64_t packets = 0;
  uint64_t check = 0;  // so that no touch is optimised away, and all do the same
};

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// What a decoder reads of every packet: the Ethernet type and, a cache line on, the ports.
void Touch(const uint8_t* data, uint32_t captured_bytes, Sum& sum) {
  ++sum.packets;
  if (captured_bytes >= 38) sum.check += data[12] + data[23] + data[36];
}

// Little-endian classic pcap only; the rest is the product's business.
Sum WalkFloor(const std::string& path) {
  Sum sum;
  MappedFile file;
  std::string error;
  FileDescriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.is_open() || !file.Take(std::move(opened), UINT64_MAX, error)) return sum;
  const Bytes bytes = file.bytes();
  if (bytes.size() < 24 || LoadU16<false>(bytes.data()) == 0x0d0a) return sum;
  size_t prefetched = 0;
  for (size_t at = 24; at + 16 <= bytes.size();) {
    const uint32_t captured = LoadU32<false>(bytes.data() + at + 8);
    if (captured > bytes.size() - at - 16) break;
    for (const size_t end = std::min<size_t>(at + kPrefetchAheadBytes, bytes.size()); prefetched < end;
         prefetched += kCacheLineBytes) {
      __builtin_prefetch(bytes.data() + prefetched);
    }
    Touch(bytes.data() + at + 16, captured, sum);
    at += 16 + captured;
  }
  return sum;
}

Sum WalkProduct(const std::shared_ptr<const CaptureList>& list) {
  Sum sum;
  CaptureFiles files(list);
  std::span<const Frame> frames;
  while (files.Poll(frames) != PollStatus::kEnd) {
    for (const Frame& frame : frames) Touch(frame.data, frame.captured_bytes, sum);
  }
  return sum;
}

Sum WalkLibpcap(const std::string& path) {
  Sum sum;
  char error[PCAP_ERRBUF_SIZE];
  pcap_t* const pcap = pcap_open_offline(path.c_str(), error);
  if (pcap == nullptr) return sum;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  while (pcap_next_ex(pcap, &header, &data) == 1) Touch(data, header->caplen, sum);
  pcap_close(pcap);
  return sum;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown CPU";
}

struct Contestant {
  const char* name;
  std::function<Sum()> walk;
  std::vector<double> seconds;
  Sum sum;
};

int Main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_capture FILE [ROUNDS]\n", stderr);
    return 2;
  }
  const std::string path = argv[1];
  const int rounds = argc > 2 ? std::max(1, std::atoi(argv[2])) : 5;
  std::string error;
  const auto list = CaptureList::Resolve(std::span(&path, 1), {}, error);
  if (!list) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 2;
  }
  std::vector<Contestant> contestants;
  contestants.push_back({"floor", [&] { return WalkFloor(path); }, {}, {}});
  contestants.push_back({"CaptureFiles", [&] { return WalkProduct(list); }, {}, {}});
  contestants.push_back({"pcap_next_ex", [&] { return WalkLibpcap(path); }, {}, {}});
  for (int round = 0; round <= rounds; ++round) {
    for (Contestant& contestant : contestants) {
      const double start = CpuSeconds();
      contestant.sum = contestant.walk();
      if (round > 0) contestant.seconds.push_back(CpuSeconds() - start);  // the first warms up
    }
  }
  std::printf("%s, %.2f GB, median of %d\n", CpuName().c_str(), static_cast<double>(list->total_bytes()) * 1e-9,
              rounds);
  double floor_seconds = 0;
  for (Contestant& contestant : contestants) {
    std::sort(contestant.seconds.begin(), contestant.seconds.end());
    const double seconds = contestant.seconds[contestant.seconds.size() / 2];
    if (contestant.sum.packets == 0) {
      std::printf("%-14s cannot read this file\n", contestant.name);
      continue;
    }
    if (floor_seconds == 0) floor_seconds = seconds;
    std::printf("%-14s %9llu packets  %7.3f s  %6.1f ns a packet  %5.2f times the floor  check %016llx\n",
                contestant.name, static_cast<unsigned long long>(contestant.sum.packets), seconds,
                seconds * 1e9 / static_cast<double>(contestant.sum.packets), seconds / floor_seconds,
                static_cast<unsigned long long>(contestant.sum.check));
  }
  return 0;
}

}  // namespace
}  // namespace vedette

int main(int argc, char** argv) { return vedette::Main(argc, argv); }
