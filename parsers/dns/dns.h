// DNS messages: RFC 1035 with RFC 2181, RFC 6891 (EDNS), RFC 6762 (mDNS) and RFC 4795 (LLMNR), over UDP and TCP.
//
// Emits, for each message: dns.query for every question (of an update, RFC 2136, its zone), dns.answer for every A and
// AAAA record of any section, dns.cname for the target of every CNAME record; as context dns.type of the first question
// and, of a response, dns.rcode with the upper bits of EDNS.
//
// A name is its labels joined by dots, then as NormaliseHost leaves it: lower case, no trailing dot, the root as ".".
// Bytes that are neither a letter, a digit nor "-" stay as they are (DNS allows any, RFC 2181 section 11); labels in
// UTF-8 (mDNS) become A-labels where IDNA allows them. A dot inside a label looks like one between labels, which is how
// most software downstream of a resolver reads such a name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser.h"

namespace vedette {

// Whether these bytes are one whole DNS message and nothing else: kYes or kNo. A valid header, at least one record,
// every name well formed, every class known, every record within bounds, no byte left over. Messages of the NetBIOS
// name service (RFC 1002), which look like DNS, are not.
Probe IdentifyDnsMessage(Bytes message);

// Emits what the message holds. False: this is no DNS message, and nothing was emitted.
// Strict: only a message that IdentifyDnsMessage accepts. Lenient, for bytes that are known to be DNS from elsewhere: a
// message that is cut, damaged or followed by other bytes yields what could be read up to there; header fields that no
// real server sets are passed over; at least the first record has to be sound.
bool ParseDnsMessage(Bytes message, Direction direction, ObservableBatch& out, bool lenient);

// DNS over UDP: each payload is a message. The reading is lenient where one of the ports is known for DNS.
class DnsDatagramParser {
 public:
  static constexpr std::array<uint16_t, 3> kPorts = {53, 5353, 5355};
  static constexpr bool kKeepsState = false;
  static constexpr bool kLaterTellsSender = true;
  static constexpr size_t kLimitBytes = 0;
  static constexpr size_t kMaxStateBytes = 1;

  static Outcome Feed(const Datagram& datagram, ParserOutput& out) {
    const bool parsed = ParseDnsMessage(datagram.data, datagram.direction, out.values(), datagram.on_own_port);
    return parsed ? Outcome::NeedMore() : Outcome::Malformed();
  }
  // By the QR bit (RFC 1035 section 4.1.1) of what is a DNS message without doubt.
  static Sender SenderOf(Bytes datagram);
  static size_t HeldBytes() { return 0; }
};

// DNS over TCP (RFC 7766): messages, each behind its length in two bytes. A message that lies whole in one chunk is
// read where it lies. After a gap, and where a connection is picked up midway, a direction goes on if a message
// boundary is known from the length before or if a message visibly begins right there; otherwise the rest of it is
// passed over.
class DnsStreamParser {
 public:
  static constexpr size_t kLimitBytes = size_t{2} * (2 + 65535);  // a message and its length, each way
  static constexpr size_t kMaxStateBytes = 64;
  static constexpr bool kReadsEnds = false;
  static constexpr bool kFollowsStartTls = false;
  static constexpr bool kStartCountsBehindAnswer = false;
  static constexpr bool kEachMessageTells = true;

  // Looks at the length, the header and the first record.
  static Probe Identify(Bytes first, Direction direction);
  static Sender SenderOf(Bytes first);  // by the QR bit behind the length
  Outcome Feed(const Chunk& chunk, ParserOutput& out);
  size_t HeldBytes() const { return sides_[0].held.size() + sides_[1].held.size(); }
  bool InMessage(Direction direction) const { return !sides_[static_cast<size_t>(direction)].held.empty(); }

 private:
  struct Side {
    std::vector<uint8_t> held;  // the beginning of a message, from its length on
    uint32_t drop_bytes = 0;    // rest of a message that a gap has damaged
    uint8_t num_bad = 0;        // messages in a row that were no DNS
    bool placed = false;        // the next byte's place in the framing is known
    bool lost = false;          // it never will be
  };

  static void Lose(Side& side);
  static void PassGap(Side& side, uint32_t gap_bytes);
  static void ReadMessage(Side& side, Bytes message, Direction direction, ObservableBatch& out);
  static void ReadFramed(Side& side, Bytes data, Direction direction, ObservableBatch& out);

  Side sides_[2];
};

}  // namespace vedette
