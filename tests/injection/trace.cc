#include "tests/injection/trace.h"

#include <unordered_map>
#include <utility>

#include "sensor/capture/files/capture_files.h"
#include "sensor/decode/link.h"

namespace vedette::injection {
namespace {

// By its IP header, whether in one piece or not. Of IPv6 whatever may lead to TCP.
bool CarriesTcp(const Frame& frame) {
  LinkLayer link{};
  if (FindIp(frame, link) != kDecoded) return false;
  const uint8_t* ip = frame.data + link.ip_offset;
  if (frame.captured_bytes - link.ip_offset < 20) return false;
  const uint8_t protocol = link.ip_version == 4 ? ip[9] : ip[6];
  if (protocol == 6) return true;
  return link.ip_version == 6 &&
         (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 51 || protocol == 60);
}

}  // namespace

Trace::Trace(std::vector<Frame> frames, std::shared_ptr<Arena> arena, std::vector<uint8_t> sides)
    : frames_(std::move(frames)), arena_(std::move(arena)), side_(std::move(sides)) {
  const bool sides_known = !side_.empty();
  side_.resize(frames_.size());
  Index(sides_known);
  FindPlaces();
}

Trace Trace::Load(const std::string& path) {
  auto arena = std::make_shared<Arena>();
  std::vector<Frame> kept;
  const std::vector<std::string> paths = {path};
  std::string error;
  const std::shared_ptr<const CaptureList> list = CaptureList::Resolve(paths, {}, error);
  if (list != nullptr) {
    CaptureFiles source(list);
    std::span<const Frame> frames;
    while (source.Poll(frames) != PollStatus::kEnd) {
      for (const Frame& frame : frames) {
        if (!CarriesTcp(frame)) continue;
        kept.push_back(frame);
        const std::string_view copy = arena->Copy(AsText(frame.bytes()));
        kept.back().data = reinterpret_cast<const uint8_t*>(copy.data());
      }
    }
  }
  return {std::move(kept), std::move(arena)};
}

Trace Trace::Of(const std::vector<std::vector<uint8_t>>& frames, uint16_t link_type) {
  auto arena = std::make_shared<Arena>();
  std::vector<Frame> kept;
  for (const std::vector<uint8_t>& bytes : frames) {
    Frame& frame = kept.emplace_back();
    frame.data = reinterpret_cast<const uint8_t*>(arena->Copy(AsText(bytes)).data());
    frame.captured_bytes = frame.wire_bytes = static_cast<uint32_t>(bytes.size());
    frame.time_ns = 1'700'000'000'000'000'000 + kept.size() * 1'000'000;
    frame.link_type = link_type;
  }
  return {std::move(kept), std::move(arena)};
}

void Trace::Index(bool sides_known) {
  tcp_.resize(frames_.size());
  connection_.assign(frames_.size(), kNone);
  struct Open {
    uint32_t index;
    std::string client;  // address and port
    uint32_t syn = 0;
    bool syn_known = false;
  };
  std::unordered_map<std::string, Open> open;
  for (size_t i = 0; i < frames_.size(); ++i) {
    TcpFrame& tcp = tcp_[i];
    if (!Parse(frames_[i], tcp)) continue;
    const std::string key = FlowKeyOf(frames_[i], tcp);
    const uint32_t address = tcp.version == 4 ? 4 : 16;
    const char* bytes = reinterpret_cast<const char*>(frames_[i].data);
    const char* source = bytes + tcp.ip + (tcp.version == 4 ? 12 : 8);
    const std::string sender = std::string(source, address) + std::string(bytes + tcp.tcp, 2);
    const std::string receiver = std::string(source + address, address) + std::string(bytes + tcp.tcp + 2, 2);
    const bool opens = tcp.has(kSyn) && !tcp.has(kAck);
    auto found = open.find(key);
    // The ports are used again.
    const bool again =
        found != open.end() && opens && found->second.syn_known && found->second.syn != tcp.sequence &&
        connections_[found->second.index].num_data[kClient] + connections_[found->second.index].num_data[kServer] != 0;
    if (found == open.end() || again) {
      Open fresh{static_cast<uint32_t>(connections_.size()), sender};
      const bool sender_is_server = tcp.has(kSyn) ? tcp.has(kAck) : tcp.source_port < tcp.destination_port;
      if (sides_known ? side_[i] == kServer : sender_is_server) fresh.client = receiver;
      connections_.emplace_back().key = key;
      found = open.insert_or_assign(key, fresh).first;
    }
    Open& entry = found->second;
    if (opens && !entry.syn_known) {
      entry.syn = tcp.sequence;
      entry.syn_known = true;
    }
    Connection& connection = connections_[entry.index];
    connection_[i] = entry.index;
    side_[i] = sender == entry.client ? kClient : kServer;
    connection.handshake = connection.handshake || tcp.has(kSyn);
    connection.side_seen[side_[i]] = true;
    if (tcp.payload_bytes != 0) ++connection.num_data[side_[i]];
  }
}

void Trace::FindPlaces() {
  std::vector<uint32_t> data(connections_.size());
  for (size_t i = 0; i < frames_.size(); ++i) {
    if (tcp(i) == nullptr || tcp(i)->payload_bytes == 0) continue;
    Connection& connection = connections_[connection_[i]];
    const uint32_t number = data[connection_[i]]++;
    const uint32_t all = connection.num_data[kClient] + connection.num_data[kServer];
    const uint32_t first = connection.handshake ? 0 : 2;
    if (number == first) connection.forge = static_cast<uint32_t>(i);
    if (number > first && number == all / 2) connection.middle = static_cast<uint32_t>(i);
  }
}

Trace Trace::OneSide(size_t side) const {
  std::vector<Frame> kept;
  std::vector<uint8_t> sides;
  for (size_t i = 0; i < frames_.size(); ++i) {
    if (tcp(i) == nullptr || side_[i] != side) continue;
    kept.push_back(frames_[i]);
    sides.push_back(side_[i]);
  }
  return {std::move(kept), arena_, std::move(sides)};
}

Trace Trace::Lossy(uint64_t seed, uint32_t one_in) const {
  Rng rng(seed);
  std::vector<Frame> kept;
  std::vector<uint8_t> sides;
  for (size_t i = 0; i < frames_.size(); ++i) {
    if (tcp(i) != nullptr && tcp(i)->payload_bytes != 0 && rng.OneIn(one_in)) continue;
    kept.push_back(frames_[i]);
    sides.push_back(side_[i]);
  }
  return {std::move(kept), arena_, std::move(sides)};
}

}  // namespace vedette::injection
