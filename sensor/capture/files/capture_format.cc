#include "sensor/capture/files/capture_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sensor/capture/files/pcap_file.h"
#include "sensor/capture/files/pcapng_file.h"

namespace vedette {
namespace {

using std::string_view_literals::operator""sv;

struct KnownFormat {
  std::string_view magic;
  std::string_view description;
  bool holds_packets;
};

constexpr KnownFormat kKnownFormats[] = {
    {"\x1f\x8b"sv, "gzip-compressed; decompress it first: zcat FILE | vedette replay -", true},
    {"\x28\xb5\x2f\xfd"sv, "zstd-compressed; decompress it first: zstdcat FILE | vedette replay -", true},
    {"\xfd"
     "7zXZ\0"sv,
     "xz-compressed; decompress it first: xzcat FILE | vedette replay -", true},
    {"BZh"sv, "bzip2-compressed; decompress it first: bzcat FILE | vedette replay -", true},
    {"\x04\x22\x4d\x18"sv, "lz4-compressed; decompress it first: lz4cat FILE | vedette replay -", true},
    {"PK\x03\x04"sv, "a ZIP archive; unpack it first", true},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive; unpack it first", true},
    {"Rar!"sv, "a RAR archive; unpack it first", true},
    {"snoop\0\0\0"sv, "a Solaris snoop capture; convert it first: editcap -F pcapng FILE OUT", true},
    {"RTSS"sv, "a Microsoft Network Monitor capture; convert it first: editcap -F pcapng FILE OUT", true},
    {"GMBU"sv, "a Microsoft Network Monitor capture; convert it first: editcap -F pcapng FILE OUT", true},
    {"TRSNIFF data"sv, "a Sniffer capture; convert it first: editcap -F pcapng FILE OUT", true},
    {"btsnoop\0"sv, "a Bluetooth capture (btsnoop), which holds no network packets", false},
    {"iptrace "sv, "an AIX iptrace capture; convert it first: editcap -F pcapng FILE OUT", true},
    {"\x0d\x0a\x0d\x0a"sv, "a pcapng capture whose line ends were rewritten in transfer; fetch it again in binary mode",
     true},
    {"\x0a\x0a"sv, "empty lines, or a pcapng capture whose line ends were rewritten in transfer", false},
    {"\x7f"
     "ELF"sv,
     "a program (ELF)", false},
    {"%PDF"sv, "a PDF document", false},
    {"SQLite format 3"sv, "an SQLite database", false},
    {"PK\x05\x06"sv, "an empty ZIP archive", false},
    {"MZ"sv, "a Windows program", false},
    {"\x89PNG"sv, "a picture (PNG)", false},
    {"\xff\xd8\xff"sv, "a picture (JPEG)", false},
    {"GIF8"sv, "a picture (GIF)", false},
    {"\xd0\xcf\x11\xe0"sv, "an Office document", false},
    {"regf"sv, "a Windows registry hive", false},
    {"ElfFile\0"sv, "a Windows event log", false},
    {"\x0c\0\0\0\x01\0"sv, "a NetFlow capture of nfdump, which holds no packets", false},
    {"#separator"sv, "a log of Zeek, which holds no packets", false},
    {"<?xml"sv, "XML", false},
    {"<!DOCTYPE"sv, "a web page (HTML)", false},
    {"<!doctype"sv, "a web page (HTML)", false},
    {"<html"sv, "a web page (HTML)", false},
    {"#!"sv, "a script", false},
};

// An object or a list, after blanks: what Suricata's EVE, MISP and `tshark -T json` write.
bool IsJson(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (begin == text.npos) return false;
  const size_t next = text.find_first_not_of(" \t\r\n", begin + 1);
  const std::string_view follows = text[begin] == '{' ? "\"}" : text[begin] == '[' ? "{[\"]" : "";
  return next != text.npos && follows.find(text[next]) != follows.npos;
}

bool IsText(Bytes head) {
  return std::all_of(head.begin(), head.end(), [](uint8_t byte) {
    return (byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

constexpr size_t kTarMagicOffset = 257;
constexpr size_t kMagicBytes = 4;  // of every format that is read

}  // namespace

CaptureFormat IdentifyCapture(Bytes head) {
  if (head.empty()) return CaptureFormat::kEmpty;
  if (PcapReader::Recognises(head)) return CaptureFormat::kPcap;
  if (PcapngReader::Recognises(head)) return CaptureFormat::kPcapng;
  return CaptureFormat::kOther;
}

OtherFormat DescribeOther(Bytes head) {
  // The beginning of anything, also of what can be read.
  if (head.size() < kMagicBytes) {
    return {fmt::format("only {} byte{} long; if it should be a capture, fetch it again", head.size(),
                        head.size() == 1 ? "" : "s"),
            !std::all_of(head.begin(), head.end(), [](uint8_t byte) {
              return IsText({&byte, 1}) && byte < 0x80;
            })};
  }
  const std::string_view text = AsText(head);
  for (const KnownFormat& known : kKnownFormats) {
    if (text.starts_with(known.magic)) return {std::string(known.description), known.holds_packets};
  }
  if (head.size() > kTarMagicOffset + 5 && text.substr(kTarMagicOffset, 5) == "ustar") {
    return {"a tar archive; unpack it first", true};
  }
  if (IsText(head) && IsJson(text)) return {"JSON, which is not read yet", false};
  if (IsText(head)) return {"text", false};
  std::string bytes;
  for (size_t i = 0; i < std::min<size_t>(head.size(), 8); ++i)
    bytes += fmt::format("{}{:02x}", i == 0 ? "" : " ", head[i]);
  return {fmt::format("of an unknown kind (it begins with {})", bytes), false};
}

}  // namespace vedette
