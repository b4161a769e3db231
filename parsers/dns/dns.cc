#include "parsers/dns/dns.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "parsers/base/held_bytes.h"
#include "parsers/base/text.h"
#include "parsers/dns/dns_numbers.h"

namespace vedette {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kMinQuestionBytes = 1 + 4;  // root, type, class
constexpr size_t kMinRecordBytes = 1 + 10;   // root, type, class, TTL, data length
constexpr size_t kMaxNameBytes = 255;        // on the wire, with length bytes and root (RFC 1035 section 2.3.4)
constexpr int kMaxJumps = 32;                // encoders use one to three; more serves only to keep a reader busy
// Of names emitted per message: a hostile one, of pointers to one long name, is 40 times its size; an honest one of
// 64 KiB less than twice.
constexpr size_t kMaxTextBytes = size_t{256} * 1024;
constexpr uint8_t kMaxBadMessages = 3;  // in a row on a stream, then it is something else

constexpr uint16_t kTypeA = 1, kTypeCname = 5, kTypeNetbios = 32, kTypeNetbiosStatus = 33, kTypeAaaa = 28,
                   kTypeOpt = 41;
constexpr uint16_t kClassNone = 254, kClassAny = 255;
constexpr uint16_t kTopBit = 0x8000;  // RFC 6762: "unicast response" of a question, "cache flush" of a record

inline uint16_t U16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }

struct Header {
  uint16_t flags;
  uint16_t questions, answers, authorities, additionals;

  explicit Header(const uint8_t* p)
      : flags(U16(p + 2)),
        questions(U16(p + 4)),
        answers(U16(p + 6)),
        authorities(U16(p + 8)),
        additionals(U16(p + 10)) {}

  bool is_response() const { return (flags & 0x8000) != 0; }
  unsigned opcode() const { return flags >> 11 & 15; }
  unsigned rcode() const { return flags & 15; }
  uint32_t records() const { return uint32_t{answers} + authorities + additionals; }

  // What no DNS message of `body_bytes` behind the header can be.
  bool Possible(size_t body_bytes) const {
    return questions + records() > 0 && questions * kMinQuestionBytes + records() * kMinRecordBytes <= body_bytes;
  }
  // What real software sends: query, notify or update, the reserved bit clear, no error in a question.
  bool Usual() const {
    const bool opcode_used = opcode() == 0 || opcode() == 4 || opcode() == 5;
    return opcode_used && (flags & 0x0040) == 0 && (is_response() || rcode() == 0);
  }
};

bool KnownClass(uint16_t record_class) {
  switch (record_class & ~kTopBit) {
    case 1:  // IN
    case 3:  // CH
    case 4:  // HS
    case kClassNone:
    case kClassAny:
      return true;
    default:
      return false;
  }
}

enum class NameEnd : uint8_t { kOk, kCut, kBad };

// Moves `at` behind the name there. A pointer must lead before the name's beginning.
inline NameEnd SkipName(Bytes message, size_t& at) {
  const size_t start = at;
  while (at < message.size()) {
    const uint8_t length = message[at];
    if (length < 64) {
      at += size_t{1} + length;
      if (at - start > kMaxNameBytes) return NameEnd::kBad;
      if (length == 0) return NameEnd::kOk;
    } else if (length >= 0xc0) {
      if (at + 1 >= message.size()) return NameEnd::kCut;
      const size_t target = U16(&message[at]) & 0x3fff;
      at += 2;
      return target >= kHeaderBytes && target < start ? NameEnd::kOk : NameEnd::kBad;
    } else {
      return NameEnd::kBad;  // extended label types, gone with RFC 6891 section 5
    }
  }
  return NameEnd::kCut;
}

// A name as text, without heap.
struct NameText {
  std::array<char, kMaxNameBytes + 1> bytes;
  size_t length = 0;
  bool ascii = true;

  std::string_view view() const { return {bytes.data(), length}; }
};

// The name at `at`, followed through its pointers. Each run of labels has to stand before the one that led to it.
bool ReadName(Bytes message, size_t at, NameText& name) {
  name.length = 0;
  size_t run_start = at;
  int jumps = 0;
  uint8_t seen = 0;
  while (at < message.size()) {
    const uint8_t length = message[at];
    if (length == 0) {
      name.ascii = seen < 0x80;
      return true;
    }
    if (length < 64) {
      // On the wire the name has two bytes more than the text: the first length and the root.
      const size_t dot = name.length != 0 ? 1 : 0;
      if (message.size() - at <= length || name.length + dot + length + 2 > kMaxNameBytes) return false;
      if (dot != 0) name.bytes[name.length++] = '.';
      const uint8_t* label = &message[at + 1];
      char* text = name.bytes.data() + name.length;
      for (size_t i = 0; i < length; ++i) {
        seen |= label[i];
        text[i] = LowerAscii(static_cast<char>(label[i]));
      }
      name.length += length;
      at += size_t{1} + length;
    } else if (length >= 0xc0) {
      if (at + 1 >= message.size() || ++jumps > kMaxJumps) return false;
      const size_t target = U16(&message[at]) & 0x3fff;
      if (target < kHeaderBytes || target >= run_start) return false;
      run_start = at = target;
    } else {
      return false;
    }
  }
  return false;
}

