#include "parsers/openvpn/openvpn.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace vedette {
namespace {

enum Opcode : uint8_t {
  kSoftReset = 3,
  kControl = 4,
  kAck = 5,
  kHardResetClient = 7,
  kHardResetServer = 8,
};
constexpr uint8_t kLastOpcode = 11;

constexpr size_t kLengthBytes = 2, kSessionBytes = 8, kIdBytes = 4;
constexpr size_t kFixedBytes = 1 + kSessionBytes;  // before what --tls-auth adds
constexpr size_t kReplayBytes = 8;                 // replay id and time
constexpr uint8_t kMaxAcks = 8;                    // RELIABLE_ACK_SIZE
// Without --tls-auth; MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
constexpr size_t kAuthBytes[] = {0,
                                 16 + kReplayBytes,
                                 20 + kReplayBytes,
                                 28 + kReplayBytes,
                                 32 + kReplayBytes,
                                 48 + kReplayBytes,
                                 64 + kReplayBytes};
constexpr size_t kMaxResetBytes = kFixedBytes + 64 + kReplayBytes + 1 + kIdBytes + kSessionBytes + kIdBytes;
constexpr uint32_t kUnknownGap = std::numeric_limits<uint32_t>::max();

uint8_t OpcodeOf(uint8_t first) { return first >> 3; }
uint8_t KeyOf(uint8_t first) { return first & 7; }

bool IsReset(uint8_t opcode) { return opcode == kHardResetClient || opcode == kHardResetServer; }

}  // namespace

size_t OpenVpnParser::AuthBytesOfReset(Bytes packet) {
  if (packet.size() < kFixedBytes + 1 + kIdBytes || packet.size() > kMaxResetBytes) return kNoReset;
  const uint8_t opcode = OpcodeOf(packet[0]);
  if (!IsReset(opcode) || KeyOf(packet[0]) != 0) return kNoReset;
  for (const size_t auth : kAuthBytes) {
    ByteReader reader(packet);
    uint8_t acks = 0;
    uint32_t replay_id = 0, id = 0;
    if (!reader.Skip(kFixedBytes)) continue;
    // The first packets of their sender: a small number.
    if (auth != 0 && (!reader.Skip(auth - kReplayBytes) || !reader.ReadU32(replay_id) || replay_id == 0 ||
                      replay_id > 0xffff || !reader.Skip(kReplayBytes - kIdBytes))) {
      continue;
    }
    if (!reader.ReadU8(acks) || acks > (opcode == kHardResetClient ? 0 : 1)) continue;
    if (acks != 0 && !reader.Skip(kIdBytes + kSessionBytes)) continue;
    if (reader.ReadU32(id) && id == 0 && reader.empty()) return auth;
  }
  return kNoReset;
}

Probe OpenVpnParser::Identify(Bytes first, Direction) {
  ByteReader reader(first);
  uint16_t length = 0;
  if (!reader.ReadU16(length)) return first.empty() || first[0] == 0 ? Probe::kNeedMore : Probe::kNo;
  if (length < kFixedBytes || length > kMaxResetBytes) return Probe::kNo;
  if (reader.empty()) return Probe::kNeedMore;
  if (!IsReset(OpcodeOf(reader.rest()[0]))) return Probe::kNo;
  Bytes packet;
  if (!reader.ReadBytes(length, packet)) return Probe::kNeedMore;
  return AuthBytesOfReset(packet) != kNoReset ? Probe::kYes : Probe::kNo;
}

Sender OpenVpnParser::SenderOf(Bytes first) {
  if (first.size() <= kLengthBytes) return Sender::kUnknown;
  return OpcodeOf(first[kLengthBytes]) == kHardResetClient ? Sender::kClient : Sender::kServer;
}

