// A packet on its way from a lane to the file that keeps it.
#pragma once

#include <cstdint>

namespace vedette {

// Plain: it lies in queues as it is, and the packet's bytes follow it.
struct KeptPacket {
  enum class Kind : uint8_t {
    kPacket,
    kBarrier,  // no packet: what follows in this queue begins no flow in files before `file`
  };

  uint64_t flow_id = 0;  // as alerts have it
  uint64_t time_ns = 0;  // since 1970
  // Packets of the flow between the one before that was kept, or its beginning, and this one: they are missing here.
  uint64_t missing = 0;
  uint64_t file = 0;  // the file that the alert names; what comes after `begins` goes to the newest
  uint32_t captured_bytes = 0;
  uint32_t wire_bytes = 0;
  uint32_t interface = 0;  // its place in the configuration
  uint16_t link_type = 0;
  Kind kind = Kind::kPacket;
  bool from_ring = false;  // captured before the lane heard that the flow is to be kept
  bool begins = false;     // the first of its flow here
  bool ends = false;       // the last for which there is room within the flow's bounds
};

}  // namespace vedette
