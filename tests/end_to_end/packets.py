"""Packets and conversations made by hand, for the tests beside this file."""
import ipaddress
import struct

CLIENT, SERVER = "192.0.2.1", "20.0.0.9"
LINK_ETHERNET = 1


def ethernet(payload, ether_type=0x0800):
    return b"\2" * 12 + struct.pack("!H", ether_type) + payload


def ipv4(payload, source=CLIENT, destination=SERVER, protocol=6, identification=1, offset=0, more=False):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), identification, (0x2000 if more else 0) | offset // 8, 64,
                       protocol, 0)
    return head + ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed + payload


def ipv6(payload, source, destination, next_header=6):
    return (struct.pack("!IHBB", 0x60000000, len(payload), next_header, 64) + ipaddress.ip_address(source).packed
            + ipaddress.ip_address(destination).packed + payload)


def authentication(next_header, payload):
    """RFC 4302: 24 bytes, of which 12 are the integrity check value."""
    return struct.pack("!BBHII", next_header, 4, 0, 0x1234, 1) + b"\x5a" * 12 + payload


def tcp(payload, source_port=50000, destination_port=80, sequence=0, acknowledgment=0, flags=0x18):
    return struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, acknowledgment, 0x50, flags, 65535, 0,
                       0) + payload


def udp(payload, source_port=5000, destination_port=53):
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def in_ip(payload, protocol):
    return lambda source, destination, identification: ipv4(payload, source, destination, protocol, identification)


class Connection:
    """A TCP connection whose handshake was seen. `wrap` makes the IP packet of a segment."""

    def __init__(self, port=80, client=CLIENT, server=SERVER, client_port=50000, wrap=ipv4):
        self.ends, self.ports, self.wrap = (client, server), (client_port, port), wrap
        self.sequence, self.frames = [1000, 9000], []
        self._packet(0, b"", 2)
        self._packet(1, b"", 0x12)
        self._packet(0, b"", 0x10)

    def _packet(self, side, payload, flags, lost=False, captured=None):
        segment = tcp(payload, self.ports[side], self.ports[1 - side], self.sequence[side], self.sequence[1 - side], flags)
        frame = ethernet(self.wrap(segment, self.ends[side], self.ends[1 - side]))
        self.sequence[side] += len(payload) + (1 if flags & 3 else 0)
        if not lost:
            self.frames.append((frame, len(frame) - len(payload) + captured) if captured is not None else frame)
        return self

    def up(self, payload, **what):
        return self._packet(0, payload, 0x18, **what)

    def down(self, payload, **what):
        return self._packet(1, payload, 0x18, **what)


def capture(frames, link_type=LINK_ETHERNET, begin=1_700_000_000):
    """A pcap file. A frame may be (bytes, bytes of it that the capture has), and (bytes, bytes, second)."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type)]
    for number, frame in enumerate(frames):
        second = begin
        if isinstance(frame, tuple):
            second = begin + (frame[2] if len(frame) > 2 else 0)
            frame, captured = frame[0], frame[0][:frame[1]]
        else:
            captured = frame
        out.append(struct.pack("<IIII", second, number, len(captured), len(frame)) + captured)
    return b"".join(out)


def vector(size, data):
    return len(data).to_bytes(size, "big") + data


def client_hello_body(name, padding=0, before=b""):
    """`before`: extensions in front of the name; `padding` bytes of an extension behind it."""
    sni = struct.pack("!H", 0) + vector(2, vector(2, b"\0" + vector(2, name.encode())))
    extensions = before + sni + (struct.pack("!H", 51) + vector(2, b"k" * padding) if padding else b"")
    return b"\3\3" + b"r" * 32 + b"\0" + vector(2, b"\x13\1\xc0\x2f") + b"\1\0" + vector(2, extensions)


def handshake(message_type, body):
    return bytes([message_type]) + vector(3, body)


def record(data, record_type=22):
    return bytes([record_type]) + b"\3\3" + vector(2, data)


def client_hello(name, padding=0, before=b""):
    return record(handshake(1, client_hello_body(name, padding, before)))


def server_hello():
    return record(handshake(2, b"\3\3" + b"R" * 32 + b"\0" + b"\xc0\x2f" + b"\0"))


def certificates(ders):
    return record(handshake(11, vector(3, b"".join(vector(3, der) for der in ders))))


def dns_query(name, number=1):
    labels = b"".join(vector(1, label.encode()) for label in name.split("."))
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)
