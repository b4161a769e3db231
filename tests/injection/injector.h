// Walks a trace, tracks what each connection's ends have sent so far, and lets a variant insert frames.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "parsers/base/arena.h"
#include "tests/injection/trace.h"

namespace vedette::injection {

// A trace with inserted frames. Views into it and into the trace are valid as long as both.
struct Injected {
  std::vector<Frame> frames;
  std::vector<bool> touched;  // connections that were injected into or changed
  uint64_t forged = 0;        // frames that are not the trace's own
  Arena arena;
};

// What a bystander knows of one side before the current frame.
struct Side {
  bool known = false;              // `next` holds: it sent something, or the other side acknowledged something
  uint32_t next = 0;               // after the last byte (or SYN or FIN) that it sent
  const Frame* pattern = nullptr;  // its last frame; nullptr: none was captured
  TcpFrame parsed;                 // … parsed
  uint8_t scale = 0;               // of its window
  bool has_timestamp = false;      // its frames carry the option
};

struct Step {
  size_t index;  // of the frame
  const Frame& frame;
  const Connection& connection;
  const TcpFrame& tcp;
  size_t side;                   // that sent it
  uint32_t number;               // of the side's frames with payload before this one
  bool forge_here, middle_here;  // see Connection

  bool has_data() const { return tcp.payload_bytes != 0; }
  // With payload, and the side's place was known before.
  bool follows_known_place() const { return has_data() && (connection.handshake || number != 0); }
};

class Injector {
 public:
  using Visit = std::function<void(Injector&, const Step&)>;
  // Calls `visit` for every frame of a connection; other frames go to `out` unchanged. To keep the frame, a visit
  // calls Keep. Only the first `max_connections` are visited.
  static void Walk(const Trace& trace, Rng& rng, Injected& out, const Visit& visit,
                   uint32_t max_connections = UINT32_MAX);

  // Keeps the current frame. At most once.
  void Keep();
  void KeepWithTime(uint64_t time_ns);
  // Inserts a segment of that side, at the time of the current frame; nothing if the connection was not captured yet.
  void Forge(size_t side, const Segment& segment);
  // Any frame in the name of the frame at hand.
  void Emit(const std::vector<uint8_t>& bytes);
  // Changes the time of the last inserted frame.
  void SetTime(uint64_t time_ns) { out_.frames.back().time_ns = time_ns; }
  void Touch() { out_.touched[connection_] = true; }

  const Side& of(size_t side) const { return states_[connection_].sides[side]; }
  // A segment of that side as it would be sent now: its next sequence number, everything acknowledged.
  Segment Next(size_t side) const;
  // Whether that side's place and a frame to imitate are known.
  bool CanForge(size_t side) const;
  // Bytes that the side's peer accepts beyond what was acknowledged.
  uint32_t WindowOf(size_t side) const;
  Rng& rng() { return rng_; }

 private:
  struct State {
    Side sides[2];
    uint32_t num_data[2] = {0, 0};
  };
  Injector(const Trace& trace, Rng& rng, Injected& out) : trace_(trace), rng_(rng), out_(out) {}
  void Learn(const Step& step);

  const Trace& trace_;
  Rng& rng_;
  Injected& out_;
  std::vector<State> states_;
  uint32_t connection_ = 0;
  const Frame* frame_ = nullptr;
};

}  // namespace vedette::injection
