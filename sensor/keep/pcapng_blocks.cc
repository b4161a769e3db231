#include "sensor/keep/pcapng_blocks.h"

namespace vedette {
namespace {

constexpr uint32_t kSection = 0x0a0d0d0a, kInterface = 1, kPacket = 6;
constexpr uint32_t kByteOrder = 0x1a2b3c4d;
// Options: of every block; of a section; of an interface.
constexpr uint16_t kEnd = 0, kComment = 1, kProgram = 4, kName = 2, kResolution = 9;
constexpr char kNanoseconds = 9;  // 10^-9
constexpr size_t kMaxOptionBytes = 1024;

template <class Number>
void AppendNumber(Number number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void Pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

// `out` holds the block alone.
void AppendOption(uint16_t code, std::string_view value, std::string& out) {
  value = value.substr(0, kMaxOptionBytes);
  AppendNumber(code, out);
  AppendNumber(static_cast<uint16_t>(value.size()), out);
  out += value;
  Pad(out);
}

// Type, length, body, length again.
void AppendBlock(uint32_t type, std::string_view head, Bytes bytes, std::string_view options, std::string& out) {
  const size_t padding = (4 - bytes.size() % 4) % 4;
  const auto length = static_cast<uint32_t>(12 + head.size() + bytes.size() + padding + options.size());
  AppendNumber(type, out);
  AppendNumber(length, out);
  out += head;
  out += AsText(bytes);
  out.append(padding, '\0');
  out += options;
  AppendNumber(length, out);
}

}  // namespace

void AppendSection(std::string_view program, std::string& out) {
  std::string head, options;
  AppendNumber(kByteOrder, head);
  AppendNumber(uint16_t{1}, head);  // version 1.0
  AppendNumber(uint16_t{0}, head);
  AppendNumber(UINT64_MAX, head);  // its length is not told
  AppendOption(kProgram, program, options);
  AppendOption(kEnd, {}, options);
  AppendBlock(kSection, head, {}, options, out);
}

void AppendInterface(std::string_view name, uint16_t link_type, uint32_t snap_length, std::string& out) {
  std::string head, options;
  AppendNumber(link_type, head);
  AppendNumber(uint16_t{0}, head);
  AppendNumber(snap_length, head);
  AppendOption(kName, name, options);
  AppendOption(kResolution, {&kNanoseconds, 1}, options);
  AppendOption(kEnd, {}, options);
  AppendBlock(kInterface, head, {}, options, out);
}

void AppendPacket(const KeptPacket& packet, uint32_t interface, Bytes bytes, std::string_view comment,
                  std::string& out) {
  struct {
    uint32_t interface, time_high, time_low, captured, wire;
  } const head = {interface, static_cast<uint32_t>(packet.time_ns >> 32), static_cast<uint32_t>(packet.time_ns),
                  packet.captured_bytes, packet.wire_bytes};
  std::string options;
  if (!comment.empty()) {
    AppendOption(kComment, comment, options);
    AppendOption(kEnd, {}, options);
  }
  AppendBlock(kPacket, {reinterpret_cast<const char*>(&head), sizeof head}, bytes, options, out);
}

}  // namespace vedette
