// Which fragments belong to which flows: only one of a datagram's fragments has the ports, and it may come last.
//
// Of the fragments of a datagram, only their positions are kept. The datagram belongs to the flow of its reassembled
// packet, and to the flow of fragments without ports that its first fragment opened, as in Worker.
#pragma once

#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "sensor/decode/decoder.h"
#include "sensor/decode/fragments.h"
#include "sensor/replay/flow_finder.h"

namespace vedette {

class FragmentPlan {
 public:
  struct Entry {
    uint64_t position;  // of the fragment's frame
    uint32_t flow;
  };
  // Held until a datagram's flow is known: positions, 8 MiB, and datagrams, some 250 bytes each, 16 MiB; the decoder
  // itself holds fewer. Beyond that, the oldest datagram is decided as it is.
  static constexpr size_t kMaxWaiting = size_t{1} << 20;
  static constexpr size_t kMaxWaitingDatagrams = size_t{1} << 16;
  // Fragments of carved flows: 64 MiB. Those beyond are counted.
  static constexpr size_t kMaxEntries = size_t{4} << 20;

  // `timeout_ns`: a fragment that comes this much later belongs to another datagram, as in Decoder.
  FragmentPlan(const FlowFinder& finder, uint64_t timeout_ns);

  // A frame that the decoder took for a fragment, and the decoder's result.
  void Add(const Packet& packet, DecodeResult result, uint64_t position, uint64_t time_ns);
  // By position, each once.
  std::vector<Entry> Take();

  uint64_t left_out() const { return left_out_; }

 private:
  struct Datagram {
    DatagramKey key;
    uint64_t first_time_ns;
    std::vector<uint64_t> positions;
    std::vector<uint32_t> flows;  // at most two per datagram; more if identifications are reused
  };
  using ByAge = std::list<Datagram>;

  void Close(ByAge::iterator datagram);

  const FlowFinder& finder_;
  const uint64_t timeout_ns_;
  ByAge by_age_;  // oldest first
  std::unordered_map<DatagramKey, ByAge::iterator, DatagramKeyHash> by_key_;
  size_t num_waiting_ = 0;
  std::vector<Entry> entries_;
  uint64_t left_out_ = 0;
};

}  // namespace vedette
