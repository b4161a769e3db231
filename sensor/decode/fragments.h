// Puts fragmented IP datagrams together, within bounds.
//
// IPv4 (RFC 791): where fragments overlap, the bytes that came first win. IPv6 (RFC 8200 section 4.5, RFC 5722): any
// overlap but an exact duplicate spoils the datagram, and what follows of it too.
//
// Every frame that is added counts under exactly one reason of NotDecoded, kFragmentHeld while its datagram waits, until
// the datagram is complete: then all its frames leave the counts, and the caller accounts for them. A fragment that is
// counted elsewhere (by another worker, or with the datagram that carried it) brings none.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "sensor/decode/packet.h"

namespace vedette {

// What fragments of one datagram have in common. Identifications are unique per VLAN and tunnel as addresses are.
struct DatagramKey {
  IpAddress source, destination;
  uint32_t identification = 0;
  uint16_t vlan[2] = {0, 0};
  uint8_t protocol = 0;                             // IPv4 only (RFC 791); 0 for IPv6
  std::array<uint32_t, kMaxOuterLayers> tunnels{};  // OuterLayers::identities

  friend bool operator==(const DatagramKey&, const DatagramKey&) = default;
};

// The seed keeps a sender from choosing identifications that collide; it shows in no result.
struct DatagramKeyHash {
  uint64_t seed;
  static DatagramKeyHash Random();
  size_t operator()(const DatagramKey& key) const;
};

class FragmentTable {
 public:
  struct Limits {
    size_t bytes = 0;            // held in all, bookkeeping included; beyond it the oldest datagram is given up
    size_t datagrams = 0;        // waiting at once; at least 1
    uint64_t timeout_ns = 0;     // from the first fragment to arrive, judged when another one does, and by Expire
    bool keep_given_up = false;  // for TakeGivenUp
  };
  // Of one datagram: the largest there can be (RFC 791; an IPv6 jumbogram is never fragmented), and pieces of at least
  // 64 bytes on average. Fragments of eight bytes are seen in evasion tools, on datagrams much smaller than that.
  static constexpr uint32_t kMaxDatagramBytes = 65535;
  static constexpr size_t kMaxPieces = 1024;

  // Of the packet that carried a fragment. What the frame points to is not kept.
  struct Head {
    Frame frame;
    uint32_t header_bytes = 0;  // of IP
    uint8_t num_vlans = 0;
    std::vector<OuterLayer> outer = {};  // around the packet; empty for most
  };
  struct Fragment {
    uint32_t offset = 0;  // bytes
    bool more = false;
    uint8_t protocol = 0;  // of the content, valid where offset is 0
    Bytes data;
    uint64_t time_ns = 0;
    Head head = {};
    uint32_t num_frames = 1;  // that it brings to the counts
  };

  enum class Status : uint8_t {
    kHeld,       // counted as held
    kHeldFirst,  // the same, and the first of its datagram to arrive
    kRefused,    // counted under another reason
    kComplete,   // `datagram` is whole
  };
  struct Datagram {
    Bytes data;  // holds until ReleaseFinished
    uint8_t protocol = 0;
    uint64_t num_frames = 0;  // of its fragments, this one included; none of them is counted any more
  };

  // What is there of a datagram that was given up, from its beginning to the first hole.
  struct GivenUp {
    DatagramKey key;
    Head head;  // of the fragment that begins it
    std::vector<uint8_t> data;
    uint32_t wire_bytes = 0;  // of the whole, as far as that is known: more than `data` has
    uint8_t protocol = 0;
  };

  // Counts into `counts`, which outlives the table.
  FragmentTable(const Limits& limits, NotDecodedCounts& counts);

  Status Add(const DatagramKey& key, const Fragment& fragment, Datagram& datagram);
  // Frees the datagrams that were completed.
  void ReleaseFinished();
  // The next one in the order in which they were given up; null: none. Holds until ReleaseFinished.
  const GivenUp* TakeGivenUp();
  bool has_given_up() const { return num_taken_ < given_up_.size(); }
  // Gives up what has waited too long by `now_ns`. For a live sensor: the memory of a datagram whose other fragments
  // never come is not held until the table is full.
  void Expire(uint64_t now_ns);
  // Gives up everything that waits, as timed out.
  void Finish();

  size_t held_bytes() const { return held_bytes_; }
  size_t waiting() const { return by_age_.size(); }

 private:
  struct Piece {
    uint32_t offset;
    std::vector<uint8_t> data;

    uint32_t end() const { return offset + static_cast<uint32_t>(data.size()); }
  };
  struct Waiting {
    DatagramKey key;
    std::vector<Piece> pieces;    // in order of offset, apart from each other
    uint64_t first_time_ns = 0;   // of the first fragment to arrive
    uint64_t num_frames = 0;      // counted as held
    uint32_t covered_bytes = 0;   // sum over the pieces
    uint32_t total_bytes = 0;     // known once the last fragment is there
    uint32_t furthest_bytes = 0;  // end of the furthest piece
    Head head;                    // of the fragment at offset 0
    uint8_t protocol = 0;
    bool has_last = false;
    bool spoilt = false;  // IPv6: refuses whatever comes
  };
  using ByAge = std::list<Waiting>;
  // The bookkeeping that a piece or a datagram costs, so that many small ones are bounded too.
  static constexpr size_t kPieceOverhead = 64, kDatagramOverhead = 320;

  bool IsStale(const Waiting& waiting, uint64_t time_ns) const;
  void GiveUp(ByAge::iterator waiting, NotDecoded reason);
  void KeepBeginning(Waiting& waiting);
  void Spoil(Waiting& waiting);
  void Store(Waiting& waiting, uint32_t offset, Bytes data);
  static bool Fits(const Waiting& waiting, const Fragment& fragment);
  bool StoreWhatIsNew(Waiting& waiting, const Fragment& fragment);
  bool StoreUnlessOverlapping(Waiting& waiting, const Fragment& fragment);
  void Complete(ByAge::iterator waiting, Datagram& datagram);
  bool MakeRoom(ByAge::iterator keep, uint64_t time_ns);

  Limits limits_;
  NotDecodedCounts& counts_;
  ByAge by_age_;  // oldest first
  std::unordered_map<DatagramKey, ByAge::iterator, DatagramKeyHash> by_key_;
  std::vector<std::vector<uint8_t>> finished_;
  std::deque<GivenUp> given_up_;
  size_t num_taken_ = 0;  // of given_up_
  size_t held_bytes_ = 0;
};

}  // namespace vedette
