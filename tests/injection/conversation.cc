#include "tests/injection/conversation.h"

#include <algorithm>

#include "sensor/decode/link.h"

namespace vedette::injection {
namespace {

void Put(std::vector<uint8_t>& out, std::initializer_list<uint8_t> bytes) { out.insert(out.end(), bytes); }
void Put16(std::vector<uint8_t>& out, uint32_t value) {
  Put(out, {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)});
}

void PutAddress(std::vector<uint8_t>& out, const Conversation::Ends& ends, size_t side) {
  const uint32_t host = side == kClient ? ends.client : ends.server;
  if (ends.version == 6) {
    Put(out, {0x20, 0x01, 0x0d, 0xb8, 0, static_cast<uint8_t>(side), 0, 0, 0, 0, 0, 0});
    Put16(out, host >> 16);
    return Put16(out, host);
  }
  Put(out, {static_cast<uint8_t>(side == kClient ? 10 : 192), static_cast<uint8_t>(host >> 16),
            static_cast<uint8_t>(host >> 8), static_cast<uint8_t>(host)});
}

std::vector<uint8_t> PatternOf(const Conversation::Ends& ends) {
  std::vector<uint8_t> out;
  out.reserve(128);
  Put(out, {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2});
  if (ends.vlan) Put(out, {0x81, 0, 0, 7});
  if (ends.version == 6) {
    Put(out, {0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, 6, 64});
  } else {
    Put(out, {8, 0, 0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0});
  }
  PutAddress(out, ends, kClient);
  PutAddress(out, ends, kServer);
  Put16(out, ends.client_port);
  Put16(out, ends.server_port);
  Put(out, {0, 0, 0, 0, 0, 0, 0, 0, 0x50, kAck});
  Put16(out, ends.window);
  Put(out, {0, 0, 0, 0});
  return out;
}

}  // namespace

Conversation::Conversation(const Ends& ends)
    : pattern_(PatternOf(ends)), next_{ends.first[0], ends.first[1]}, window_(ends.window) {
  (void)Parse(pattern(), parsed_);
}

Frame Conversation::pattern() const {
  Frame frame;
  frame.data = pattern_.data();
  frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(pattern_.size());
  frame.link_type = kLinkEthernet;
  return frame;
}

Segment Conversation::Next(size_t side) const {
  Segment segment;
  segment.sequence = next_[side];
  segment.acknowledgment = next_[1 - side];
  segment.window = window_;
  return segment;
}

void Conversation::Put(size_t side, const Segment& segment) {
  frames_.push_back(Build(pattern(), parsed_, side == kServer, segment));
}

void Conversation::Advance(size_t side, uint8_t flags, Bytes payload) {
  Segment segment = Next(side);
  segment.flags = flags;
  segment.payload = payload;
  Put(side, segment);
  next_[side] += static_cast<uint32_t>(payload.size()) + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
}

void Conversation::Open() {
  Advance(kClient, kSyn, {});
  Advance(kServer, kSyn | kAck, {});
  Acknowledge(kClient);
}

void Conversation::Send(size_t side, std::string_view bytes, size_t mss, bool acknowledged) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, mss);
    Advance(side, kAck | kPsh, AsBytes(piece));
    if (acknowledged) Acknowledge(1 - side);
    bytes.remove_prefix(piece.size());
  }
}

void Conversation::Acknowledge(size_t side) { Advance(side, kAck, {}); }

void Conversation::Close() {
  Advance(kClient, kFin | kAck, {});
  Advance(kServer, kFin | kAck, {});
  Acknowledge(kClient);
}

}  // namespace vedette::injection