struct Question {
  size_t name;
  uint16_t type;
};
struct Record {
  size_t name;
  uint16_t type, record_class;
  uint32_t ttl;
  size_t data;
  uint16_t data_bytes;
};

// RFC 1001 section 14.1: 16 bytes as 32 letters A to P, asked for with types that mean something else in DNS.
bool IsNetbios(Bytes message, size_t name, uint16_t type) {
  if ((type != kTypeNetbios && type != kTypeNetbiosStatus) || message.size() - name < 33 || message[name] != 32) {
    return false;
  }
  const auto first = message.begin() + static_cast<std::ptrdiff_t>(name) + 1;
  return std::all_of(first, first + 32, [](uint8_t c) { return c >= 'A' && c <= 'P'; });
}

NameEnd ReadQuestion(Bytes message, size_t& at, Question& question) {
  question.name = at;
  if (const NameEnd end = SkipName(message, at); end != NameEnd::kOk) return end;
  if (message.size() < at + 4) return NameEnd::kCut;
  question.type = U16(&message[at]);
  const bool known = KnownClass(U16(&message[at + 2]));
  at += 4;
  return known && question.type != 0 ? NameEnd::kOk : NameEnd::kBad;
}

// The head of a record, up to its data.
NameEnd ReadRecordHead(Bytes message, size_t& at, Record& record) {
  record.name = at;
  if (const NameEnd end = SkipName(message, at); end != NameEnd::kOk) return end;
  if (message.size() < at + 10) return NameEnd::kCut;
  const uint8_t* p = &message[at];
  record.type = U16(p);
  record.record_class = U16(p + 2);
  record.ttl = static_cast<uint32_t>(U16(p + 4)) << 16 | U16(p + 6);
  record.data_bytes = U16(p + 8);
  at += 10;
  record.data = at;
  if (record.type == 0) return NameEnd::kBad;
  // RFC 6891 section 6.1.2: the class of OPT is a size, its name the root.
  if (record.type == kTypeOpt) return message[record.name] == 0 ? NameEnd::kOk : NameEnd::kBad;
  return KnownClass(record.record_class) ? NameEnd::kOk : NameEnd::kBad;
}

NameEnd ReadRecord(Bytes message, size_t& at, Record& record) {
  if (const NameEnd end = ReadRecordHead(message, at, record); end != NameEnd::kOk) return end;
  if (message.size() - at < record.data_bytes) return NameEnd::kCut;
  at += record.data_bytes;
  // An update (RFC 2136 section 2.4) names records without data under the classes NONE and ANY.
  const bool may_be_empty = record.record_class == kClassNone || record.record_class == kClassAny;
  const bool empty = record.data_bytes == 0 && may_be_empty;
  if (record.type == kTypeA) return record.data_bytes == 4 || empty ? NameEnd::kOk : NameEnd::kBad;
  if (record.type == kTypeAaaa) return record.data_bytes == 16 || empty ? NameEnd::kOk : NameEnd::kBad;
  return NameEnd::kOk;
}

// Calls back for each sound question and record in order, until the counts are used up (true) or something is not
// sound or not wanted by the callback (false). `at` ends behind the last one that was read whole.
template <class OnQuestion, class OnRecord>
bool Walk(Bytes message, const Header& header, size_t& at, OnQuestion on_question, OnRecord on_record) {
  at = kHeaderBytes;
  for (uint32_t i = 0; i < header.questions; ++i) {
    Question question;
    if (ReadQuestion(message, at, question) != NameEnd::kOk || !on_question(question)) return false;
  }
  for (uint32_t i = 0; i < header.records(); ++i) {
    Record record;
    if (ReadRecord(message, at, record) != NameEnd::kOk || !on_record(record)) return false;
  }
  return true;
}

bool IsWholeMessage(Bytes message, const Header& header) {
  if (!header.Usual() || !header.Possible(message.size() - kHeaderBytes)) return false;
  size_t end = 0;
  bool first = true;
  const auto not_netbios = [&](size_t name, uint16_t type) {
    const bool netbios = first && IsNetbios(message, name, type);
    first = false;
    return !netbios;
  };
  return Walk(
             message, header, end, [&](const Question& q) { return not_netbios(q.name, q.type); },
             [&](const Record& r) { return not_netbios(r.name, r.type); }) &&
         end == message.size();
}

