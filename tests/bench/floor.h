// The physical floor for one core: the work that no sensor can avoid.
//
//   decode   walk the capture and decode every packet's headers
//   scan     that, and look for every literal in every payload byte once, in block mode
//   scan to a depth   the same in the first bytes of each direction of a flow only; which ones is known beforehand
//
// Classic pcap of Ethernet only; nothing is reassembled, remembered or matched exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vedette::bench {

struct FloorResult {
  double cpu_seconds = 0;  // of this thread
  uint64_t packets = 0;
  uint64_t payload_bytes = 0;
  uint64_t hits = 0;
};

class Floor {
 public:
  // Literals are matched case-insensitively. nullptr with an error if the file or a literal cannot be used.
  static std::unique_ptr<Floor> Open(const std::string& capture, const std::vector<std::string>& literals,
                                     std::string& error);
  virtual ~Floor() = default;
  virtual FloorResult Decode() = 0;
  virtual FloorResult Scan() = 0;
  // The first call with a depth finds out, untimed, which bytes of each packet are within it.
  virtual FloorResult ScanTo(uint64_t depth_bytes) = 0;
};

double ThreadCpuSeconds();

}  // namespace vedette::bench