Outcome OpenVpnParser::Feed(const Chunk& chunk, ParserOutput& out) {
  Side& side = sides_[static_cast<size_t>(chunk.direction)];
  if (chunk.gap_bytes != 0) PassGap(side, chunk.gap_bytes);
  ReadFrames(side, chunk.data, chunk.direction, out);
  if (chunk.end && !side.closed) {
    TakeAhead(side, /*past_gaps=*/true, chunk.direction, out);
    FeedTls(side, {}, false, /*end=*/true, chunk.direction, out);
    side.closed = true;
  }
  return Answer(side);
}

Outcome OpenVpnParser::FeedDatagram(Bytes datagram, Direction direction, ParserOutput& out) {
  Side& side = sides_[static_cast<size_t>(direction)];
  if (!side.closed && !datagram.empty()) OnPacket(side, datagram, direction, out);
  return done_ || (sides_[0].closed && sides_[1].closed) ? Outcome::Done() : Outcome::NeedMore();
}

Outcome OpenVpnParser::Answer(const Side& side) const {
  if (done_ || (sides_[0].closed && sides_[1].closed)) return Outcome::Done();
  return side.closed ? Outcome::Skip(Outcome::kSkipAll) : Outcome::NeedMore();
}

void OpenVpnParser::PassGap(Side& side, uint32_t gap_bytes) {
  uint32_t rest = side.drop_bytes;  // of the packet that the gap hits
  if (side.frame.size() >= kLengthBytes) {
    rest = static_cast<uint32_t>(kLengthBytes + (size_t{side.frame[0]} << 8 | side.frame[1]) - side.frame.size());
  }
  side.frame = {};
  // Where no packet is at hand, the place is lost.
  if (gap_bytes > rest) side.closed = true;
  side.drop_bytes = side.closed ? 0 : rest - gap_bytes;
}

void OpenVpnParser::ReadFrames(Side& side, Bytes data, Direction direction, ParserOutput& out) {
  const auto hold = [&](size_t target) {
    const size_t take = std::min(data.size(), target - side.frame.size());
    side.frame.reserve(target);
    side.frame.insert(side.frame.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(take));
    data = data.subspan(take);
    return side.frame.size() == target;
  };
  while (!data.empty() && !side.closed && !done_) {
    if (side.drop_bytes != 0) {
      const size_t dropped = std::min<size_t>(side.drop_bytes, data.size());
      side.drop_bytes -= static_cast<uint32_t>(dropped);
      data = data.subspan(dropped);
      continue;
    }
    if (side.frame.size() < kLengthBytes + 1 && !hold(kLengthBytes + 1)) return;
    const size_t length = size_t{side.frame[0]} << 8 | side.frame[1];
    const uint8_t opcode = OpcodeOf(side.frame[kLengthBytes]);
    if (length == 0 || opcode == 0 || opcode > kLastOpcode) {
      side.frame = {};
      side.closed = true;
      return;
    }
    const bool is_of_use = opcode == kSoftReset || opcode == kControl || IsReset(opcode);
    if (!is_of_use || length > kMaxControlBytes) {
      side.frame = {};
      side.drop_bytes = static_cast<uint32_t>(length - 1);
      continue;
    }
    if (!hold(kLengthBytes + length)) return;
    const std::vector<uint8_t> frame = std::exchange(side.frame, {});
    OnPacket(side, Bytes(frame).subspan(kLengthBytes), direction, out);
  }
}

void OpenVpnParser::OnPacket(Side& side, Bytes packet, Direction direction, ParserOutput& out) {
  const uint8_t opcode = OpcodeOf(packet[0]), key = KeyOf(packet[0]);
  if (opcode != kSoftReset && opcode != kControl && !IsReset(opcode)) return;
  if (const size_t auth = AuthBytesOfReset(packet); auth != kNoReset) auth_bytes_ = auth;
  if (auth_bytes_ == kNoReset) return;
  ByteReader reader(packet);
  uint8_t first = 0, acks = 0;
  uint32_t high = 0, low = 0, id = 0;
  if (!reader.ReadU8(first) || !reader.ReadU32(high) || !reader.ReadU32(low) || !reader.Skip(auth_bytes_) ||
      !reader.ReadU8(acks) || acks > kMaxAcks || (acks != 0 && !reader.Skip(acks * kIdBytes + kSessionBytes)) ||
      !reader.ReadU32(id)) {
    return;
  }
  if (!TakeReset(side, opcode, key, uint64_t{high} << 32 | low)) return;
  if (!side.reset_seen && opcode == kControl && !side.fed_any && side.ahead.empty()) side.next_id = id;
  if (reader.remaining() <= kMaxControlBytes) TakeTls(side, id, reader.rest(), direction, out);
}

