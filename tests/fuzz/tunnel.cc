// Any bytes as a datagram that may be a tunnel's: nothing is read beyond it, and an IP packet is found in each of the
// headers that are put around it. The first byte: how many bytes of the datagram the capture has not.
#include "sensor/decode/tunnel.h"

#include <string>

#include "tests/fuzz/input.h"

namespace {

using namespace vedette;

Tunnel TunnelOf(std::string_view datagram, size_t missing_bytes) {
  const std::string exact(datagram);  // so that a byte too many is seen
  const Tunnel tunnel = TunnelOfDatagram(AsBytes(exact), exact.size() + missing_bytes);
  Check(static_cast<size_t>(tunnel) < kTunnels && (NameOf(tunnel) == "none") == (tunnel == Tunnel::kNone));
  return tunnel;
}

std::string Be16(size_t number) { return {static_cast<char>(number >> 8 & 0xff), static_cast<char>(number & 0xff)}; }

// Told as that tunnel, or as one that is asked before it and fits as well.
void CheckAround(Tunnel tunnel, const std::string& datagram, size_t missing_bytes) {
  const Tunnel told = TunnelOf(datagram, missing_bytes);
  Check(told != Tunnel::kNone && told <= tunnel);
}

void CheckInEach(const std::string& packet, size_t missing_bytes) {
  using namespace std::string_literals;
  const std::string type = packet[0] >> 4 == 4 ? "\x08\0"s : "\x86\xdd"s;
  const std::string frame = std::string(12, 'm') + type + packet;
  const size_t wire_bytes = packet.size() + missing_bytes;
  CheckAround(Tunnel::kVxlan, "\x08\0\0\0\0\0\x7b\0"s + frame, missing_bytes);
  CheckAround(Tunnel::kGeneve, "\0\0"s + type + "\0\0\x7b\0"s + packet, missing_bytes);
  if (wire_bytes <= 0xffff)
    CheckAround(Tunnel::kGtpU, "\x30\xff"s + Be16(wire_bytes) + "\0\0\0\x07"s + packet, missing_bytes);
  CheckAround(Tunnel::kL2tp, "\0\x02\0\x01\0\x02"s + (type[0] == 8 ? "\0\x21"s : "\0\x57"s) + packet, missing_bytes);
  CheckAround(Tunnel::kGre, "\0\0"s + type + packet, missing_bytes);
  CheckAround(Tunnel::kMpls, "\0\x06\x41\xff"s + packet, missing_bytes);
  CheckAround(Tunnel::kTzsp, "\x01\0\0\x01\x01"s + frame, missing_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const size_t missing_bytes = input.Byte();
  const std::string datagram(input.Rest());
  if (TunnelOf(datagram, missing_bytes) == Tunnel::kIpInUdp) CheckInEach(datagram, missing_bytes);
  for (unsigned protocol = 0; protocol < 256; ++protocol)
    Check(static_cast<size_t>(TunnelOfIpProtocol(static_cast<uint8_t>(protocol))) < kTunnels);
  return 0;
}
