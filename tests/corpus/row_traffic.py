"""Packets for row_reading.py: each probe is a connection of a client of its own, whose address tells the row."""
import ipaddress
import struct

RESOLVER = bytes([10, 255, 255, 53])
SERVER = bytes([10, 255, 255, 80])
RESOLVER6 = ipaddress.ip_address("fd00:ffff::53").packed
MAC = bytes(12)


def client_of(number):
    """10.0.0.0/9 holds the clients; number below 2^23."""
    return struct.pack("!I", 10 << 24 | number)


def number_of(address):
    packed = ipaddress.ip_address(address).packed
    return int.from_bytes(packed[-4:], "big") & 0x7FFFFF if len(packed) == 4 else int.from_bytes(packed[-4:], "big")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip_packet(source, destination, protocol, segment):
    if len(destination) == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, protocol, 0, source, destination)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        return MAC + b"\x08\x00" + head + segment
    head = struct.pack("!IHBB16s16s", 6 << 28, len(segment), protocol, 64, source, destination)
    return MAC + b"\x86\xdd" + head + segment


def with_checksum(source, destination, protocol, segment, at):
    pseudo = source + destination + struct.pack("!HHI" if len(source) == 4 else "!HHI", 0, protocol, len(segment))
    value = checksum(pseudo + segment)
    return segment[:at] + struct.pack("!H", value or 0xFFFF) + segment[at + 2:]


def tcp(source, destination, sport, dport, sequence, acknowledgment, flags, payload=b""):
    segment = struct.pack("!HHIIBBHHH", sport, dport, sequence, acknowledgment, 0x50, flags, 65535, 0, 0) + payload
    return ip_packet(source, destination, 6, with_checksum(source, destination, 6, segment, 16))


def udp(source, destination, sport, dport, payload):
    segment = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ip_packet(source, destination, 17, with_checksum(source, destination, 17, segment, 6))


def connection(source, destination, dport, payload=b"", sport=40000):
    packets = [tcp(source, destination, sport, dport, 1000, 0, 0x02),
               tcp(destination, source, dport, sport, 5000, 1001, 0x12),
               tcp(source, destination, sport, dport, 1001, 5001, 0x10)]
    if payload:
        packets.append(tcp(source, destination, sport, dport, 1001, 5001, 0x18, payload))
    return packets


def dns_query(name):
    labels = b"".join(struct.pack("B", len(label)) + label for label in name.encode("latin-1").split(b"."))
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


def client_hello(name):
    server_name = name.encode("latin-1")
    entry = b"\0" + struct.pack("!H", len(server_name)) + server_name
    sni = struct.pack("!HHH", 0, len(entry) + 2, len(entry)) + entry
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + struct.pack("!H", len(sni)) + sni
    handshake = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(handshake)) + handshake


def packets_of(number, probe):
    kind, *rest = probe
    client = client_of(number)
    if kind in ("address", "port"):
        destination = ipaddress.ip_address(rest[0]).packed
        if len(destination) == 16:
            client = ipaddress.ip_address("fd00::").packed[:12] + struct.pack("!I", number)
        return connection(client, destination, rest[1] if kind == "port" else 4444)
    if kind == "dns":
        return [udp(client, RESOLVER, 40000, 53, dns_query(rest[0]))]
    if kind == "sni":
        return connection(client, SERVER, 443, client_hello(rest[0]))
    if kind == "http":
        host, target, agent, port = rest
        head = f"GET {target} HTTP/1.1\r\nHost: {host}\r\n" + (f"User-Agent: {agent}\r\n" if agent else "") + "\r\n"
        destination = SERVER
        try:
            destination = ipaddress.ip_address(host.rsplit(":", 1)[0] if host.count(":") == 1 else host.strip("[]")).packed
        except ValueError:
            pass
        if len(destination) == 16:
            client = ipaddress.ip_address("fd00::").packed[:12] + struct.pack("!I", number)
        return connection(client, destination, port, head.encode("utf-8", "surrogateescape"))
    if kind == "stream":
        return connection(client, SERVER, 9999, rest[0])
    raise ValueError(kind)


class Capture:
    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        self.time = 1_790_000_000_000_000

    def add(self, packets):
        for packet in packets:
            self.time += 10
            self.file.write(struct.pack("<IIII", self.time // 1_000_000, self.time % 1_000_000, len(packet), len(packet)))
            self.file.write(packet)

    def close(self):
        self.file.close()