// Static text of a number that has a name; otherwise prefix and number, in the batch's arena.
std::string_view NumberedName(std::string_view known, std::string_view prefix, unsigned number, ObservableBatch& out) {
  if (!known.empty()) return known;
  std::array<char, 16> text;
  size_t at = text.size();
  do {
    text[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  at -= prefix.size();
  std::memcpy(text.data() + at, prefix.data(), prefix.size());
  return out.arena().Copy({text.data() + at, text.size() - at});
}

// Writes the observables of one message.
class Emitter {
 public:
  Emitter(Bytes message, Direction direction, ObservableBatch& out)
      : message_(message), direction_(direction), out_(out) {}

  // False: the name does not hold together, or the bound is reached.
  bool OnQuestion(const Question& question) {
    if (!AddName(ObservableKind::kDnsQuery, question.name, message_)) return false;
    if (!type_emitted_ && out_.Wants(ObservableKind::kDnsType)) {
      out_.AddStored(ObservableKind::kDnsType, direction_,
                     NumberedName(DnsTypeName(question.type), "TYPE", question.type, out_));
    }
    type_emitted_ = true;
    return true;
  }

  bool OnRecord(const Record& record) {
    // The target of a CNAME may not reach beyond the record's data.
    if (record.type == kTypeCname && record.data_bytes != 0) {
      return AddName(ObservableKind::kDnsCname, record.data, message_.first(record.data + record.data_bytes));
    }
    Begin();
    const uint8_t* data = message_.data() + record.data;
    if (record.type == kTypeA && record.data_bytes != 0) {
      out_.AddAddress(ObservableKind::kDnsAnswer, direction_, IpAddress::V4(data));
    } else if (record.type == kTypeAaaa && record.data_bytes != 0) {
      out_.AddAddress(ObservableKind::kDnsAnswer, direction_, IpAddress::V6(data));
    } else if (record.type == kTypeOpt) {
      extended_rcode_ = record.ttl >> 24;
    }
    return true;
  }

  void Finish(const Header& header) {
    if (!begun_ || !header.is_response() || !out_.Wants(ObservableKind::kDnsRcode)) return;
    const unsigned rcode = extended_rcode_ << 4 | header.rcode();
    out_.AddStored(ObservableKind::kDnsRcode, direction_, NumberedName(DnsRcodeName(rcode), "RCODE", rcode, out_));
  }

  bool begun() const { return begun_; }

 private:
  void Begin() {
    if (!begun_) out_.BeginMessage();
    begun_ = true;
  }

  bool AddName(ObservableKind kind, size_t at, Bytes within) {
    if (!out_.Wants(kind)) {
      Begin();
      return true;
    }
    NameText name;
    if (!ReadName(within, at, name)) return false;
    text_bytes_ += name.length;
    if (text_bytes_ > kMaxTextBytes) return false;
    Begin();
    if (!name.ascii) {
      out_.AddText(kind, direction_, NormaliseHost(name.view()));
      return true;
    }
    while (name.length != 0 && name.bytes[name.length - 1] == '.') --name.length;
    out_.AddText(kind, direction_, name.length == 0 ? std::string_view(".") : name.view());
    return true;
  }

  Bytes message_;
  Direction direction_;
  ObservableBatch& out_;
  size_t text_bytes_ = 0;
  uint32_t extended_rcode_ = 0;
  bool begun_ = false;
  bool type_emitted_ = false;
};

}  // namespace

Probe IdentifyDnsMessage(Bytes message) {
  if (message.size() < kHeaderBytes) return Probe::kNo;
  return IsWholeMessage(message, Header(message.data())) ? Probe::kYes : Probe::kNo;
}

bool ParseDnsMessage(Bytes message, Direction direction, ObservableBatch& out, bool lenient) {
  if (message.size() < kHeaderBytes) return false;
  const Header header(message.data());
  if (lenient ? header.questions + header.records() == 0 : !IsWholeMessage(message, header)) return false;
  Emitter emitter(message, direction, out);
  size_t end = 0;
  Walk(
      message, header, end, [&](const Question& question) { return emitter.OnQuestion(question); },
      [&](const Record& record) { return emitter.OnRecord(record); });
  emitter.Finish(header);
  return emitter.begun();
}

Probe DnsStreamParser::Identify(Bytes first, Direction) {
  constexpr size_t kLengthBytes = 2;
  if (first.size() < kLengthBytes) return Probe::kNeedMore;
  const size_t length = U16(first.data());
  if (length < kHeaderBytes + kMinQuestionBytes) return Probe::kNo;
  const Bytes message = first.subspan(kLengthBytes, std::min(length, first.size() - kLengthBytes));
  if (message.size() < kHeaderBytes) return Probe::kNeedMore;
  const Header header(message.data());
  // One question at most (RFC 9619): what stands in for the check of everything that follows.
  if (header.questions > 1 || !header.Usual() || !header.Possible(length - kHeaderBytes)) return Probe::kNo;
  size_t at = kHeaderBytes;
  Question question;
  Record record;
  const NameEnd end = header.questions != 0 ? ReadQuestion(message, at, question) : ReadRecordHead(message, at, record);
  if (end == NameEnd::kCut) return message.size() < length ? Probe::kNeedMore : Probe::kNo;
  return end == NameEnd::kOk ? Probe::kYes : Probe::kNo;
}

void DnsStreamParser::Lose(Side& side) {
  side.lost = true;
  side.held = {};
}

void DnsStreamParser::PassGap(Side& side, uint32_t gap_bytes) {
  size_t rest = side.drop_bytes;  // of the message that the gap hits
  if (side.held.size() >= 2) rest = size_t{2} + U16(side.held.data()) - side.held.size();
  side.held.clear();
  side.placed = side.placed && gap_bytes <= rest;
  side.drop_bytes = side.placed ? static_cast<uint32_t>(rest - gap_bytes) : 0;
}

void DnsStreamParser::ReadMessage(Side& side, Bytes message, Direction direction, ObservableBatch& out) {
  if (ParseDnsMessage(message, direction, out, /*lenient=*/true)) {
    side.num_bad = 0;
  } else if (++side.num_bad >= kMaxBadMessages) {
    Lose(side);
  }
}

void DnsStreamParser::ReadFramed(Side& side, Bytes data, Direction direction, ObservableBatch& out) {
  const auto hold = [&](size_t target) {
    const size_t take = std::min(data.size(), target - side.held.size());
    AppendBytes(side.held, data.first(take));
    data = data.subspan(take);
    return side.held.size() == target;
  };
  while (!data.empty() && !side.lost) {
    if (side.drop_bytes != 0) {
      const size_t dropped = std::min<size_t>(side.drop_bytes, data.size());
      side.drop_bytes -= static_cast<uint32_t>(dropped);
      data = data.subspan(dropped);
      continue;
    }
    if (side.held.empty() && data.size() >= 2 && data.size() - 2 >= U16(data.data())) {
      const size_t length = U16(data.data());
      const Bytes message = data.subspan(2, length);
      data = data.subspan(2 + length);
      ReadMessage(side, message, direction, out);
      continue;
    }
    if (side.held.size() < 2 && !hold(2)) return;
    if (!hold(size_t{2} + U16(side.held.data()))) return;
    const std::vector<uint8_t> message = std::exchange(side.held, {});
    ReadMessage(side, Bytes(message).subspan(2), direction, out);
  }
}

Sender DnsStreamParser::SenderOf(Bytes first) {
  if (first.size() <= 4) return Sender::kUnknown;
  return (first[4] & 0x80) != 0 ? Sender::kServer : Sender::kClient;
}

Sender DnsDatagramParser::SenderOf(Bytes datagram) {
  if (datagram.size() < kHeaderBytes || IdentifyDnsMessage(datagram) != Probe::kYes) return Sender::kUnknown;
  return (datagram[2] & 0x80) != 0 ? Sender::kServer : Sender::kClient;
}

Outcome DnsStreamParser::Feed(const Chunk& chunk, ParserOutput& out) {
  Side& side = sides_[static_cast<size_t>(chunk.direction)];
  Bytes data = chunk.data;
  if (chunk.gap_bytes != 0) PassGap(side, chunk.gap_bytes);
  if (!side.lost && !side.placed && !data.empty()) {
    std::vector<uint8_t> joined;
    if (!side.held.empty()) {
      joined = std::exchange(side.held, {});
      AppendBytes(joined, data);
      data = joined;
    }
    switch (Identify(data, chunk.direction)) {
      case Probe::kYes:
        side.placed = true;
        ReadFramed(side, data, chunk.direction, out.values());
        break;
      case Probe::kNeedMore:  // fewer bytes than the length, a header and one name
        side.held.assign(data.begin(), data.end());
        break;
      case Probe::kNo:
        Lose(side);
        break;
    }
  } else if (!side.lost) {
    ReadFramed(side, data, chunk.direction, out.values());
  }
  if (chunk.end) Lose(side);
  if (!side.lost) return Outcome::NeedMore();
  if (sides_[static_cast<size_t>(Opposite(chunk.direction))].lost) {
    return chunk.end ? Outcome::Done() : Outcome::Malformed();
  }
  return Outcome::Skip(Outcome::kSkipAll);
}

}  // namespace vedette
