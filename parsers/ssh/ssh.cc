#include "parsers/ssh/ssh.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "parsers/base/digest.h"
#include "parsers/base/held_bytes.h"

namespace vedette {
namespace {

// Message numbers: RFC 4253 section 12, RFC 4419 section 5, RFC 4432 section 7, RFC 5656 section 7.1.
enum Message : uint8_t {
  kKexInit = 20,
  kNewKeys = 21,
  kRsaPublicKey = 30,  // of the server; of the client the same number begins other exchanges
  kKexReply = 31,      // of Diffie-Hellman and of elliptic curves; a group of RFC 4419
  kGroupReply = 33,    // of RFC 4419
};

constexpr std::string_view kBegin = "SSH-";
constexpr size_t kLengthBytes = 4;
constexpr size_t kHeaderBytes = kLengthBytes + 2;  // with the padding's length and the message's number
constexpr size_t kMinPacketBytes = 12;             // section 6: 16 with the length
constexpr size_t kCookieBytes = 16;
constexpr size_t kMaxAlgorithmBytes = 64;  // RFC 4251 section 6

uint32_t U32(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

// A string or a name-list: RFC 4251 section 5.
bool ReadString(ByteReader& reader, Bytes& text) {
  uint32_t length = 0;
  return reader.ReadU32(length) && reader.ReadBytes(length, text);
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// SSH 2, and what speaks it as well (section 5.1).
bool SpeaksSsh2(std::string_view identification) {
  const std::string_view version = identification.substr(kBegin.size());
  return version.starts_with("2.") || version.starts_with("1.99-");
}

}  // namespace

Probe SshParser::Identify(Bytes first, Direction) {
  const std::string_view text = AsText(first);
  if (text.substr(0, kBegin.size()) != kBegin.substr(0, text.size())) return Probe::kNo;
  if (text.size() <= kBegin.size()) return Probe::kNeedMore;
  return text[kBegin.size()] == '1' || text[kBegin.size()] == '2' ? Probe::kYes : Probe::kNo;
}

Outcome SshParser::Feed(const Chunk& chunk, ParserOutput& out) {
  Side& side = sides_[static_cast<size_t>(chunk.direction)];
  Bytes data = chunk.data;
  if (chunk.gap_bytes != 0) PassGap(side, chunk.gap_bytes);
  bool go_on = true;
  while (go_on && !data.empty()) {
    switch (side.state) {
      case State::kLine:
      case State::kLongLine:
        go_on = ReadLine(side, data, chunk.direction, out.values());
        break;
      case State::kPackets:
        go_on = ReadPacket(side, data, chunk.direction, out.values());
        break;
      case State::kClosed:
        go_on = false;
        break;
    }
  }
  if (chunk.end) Close(side);
  if (sides_[0].state == State::kClosed && sides_[1].state == State::kClosed) {
    // Another copy of what is no SSH may come.
    return sides_[0].given_up || sides_[1].given_up ? Outcome::Malformed() : Outcome::Done();
  }
  return side.state == State::kClosed ? Outcome::Skip(Outcome::kSkipAll) : Outcome::NeedMore();
}

size_t SshParser::HeldBytes() const {
  size_t bytes = 0;
  for (const Side& side : sides_) bytes += side.held.capacity() + side.identification.size();
  return bytes;
}

bool SshParser::InMessage(Direction direction) const {
  const Side& side = sides_[static_cast<size_t>(direction)];
  return !side.held.empty() || side.drop_bytes != 0 || side.state == State::kLongLine;
}

void SshParser::GiveUp(Side& side) {
  Close(side);
  side.given_up = true;
}

void SshParser::Close(Side& side) {
  side.held = {};
  side.identification = {};
  side.state = State::kClosed;
}

// Among packets the place is known where the gap ends within one of which the length is known. Before them it is looked
// for: what follows may be a line or a packet.
void SshParser::PassGap(Side& side, uint32_t gap_bytes) {
  if (side.state == State::kClosed) return;
  if (side.state != State::kPackets) {
    side.held = {};
    side.state = State::kLine;
    return;
  }
  size_t rest = side.drop_bytes;
  if (side.held.size() >= kLengthBytes) {
    rest = kLengthBytes + U32(side.held.data()) - side.held.size();
  }
  side.held = {};
  if (gap_bytes > rest) return Close(side);
  side.drop_bytes = static_cast<uint32_t>(rest - gap_bytes);
}

bool SshParser::ReadLine(Side& side, Bytes& data, Direction direction, ObservableBatch& values) {
  // No line of text begins so, and each packet does: its length fits 16 bits.
  if (side.state == State::kLine && side.held.empty() && data[0] == 0) {
    side.state = State::kPackets;
    return true;
  }
  const auto newline = std::find(data.begin(), data.end(), uint8_t{'\n'});
  const bool ends = newline != data.end();
  const Bytes piece = data.first(static_cast<size_t>(newline - data.begin()) + (ends ? 1 : 0));
  data = data.subspan(piece.size());
  side.greeting_bytes += static_cast<uint32_t>(piece.size());
  if (side.state == State::kLine && side.held.size() + piece.size() <= kMaxLineBytes) {
    AppendBytes(side.held, piece);
  } else {
    side.held = {};
    side.state = State::kLongLine;
  }
  if (ends) {
    const std::vector<uint8_t> line = std::exchange(side.held, {});
    if (side.state == State::kLine) OnLine(side, AsText(line), direction, values);
    if (side.state == State::kLongLine) side.state = State::kLine;
  }
  if ((side.state == State::kLine || side.state == State::kLongLine) && side.greeting_bytes > kMaxGreetingBytes) {
    GiveUp(side);
  }
  return side.state != State::kClosed;
}

void SshParser::OnLine(Side& side, std::string_view line, Direction direction, ObservableBatch& values) {
  line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (Identify(AsBytes(line), direction) != Probe::kYes) return;
  values.BeginMessage();
  values.AddText(direction == Direction::kToServer ? ObservableKind::kSshClient : ObservableKind::kSshServer, direction,
                 line);
  if (!SpeaksSsh2(line)) return Close(side);
  side.identification = line;
  side.state = State::kPackets;
}

// uint32 packet_length, byte padding_length, payload, padding (section 6); no MAC before NEWKEYS.
bool SshParser::ReadPacket(Side& side, Bytes& data, Direction direction, ObservableBatch& values) {
  const auto hold = [&](size_t target) {
    const size_t take = std::min(data.size(), target - side.held.size()), needed = side.held.size() + take;
    // As bytes come, not as a length says.
    if (needed > side.held.capacity()) {
      side.held.reserve(std::min(std::max(needed, side.held.capacity() * 2), target));
    }
    AppendBytes(side.held, data.first(take));
    data = data.subspan(take);
    return side.held.size() == target;
  };
  if (side.drop_bytes != 0) {
    const size_t dropped = std::min<size_t>(side.drop_bytes, data.size());
    side.drop_bytes -= static_cast<uint32_t>(dropped);
    data = data.subspan(dropped);
    return true;
  }
  const bool in_place = side.held.empty() && data.size() >= kHeaderBytes;
  if (!in_place && side.held.size() < kHeaderBytes && !hold(kHeaderBytes)) return false;
  const uint8_t* const header = in_place ? data.data() : side.held.data();
  const uint32_t length = U32(header);
  const uint8_t padding = header[kLengthBytes], message = header[kLengthBytes + 1];
  if (length < kMinPacketBytes || length > kMaxPacketBytes || padding + 2u > length) {
    GiveUp(side);
    return false;
  }
  const size_t total = kLengthBytes + length;
  if (message == kNewKeys) {
    Close(side);
    return false;
  }
  if (message != kKexInit && message != kRsaPublicKey && message != kKexReply && message != kGroupReply) {
    side.drop_bytes = static_cast<uint32_t>(total - side.held.size());
    side.held = {};
    return true;
  }
  const auto payload_of = [&](Bytes packet) { return packet.subspan(kLengthBytes + 1, length - padding - 1); };
  if (in_place && data.size() >= total) {
    const Bytes packet = data.first(total);
    data = data.subspan(total);
    OnPacket(side, payload_of(packet), direction, values);
    return side.state != State::kClosed;
  }
  if (!hold(total)) return false;
  const std::vector<uint8_t> packet = std::exchange(side.held, {});
  OnPacket(side, payload_of(packet), direction, values);
  return side.state != State::kClosed;
}

void SshParser::OnPacket(Side& side, Bytes payload, Direction direction, ObservableBatch& values) {
  const Bytes body = payload.subspan(1);
  const bool to_server = direction == Direction::kToServer;
  if (payload[0] == kKexInit) {
    // The client says no more of itself.
    if (!OnKexInit(side, body, direction, values)) {
      GiveUp(side);
    } else if (to_server) {
      Close(side);
    }
  } else if (!to_server && OnHostKey(side, body, direction, values)) {
    Close(side);
  }
}

// False: it is none.
bool SshParser::OnKexInit(const Side& side, Bytes body, Direction direction, ObservableBatch& values) {
  // kex, host keys, then of encryption, MAC and compression that to the server and that to the client (section 7.1).
  constexpr size_t kLists = 8;
  ByteReader reader(body);
  Bytes lists[kLists];
  if (!reader.Skip(kCookieBytes)) return false;
  for (Bytes& list : lists) {
    if (!ReadString(reader, list)) return false;
  }
  const bool to_server = direction == Direction::kToServer;
  const ObservableKind kind = to_server ? ObservableKind::kSshHassh : ObservableKind::kSshHasshServer;
  if (!values.Wants(kind)) return true;
  const size_t first = to_server ? 2 : 3;
  std::string text(AsText(lists[0]));
  for (const size_t list : {first, first + 2, first + 4}) text.append(";").append(AsText(lists[list]));
  values.BeginMessage();
  values.AddText(kind, direction, Digester(DigestAlgorithm::kMd5).Of(AsBytes(text)).Hex());
  values.AddText(ObservableKind::kSshSoftware, direction, side.identification);
  return true;
}

// `body` begins with the host key, where it is no group of RFC 4419. False: it is one.
bool SshParser::OnHostKey(const Side& side, Bytes body, Direction direction, ObservableBatch& values) {
  constexpr std::string_view kCertificate = "-cert-v01@openssh.com";  // of which the key is a part only
  ByteReader reader(body);
  Bytes key, algorithm;
  if (!ReadString(reader, key) || reader.empty()) return false;
  ByteReader key_reader(key);
  if (!ReadString(key_reader, algorithm) || algorithm.empty() || algorithm.size() > kMaxAlgorithmBytes ||
      key_reader.empty() || !IsPrintable(AsText(algorithm))) {
    return false;
  }
  if (AsText(algorithm).ends_with(kCertificate) || !values.Wants(ObservableKind::kSshHostKeySha256)) return true;
  values.BeginMessage();
  values.AddText(ObservableKind::kSshHostKeySha256, direction, Digester(DigestAlgorithm::kSha256).Of(key).Hex());
  values.AddText(ObservableKind::kSshSoftware, direction, side.identification);
  return true;
}

}  // namespace vedette