bool OpenVpnParser::TakeReset(Side& side, uint8_t opcode, uint8_t key, uint64_t session) {
  const bool is_other_session = side.has_session && side.session != session;
  if (IsReset(opcode)) {
    if (is_other_session || key_ != 0) Restart(0);
    side.reset_seen = true;
  } else if (is_other_session) {
    return false;
  } else if (opcode == kSoftReset) {
    if (key != key_) Restart(key);
    side.reset_seen = true;
  } else if (key != key_) {
    return false;
  }
  side.session = session;
  side.has_session = true;
  return true;
}

void OpenVpnParser::Restart(uint8_t key) {
  tls_ = TlsParser();
  held_bytes_ = 0;
  key_ = key;
  for (Side& side : sides_) {
    side.ahead = {};
    side.next_id = 0;
    side.has_session = side.reset_seen = side.fed_any = side.closed = false;
  }
}

void OpenVpnParser::TakeTls(Side& side, uint32_t id, Bytes tls, Direction direction, ParserOutput& out) {
  const auto distance = static_cast<int32_t>(id - side.next_id);
  if (distance < 0) return;  // sent again
  if (distance > 0) {
    const auto after = [&](const Ahead& ahead) { return static_cast<int32_t>(ahead.id - id) >= 0; };
    const auto at = std::find_if(side.ahead.begin(), side.ahead.end(), after);
    if (at != side.ahead.end() && at->id == id) return;
    // A full window: what is missing will not come.
    if (side.ahead.size() == kMaxAhead) {
      TakeAhead(side, /*past_gaps=*/true, direction, out);
      if (!side.closed) TakeTls(side, id, tls, direction, out);
      return;
    }
    held_bytes_ += tls.size();
    side.ahead.insert(at, {id, {tls.begin(), tls.end()}});
    return;
  }
  ++side.next_id;
  FeedTls(side, tls, false, false, direction, out);
  TakeAhead(side, /*past_gaps=*/false, direction, out);
}

void OpenVpnParser::TakeAhead(Side& side, bool past_gaps, Direction direction, ParserOutput& out) {
  while (!side.ahead.empty() && !side.closed) {
    const bool is_next = side.ahead.front().id == side.next_id;
    if (!is_next && !past_gaps) return;
    const Ahead ahead = std::move(side.ahead.front());
    side.ahead.erase(side.ahead.begin());
    held_bytes_ -= ahead.tls.size();
    side.next_id = ahead.id + 1;
    FeedTls(side, ahead.tls, !is_next, false, direction, out);
  }
}

void OpenVpnParser::FeedTls(Side& side, Bytes tls, bool after_gap, bool end, Direction direction, ParserOutput& out) {
  if (tls.empty() && !after_gap && !end) return;
  Chunk chunk;
  chunk.data = tls;
  chunk.direction = direction;
  chunk.gap_bytes = after_gap ? kUnknownGap : 0;
  chunk.start = side.reset_seen && !side.fed_any && !after_gap;
  chunk.end = end;
  side.fed_any = true;
  const Outcome outcome = tls_.Feed(chunk, out);
  switch (outcome.progress) {
    case Progress::kDone:
    case Progress::kMalformed:
      done_ = true;
      break;
    case Progress::kSkip:  // TlsParser skips to the end only
      side.closed = true;
      break;
    default:
      break;
  }
  if (side.closed || done_) {
    for (const Ahead& ahead : side.ahead) held_bytes_ -= ahead.tls.size();
    side.ahead = {};
  }
}

}  // namespace vedette
