// A small capture: the first byte gives the link type; then frames, each behind its length (two bytes) and a byte that
// says how far the clock goes on and whether the snap length cut it. One worker and three have to agree, with no tunnel
// opened and with all.
#include "sensor/decode/decoder.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "sensor/decode/link.h"

namespace {

using namespace vedette;

void Check(bool holds) {
  if (!holds) std::abort();
}

constexpr uint16_t kLinkTypes[] = {kLinkEthernet, kLinkNull,   kLinkLoop,    kLinkPpp,  kLinkPppHdlc, kLinkRaw,
                                   kLinkIpv4,     kLinkCooked, kLinkCooked2, kLinkIpv6, 147};

uint64_t Accounted(const DecodeCounters& counters) {
  return std::accumulate(counters.not_decoded.begin(), counters.not_decoded.end(), counters.decoded);
}

// Reads every byte that the packet shows, for the sanitizer.
uint64_t Touch(const Packet& packet) {
  uint64_t sum = 0;
  for (uint8_t byte : packet.payload) sum = sum * 31 + byte;
  return sum;
}

bool Same(const Packet& a, const Packet& b) {
  return a.source == b.source && a.destination == b.destination && a.protocol == b.protocol &&
         a.source_port == b.source_port && a.destination_port == b.destination_port && a.tcp_flags == b.tcp_flags &&
         a.num_vlans == b.num_vlans && a.reassembled == b.reassembled && a.truncated == b.truncated &&
         a.missing_bytes == b.missing_bytes && a.ip_bytes == b.ip_bytes && a.has_quoted == b.has_quoted &&
         a.payload.size() == b.payload.size() && Touch(a) == Touch(b);
}

bool Shows(DecodeResult result) { return result == DecodeResult::kPacket || result == DecodeResult::kAddressesOnly; }

// One worker and three, with every tunnel opened.
class Opened {
 public:
  Opened() {
    Decoder::Options options;
    options.opened = TunnelSet::All();
    whole_ = std::make_unique<Decoder>(options);
    for (uint32_t i = 0; i < 3; ++i) {
      options.share = {i, 3};
      shares_.push_back(std::make_unique<Decoder>(options));
    }
  }
  void Decode(const Frame& frame) {
    Packet packet, shared;
    const DecodeResult result = whole_->Decode(frame, packet);
    Check(result != DecodeResult::kNotOurs);
    if (Shows(result)) {
      Touch(packet);
      Check(packet.outer.size() <= kMaxOuterLayers && packet.frame == &frame);
    }
    int shown = 0;
    for (const auto& share : shares_) {
      const DecodeResult of_share = share->Decode(frame, shared);
      if (!Shows(of_share)) continue;
      ++shown;
      Check(of_share == result && Same(packet, shared) && SameTunnels(packet.outer.layers(), shared.outer.layers()));
    }
    Check(shown == (Shows(result) ? 1 : 0));
  }
  void Finish(uint64_t num_frames) {
    uint64_t received = 0, decoded = 0;
    for (const auto& share : shares_) {
      share->Finish();
      Check(Accounted(share->counters()) == share->counters().received);
      received += share->counters().received;
      decoded += share->counters().decoded;
    }
    whole_->Finish();
    Check(Accounted(whole_->counters()) == num_frames && received == num_frames);
    Check(whole_->counters().decoded == decoded);
  }

 private:
  std::unique_ptr<Decoder> whole_;
  std::vector<std::unique_ptr<Decoder>> shares_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const uint16_t link_type = kLinkTypes[data[0] % std::size(kLinkTypes)];
  Bytes rest(data + 1, size - 1);
  Decoder whole(Decoder::Options{});
  std::vector<std::unique_ptr<Decoder>> shares;
  for (uint32_t i = 0; i < 3; ++i) shares.push_back(std::make_unique<Decoder>(Decoder::Options{.share = {i, 3}}));
  // Tight bounds: other results, the same accounts. What it gives up is read.
  Decoder::Options tight_options{.share = {}, .fragment_bytes = 3000, .fragment_datagrams = 2};
  tight_options.keep_given_up = true;
  Decoder tight(tight_options);
  const auto read_given_up = [&] {
    Packet packet;
    while (tight.TakeGivenUp(packet)) {
      Touch(packet);
      Check(packet.missing_bytes != 0 && packet.is_fragment && packet.frame->data == nullptr);
    }
    Check(!tight.has_given_up());
    tight.BeginBurst();
  };
  Opened opened;
  uint64_t time_ns = 0, num_frames = 0;
  while (rest.size() >= 3) {
    const size_t length = std::min<size_t>(LoadU16(rest.data()), rest.size() - 3);
    const uint8_t control = rest[2];
    const std::vector<uint8_t> exact(rest.begin() + 3, rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
    rest = rest.subspan(3 + length);
    Frame frame;
    frame.data = exact.data();
    frame.captured_bytes = static_cast<uint32_t>(length);
    frame.wire_bytes = frame.captured_bytes + ((control & 1) != 0 ? control : 0);
    frame.link_type = link_type;
    frame.time_ns = time_ns += uint64_t{control & 0xfeu} * 500'000'000;
    ++num_frames;
    Packet packet, shared;
    const DecodeResult result = whole.Decode(frame, packet);
    Check(result != DecodeResult::kNotOurs);
    const bool filled = Shows(result);
    if (filled) {
      Touch(packet);
      Check(packet.source.version() == packet.destination.version() && packet.source.version() != 0);
      Check(packet.truncated || packet.missing_bytes == 0);
      Check(packet.frame == &frame);
      Check(!packet.has_quoted || packet.quoted_source.version() != 0);
    }
    int num_owners = 0;
    for (const auto& share : shares) {
      const DecodeResult of_share = share->Decode(frame, shared);
      if (of_share == DecodeResult::kNotOurs) continue;
      ++num_owners;
      Check(of_share == result && (!filled || Same(packet, shared)));
    }
    Check(num_owners == 1);
    opened.Decode(frame);
    if (tight.Decode(frame, shared) == DecodeResult::kPacket) Touch(shared);
    read_given_up();
    Check(Accounted(whole.counters()) == num_frames && whole.counters().received == num_frames);
    Check(Accounted(tight.counters()) == num_frames);
  }
  opened.Finish(num_frames);
  whole.Finish();
  tight.Finish();
  read_given_up();
  Check(Accounted(whole.counters()) == num_frames && Accounted(tight.counters()) == num_frames);
  Check(whole.counters().not_decoded[static_cast<size_t>(NotDecoded::kFragmentHeld)] == 0);
  return 0;
}
