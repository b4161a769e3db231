#include "tests/bench/floor.h"

#include <fcntl.h>
#include <hs/hs.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <unordered_map>

namespace vedette::bench {
namespace {

uint16_t Be16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }

// The payload above TCP or UDP; null where there is none. `ports` takes part so that nothing is optimised away.
const uint8_t* PayloadOf(const uint8_t* frame, uint32_t captured, uint32_t& length, uint64_t& ports) {
  uint32_t at = 14;
  if (captured < at) return nullptr;
  uint16_t type = Be16(frame + 12);
  while ((type == 0x8100 || type == 0x88a8) && captured >= at + 4) {
    type = Be16(frame + at + 2);
    at += 4;
  }
  const uint8_t* ip = frame + at;
  uint32_t header = 0, total = 0;
  uint8_t protocol = 0;
  if (type == 0x0800 && captured >= at + 20) {
    header = (ip[0] & 15u) * 4;
    total = Be16(ip + 2);
    protocol = ip[9];
    uint64_t ends;
    std::memcpy(&ends, ip + 12, 8);
    ports += ends;
    if ((Be16(ip + 6) & 0x1fff) != 0) return nullptr;
  } else if (type == 0x86dd && captured >= at + 40) {
    header = 40;
    total = 40u + Be16(ip + 4);
    protocol = ip[6];
    for (int i = 8; i < 40; i += 8) {
      uint64_t word;
      std::memcpy(&word, ip + i, 8);
      ports += word;
    }
  } else {
    return nullptr;
  }
  if (at + total > captured || header + 8 > total) return nullptr;
  const uint8_t* transport = ip + header;
  uint32_t own = 8;
  if (protocol == 6) {
    if (header + 20 > total) return nullptr;
    own = (transport[12] >> 4) * 4u;
  } else if (protocol != 17) {
    return nullptr;
  }
  if (own < 8 || header + own > total) return nullptr;
  uint32_t both;
  std::memcpy(&both, transport, 4);
  ports ^= both;
  length = total - header - own;
  return transport + own;
}

// Addresses and ports of a plain IPv4 frame without options, as they lie there: they tell the directions of the
// benchmark's own captures, and nearly so those of others.
constexpr size_t kEndsBytes = 12;
const uint8_t* EndsOf(const uint8_t* frame) { return frame + 26; }

class MappedFloor : public Floor {
 public:
  ~MappedFloor() override {
    hs_free_scratch(scratch_);
    hs_free_database(database_);
    if (base_ != nullptr) munmap(const_cast<uint8_t*>(base_), size_);
  }

  bool Map(const std::string& path, std::string& error) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || fstat(file, &status) != 0 || status.st_size < 24) {
      error = path + ": cannot be read";
      if (file >= 0) close(file);
      return false;
    }
    size_ = static_cast<size_t>(status.st_size);
    void* map = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    close(file);
    if (map == MAP_FAILED) {
      error = path + ": cannot be mapped";
      return false;
    }
    base_ = static_cast<const uint8_t*>(map);
    uint32_t magic, link;
    std::memcpy(&magic, base_, 4);
    std::memcpy(&link, base_ + 20, 4);
    if ((magic != 0xa1b2c3d4 && magic != 0xa1b23c4d) || (link & 0xffff) != 1) {
      error = path + ": the floor reads little-endian pcap of Ethernet only";
      return false;
    }
    return true;
  }

  bool Compile(const std::vector<std::string>& literals, std::string& error) {
    std::vector<std::string> escaped;
    for (const std::string& literal : literals) {
      std::string& text = escaped.emplace_back();
      for (const char c : literal) {
        char hex[5];
        std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<uint8_t>(c));
        text += hex;
      }
    }
    std::vector<const char*> expressions;
    std::vector<unsigned> flags(escaped.size(), HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH), ids;
    for (const std::string& text : escaped) {
      ids.push_back(static_cast<unsigned>(ids.size()));
      expressions.push_back(text.c_str());
    }
    if (expressions.empty()) return true;
    hs_compile_error_t* problem = nullptr;
    if (hs_compile_multi(expressions.data(), flags.data(), ids.data(), static_cast<unsigned>(expressions.size()),
                         HS_MODE_BLOCK, nullptr, &database_, &problem) != HS_SUCCESS) {
      error = problem->message;
      hs_free_compile_error(problem);
      return false;
    }
    if (hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS) {
      error = "no memory for the scratch";
      return false;
    }
    return true;
  }

  FloorResult Decode() override {
    return Walk([](uint64_t, const uint8_t*, uint32_t) { return uint32_t{0}; });
  }
  FloorResult Scan() override {
    return Walk([](uint64_t, const uint8_t*, uint32_t length) { return length; });
  }
  FloorResult ScanTo(uint64_t depth_bytes) override {
    if (depth_ != depth_bytes) MeasureDepth(depth_bytes);
    return Walk([this](uint64_t packet, const uint8_t*, uint32_t) { return within_[packet]; });
  }

 private:
  static int Count(unsigned, unsigned long long, unsigned long long, unsigned, void* hits) {
    ++*static_cast<uint64_t*>(hits);
    return 0;
  }

  void MeasureDepth(uint64_t depth_bytes) {
    depth_ = depth_bytes;
    within_.clear();
    std::unordered_map<std::string, uint64_t> seen;  // bytes of a direction by addresses, ports and protocol
    Walk([&](uint64_t packet, const uint8_t* ends, uint32_t length) {
      uint64_t& before = seen[std::string(reinterpret_cast<const char*>(ends), kEndsBytes)];
      within_.resize(packet + 1, 0);
      within_[packet] = static_cast<uint32_t>(std::min<uint64_t>(length, depth_ - std::min(depth_, before)));
      before += length;
      return uint32_t{0};
    });
  }

  // `scanned(packet, ends, length)`: how many of the payload's bytes are scanned. `ends`: kEndsBytes that tell the
  // direction.
  template <class Scanned>
  FloorResult Walk(Scanned scanned) {
    FloorResult result;
    uint64_t ports = 0;
    const double before = ThreadCpuSeconds();
    for (size_t at = 24; at + 16 <= size_;) {
      uint32_t header[4];
      std::memcpy(header, base_ + at, 16);
      const uint8_t* frame = base_ + at + 16;
      at += 16 + header[2];
      if (at > size_) break;
      __builtin_prefetch(frame + 4096);
      ++result.packets;
      uint32_t length = 0;
      const uint8_t* payload = PayloadOf(frame, header[2], length, ports);
      if (payload == nullptr || length == 0) continue;
      result.payload_bytes += length;
      const uint32_t wanted = scanned(result.packets - 1, EndsOf(frame), length);
      if (wanted != 0) {
        hs_scan(database_, reinterpret_cast<const char*>(payload), wanted, 0, scratch_, Count, &result.hits);
      }
    }
    result.cpu_seconds = ThreadCpuSeconds() - before;
    sink_ = sink_ + ports;
    return result;
  }

  const uint8_t* base_ = nullptr;
  size_t size_ = 0;
  hs_database_t* database_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
  volatile uint64_t sink_ = 0;
  uint64_t depth_ = 0;
  std::vector<uint32_t> within_;  // by packet: payload bytes that are within the depth
};

}  // namespace

double ThreadCpuSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::unique_ptr<Floor> Floor::Open(const std::string& capture, const std::vector<std::string>& literals,
                                   std::string& error) {
  auto floor = std::make_unique<MappedFloor>();
  if (!floor->Map(capture, error) || !floor->Compile(literals, error)) return nullptr;
  return floor;
}

}  // namespace vedette::bench
