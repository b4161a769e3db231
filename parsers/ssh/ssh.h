// SSH: what both ends say of themselves before they encrypt (RFC 4253).
//
//   identification  ssh.client or ssh.server: the line, without its ending (section 4.2)
//   KEXINIT         ssh.hassh or ssh.hassh_server: MD5 of the algorithms offered (section 7.1; HASSH, Salesforce, BSD)
//   key exchange    ssh.host_key.sha256 of the server's key, as `ssh-keygen -l` has it, in hexadecimal (section 8,
//                   RFC 4419, RFC 4432, RFC 5656)
//
// Each of them is one message of the batch; the last two have their sender's identification as context. Of SSH 1 there
// is the identification only. Behind NEWKEYS everything is encrypted and passed over.
//
// A server may send other lines before its identification. A direction whose beginning is missing is read from where a
// packet in clear begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "parsers/base/bytes.h"
#include "parsers/base/observable.h"
#include "parsers/base/parser.h"

namespace vedette {

class SshParser {
 public:
  static constexpr size_t kMaxLineBytes = 255;            // section 4.2, with CR and LF
  static constexpr size_t kMaxGreetingBytes = 16 * 1024;  // of lines before; OpenSSH allows 1024 lines
  // Section 6.1 asks for 35,000 at least, OpenSSH takes so many. Ordinary ones have 300 to 2000.
  static constexpr size_t kMaxPacketBytes = size_t{256} * 1024;
  static constexpr size_t kLimitBytes = 2 * (kMaxLineBytes + kMaxPacketBytes + 4);
  static constexpr size_t kMaxStateBytes = 192;
  static constexpr bool kReadsEnds = false;
  static constexpr bool kFollowsStartTls = false;
  static constexpr bool kStartCountsBehindAnswer = false;
  static constexpr bool kEachMessageTells = false;

  // kYes for the beginning of an identification: "SSH-1" or "SSH-2".
  static Probe Identify(Bytes first, Direction direction);
  static Sender SenderOf(Bytes) { return Sender::kUnknown; }  // both ends send the same

  // Skips a direction to its end as soon as it can show no more.
  Outcome Feed(const Chunk& chunk, ParserOutput& out);
  size_t HeldBytes() const;
  bool InMessage(Direction direction) const;

 private:
  enum class State : uint8_t {
    kLine,      // within a line, or before one
    kLongLine,  // within a line that is no identification and too long to be held
    kPackets,   // packets in clear
    kClosed,    // nothing more to see
  };

  struct Side {
    std::vector<uint8_t> held;    // the beginning of a line, or of a packet with its length
    std::string identification;   // while packets are read
    uint32_t greeting_bytes = 0;  // of lines before the identification
    uint32_t drop_bytes = 0;      // rest of a packet that is of no use
    State state = State::kLine;
    bool given_up = false;  // closed, because of bytes that are no SSH
  };

  static void PassGap(Side& side, uint32_t gap_bytes);
  // Each takes bytes off the front of `data`; false: they were all taken.
  static bool ReadLine(Side& side, Bytes& data, Direction direction, ObservableBatch& values);
  bool ReadPacket(Side& side, Bytes& data, Direction direction, ObservableBatch& values);

  static void OnLine(Side& side, std::string_view line, Direction direction, ObservableBatch& values);
  void OnPacket(Side& side, Bytes payload, Direction direction, ObservableBatch& values);
  static bool OnKexInit(const Side& side, Bytes body, Direction direction, ObservableBatch& values);
  static bool OnHostKey(const Side& side, Bytes body, Direction direction, ObservableBatch& values);
  static void GiveUp(Side& side);
  static void Close(Side& side);

  Side sides_[2];
};

}  // namespace vedette
