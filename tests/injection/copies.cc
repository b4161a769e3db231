#include <fmt/format.h>

#include "sensor/decode/link.h"
#include "tests/injection/variants.h"

namespace vedette::injection {
namespace {

// Why the receiver never takes the copy, although it stands at the right place.
struct Reason {
  const char* name;
  const char* about;
  void (*apply)(Segment&);
  bool needs_timestamps = false;  // else the receiver passes over the option and takes the segment
};
constexpr Reason kReasons[] = {
    {"low-ttl", "its TTL ends on the way", [](Segment& s) { s.ttl = 1; }},
    {"checksum", "its checksum is wrong", [](Segment& s) { s.wrong_checksum = true; }},
    {"no-ack", "it has no ACK flag (RFC 9293 section 3.10.7.4)", [](Segment& s) { s.flags = kPsh; }},
    {"bad-ack", "it acknowledges what was never sent", [](Segment& s) { s.acknowledgment += 1u << 28; }},
    {"timestamp", "its timestamp is old (RFC 7323 section 5)", [](Segment& s) { s.options = Options::kOldTimestamp; },
     true},
    {"md5", "it has a signature that nobody agreed on (RFC 2385)", [](Segment& s) { s.options = Options::kMd5; }},
};

enum class Fill : uint8_t { kNoise, kZeros, kAltered };

std::vector<uint8_t> Filled(Injector& in, const Step& step, Fill fill, size_t bytes) {
  if (fill == Fill::kZeros) return std::vector<uint8_t>(bytes);
  std::vector<uint8_t> out = Noise(in.rng(), bytes);
  if (fill == Fill::kAltered) {
    const size_t own = std::min<size_t>(bytes, step.tcp.captured_payload_bytes);
    std::copy(step.frame.data + step.tcp.payload, step.frame.data + step.tcp.payload + own, out.begin());
    for (size_t i = in.rng().Below(8); i < own; i += 8 + in.rng().Below(16)) out[i] ^= 0x15;
  }
  return out;
}

void Copy(Injector& in, const Step& step, const Reason& reason, Fill fill, int32_t longer = 0, uint32_t ahead = 0) {
  const int64_t bytes = int64_t{step.tcp.payload_bytes} + longer;
  if (bytes <= 0 || bytes > 60'000) return;
  if (reason.needs_timestamps && !in.of(step.side).has_timestamp) return;
  const std::vector<uint8_t> payload = Filled(in, step, fill, static_cast<size_t>(bytes));
  Segment segment;
  segment.sequence = step.tcp.sequence + ahead;
  segment.acknowledgment = step.tcp.acknowledgment;
  segment.flags = static_cast<uint8_t>(step.tcp.flags & ~(kFin | kSyn));
  segment.payload = payload;
  segment.options = Options::kKeep;
  reason.apply(segment);
  in.Emit(Build(step.frame, step.tcp, false, segment));
}

enum class Where : uint8_t { kFirst, kMiddle, kTenth, kEach };

bool IsHere(Where where, Injector& in, const Step& step) {
  if (!step.follows_known_place()) return false;
  switch (where) {
    case Where::kFirst:
      return step.number == 0;
    case Where::kMiddle:
      return step.middle_here;
    case Where::kTenth:
      return in.rng().OneIn(10);
    case Where::kEach:
      return true;
  }
  return false;
}

struct Row {
  const char* name;
  const Reason& reason;
  Fill fill;
  Where where;
  bool before = true;  // the copy comes before the real segment
  int32_t longer = 0;
  uint32_t ahead = 0;
};

void AddRow(std::vector<Variant>& all, const Row& row) {
  constexpr const char* kWhere[] = {"the first frame with data of each side", "the frame in the middle of the data",
                                    "one frame with data in ten", "each frame with data"};
  all.push_back({row.name,
                 fmt::format("other bytes {} {}; {}", row.before ? "before" : "after",
                             kWhere[static_cast<size_t>(row.where)], row.reason.about),
                 Expect::kKept, [row](const Trace& trace, Rng& rng, Injected& out) {
                   Injector::Walk(trace, rng, out, [&](Injector& in, const Step& step) {
                     const bool here = IsHere(row.where, in, step);
                     if (here && row.before) Copy(in, step, row.reason, row.fill, row.longer, row.ahead);
                     in.Keep();
                     if (here && !row.before) Copy(in, step, row.reason, row.fill, row.longer, row.ahead);
                   });
                 }});
}

void AddPadding(std::vector<Variant>& all) {
  static constexpr uint8_t kZeros[6] = {};
  const auto is_ethernet4 = [](const Step& step) {
    return step.frame.link_type == kLinkEthernet && step.tcp.version == 4;
  };
  for (const bool each : {false, true}) {
    all.push_back({each ? "ack-padding-each" : "ack-padding-first",
                   fmt::format("a bare ACK whose IP length holds the six zeros of Ethernet's padding, before {}",
                               each ? "each frame with data" : "the first data of each side"),
                   Expect::kKept, BeforeFrames([=](Injector& in, const Step& step) {
                     if (!step.follows_known_place() || (step.number != 0 && !each) || !is_ethernet4(step)) return;
                     Segment segment = in.Next(step.side);
                     if ((segment.flags & kAck) == 0 || !in.of(step.side).known) return;
                     segment.payload = kZeros;
                     in.Forge(step.side, segment);
                   })});
  }
  all.push_back({"ack-padding-all", "each bare ACK without options has those six zeros in its IP length", Expect::kKept,
                 [=](const Trace& trace, Rng& rng, Injected& out) {
                   Injector::Walk(trace, rng, out, [&](Injector& in, const Step& step) {
                     if (step.tcp.flags != kAck || step.has_data() || step.tcp.payload - step.tcp.tcp != 20 ||
                         !is_ethernet4(step) || step.tcp.tcp - step.tcp.ip != 20) {
                       in.Keep();
                       return;
                     }
                     Segment segment;
                     segment.sequence = step.tcp.sequence;
                     segment.acknowledgment = step.tcp.acknowledgment;
                     segment.payload = kZeros;
                     in.Emit(Build(step.frame, step.tcp, false, segment));
                   });
                 }});
  all.push_back({"trailer", "each Ethernet frame ends with twelve bytes of text behind its IP datagram", Expect::kKept,
                 [](const Trace& trace, Rng& rng, Injected& out) {
                   Injector::Walk(trace, rng, out, [&](Injector& in, const Step& step) {
                     if (step.frame.link_type != kLinkEthernet || !step.tcp.whole() ||
                         step.frame.captured_bytes != step.frame.wire_bytes) {
                       in.Keep();
                       return;
                     }
                     std::vector<uint8_t> bytes(step.frame.data, step.frame.data + step.frame.captured_bytes);
                     const std::vector<uint8_t> trailer = Noise(in.rng(), 12);
                     bytes.insert(bytes.end(), trailer.begin(), trailer.end());
                     in.Emit(bytes);
                   });
                 }});
}

// The real first bytes of that side, as a SYN with data would carry them; empty where there are none.
Bytes FirstData(const Trace& trace, const Step& step) {
  for (size_t i = step.index + 1; i < trace.frames().size(); ++i) {
    const TcpFrame* tcp = trace.tcp(i);
    if (tcp == nullptr || trace.connection(i) != trace.connection(step.index) || trace.side(i) != step.side) continue;
    if (tcp->sequence == step.tcp.sequence + 1 && tcp->payload_bytes != 0 && tcp->whole()) {
      return {trace.frames()[i].data + tcp->payload, tcp->payload_bytes};
    }
  }
  return {};
}

void AddSynData(std::vector<Variant>& all) {
  for (const bool real : {true, false}) {
    all.push_back({real ? "syn-data-same" : "syn-data-other",
                   fmt::format("the client's SYN carries {}; hosts without TCP Fast Open pass over it",
                               real ? "the first data, which is sent again" : "other bytes"),
                   Expect::kKept, [real](const Trace& trace, Rng& rng, Injected& out) {
                     Injector::Walk(trace, rng, out, [&](Injector& in, const Step& step) {
                       const bool opens = step.tcp.has(kSyn) && !step.tcp.has(kAck) && !step.has_data();
                       const Bytes data = opens ? FirstData(trace, step) : Bytes();
                       if (data.empty()) {
                         in.Keep();
                         return;
                       }
                       const std::vector<uint8_t> other = Noise(in.rng(), std::min<size_t>(data.size(), 100));
                       Segment segment;
                       segment.sequence = step.tcp.sequence;
                       segment.flags = kSyn;
                       segment.payload = real ? data : Bytes(other);
                       segment.options = Options::kKeep;
                       in.Emit(Build(step.frame, step.tcp, false, segment));
                     });
                   }});
  }
}

}  // namespace

void AddCopies(std::vector<Variant>& all) {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Reason& reason : kReasons) names.push_back(fmt::format("copy-before-first-{}", reason.name));
    return names;
  }();
  for (size_t i = 0; i < std::size(kReasons); ++i) {
    AddRow(all, {kNames[i].c_str(), kReasons[i], Fill::kNoise, Where::kFirst});
  }
  const Reason& low_ttl = kReasons[0];
  const Reason& checksum = kReasons[1];
  AddRow(all, {"zeros-before-first-checksum", checksum, Fill::kZeros, Where::kFirst});
  AddRow(all, {"zeros-before-middle-checksum", checksum, Fill::kZeros, Where::kMiddle});
  AddRow(all, {"copy-before-first-shorter", low_ttl, Fill::kNoise, Where::kFirst, true, -20});
  AddRow(all, {"copy-before-first-longer", low_ttl, Fill::kNoise, Where::kFirst, true, 200});
  AddRow(all, {"copy-before-middle-low-ttl", low_ttl, Fill::kNoise, Where::kMiddle});
  AddRow(all, {"copy-before-middle-longer", low_ttl, Fill::kNoise, Where::kMiddle, true, 1000});
  AddRow(all, {"copy-ahead-of-middle", low_ttl, Fill::kNoise, Where::kMiddle, true, 400, 10});
  AddRow(all, {"copy-before-tenth-low-ttl", low_ttl, Fill::kNoise, Where::kTenth});
  AddRow(all, {"copy-before-each-low-ttl", low_ttl, Fill::kNoise, Where::kEach});
  AddRow(all, {"copy-before-each-checksum", checksum, Fill::kNoise, Where::kEach});
  AddRow(all, {"altered-before-each-low-ttl", low_ttl, Fill::kAltered, Where::kEach});
  AddRow(all, {"copy-after-first-low-ttl", low_ttl, Fill::kNoise, Where::kFirst, false});
  AddRow(all, {"copy-after-each-low-ttl", low_ttl, Fill::kNoise, Where::kEach, false});
  AddRow(all, {"altered-after-each-low-ttl", low_ttl, Fill::kAltered, Where::kEach, false});
  AddPadding(all);
  AddSynData(all);
}

}  // namespace vedette::injection
