#!/usr/bin/env python3
"""rewrite.py [--start TIME] [--pause OVER SECONDS] [--vlan ID]... --map OLD=NEW... IN OUT

Gives a capture that was made in network namespaces the addresses and the time of its story. Reads pcap and pcapng
(Ethernet, with 802.1Q tags or without; microseconds or nanoseconds), writes the same format.

  --map OLD=NEW      replaces an IPv4 or IPv6 address in every IP header. Every address of the capture has to be
                     mapped: one that is not is an error, so that no address of the machine slips through.
  --start TIME       moves the first packet to TIME (RFC 3339, UTC); the spaces between packets stay.
  --pause OVER SECONDS  spaces of more than OVER seconds become SECONDS: minutes between two beacons without minutes
                     of waiting when the capture is made.
  --vlan ID          puts an 802.1Q tag on every frame, as a mirror port of a trunk shows them; given twice, the first
                     is the outer one (802.1ad).

IPv4 header checksums are made new. TCP and UDP checksums are updated by the difference (RFC 1624), so a correct one
stays correct and a wrong one wrong, and the first fragment of a datagram can be treated alone. MAC addresses become
02:00:00:00:00:01, :02, … in order of appearance. Of a pcapng only section header, interface (with its resolution and
the name "eth0") and packets are kept: comments about the capturing machine are not.

Addresses inside payloads are left alone: the servers of the stories answer with the final ones.
"""
import argparse
import datetime
import ipaddress
import struct
import sys

ETHERNET = 1
VLAN_TAGS = (0x8100, 0x88A8)
TRANSPORT_CHECKSUM_AT = {6: 16, 17: 6}  # TCP, UDP: offset of the checksum in the header


class Unfit(Exception):
    """The capture is not one that this tool can rewrite; the message says why."""


def read_pcap(data):
    magic = data[:4]
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}[magic]
    scale = 1 if b"\x3c" in magic else 1000
    link = struct.unpack(order + "I", data[20:24])[0]
    if link != ETHERNET:
        raise Unfit(f"link type {link}: only Ethernet is handled")
    packets, at = [], 24
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack(order + "IIII", data[at : at + 16])
        packets.append((seconds * 10**9 + fraction * scale, bytearray(data[at + 16 : at + 16 + captured]), wire))
        at += 16 + captured
    return packets


def write_pcap(packets):
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, ETHERNET)]
    for time_ns, frame, wire in packets:
        out.append(struct.pack("<IIII", time_ns // 10**9, time_ns % 10**9 // 1000, len(frame), wire))
        out.append(bytes(frame))
    return b"".join(out)


def read_pcapng(data):
    if data[8:12] != b"\x4d\x3c\x2b\x1a":
        raise Unfit("a big-endian pcapng is not handled")
    packets, resolutions, at = [], [], 0
    while at < len(data):
        kind, length = struct.unpack("<II", data[at : at + 8])
        body = data[at + 8 : at + length - 4]
        if kind == 1:
            if struct.unpack("<H", body[:2])[0] != ETHERNET:
                raise Unfit("an interface that is not Ethernet")
            units, option = 10**6, 8
            while option + 4 <= len(body):
                code, size = struct.unpack("<HH", body[option : option + 4])
                if code == 9:
                    units = 10 ** body[option + 4]
                option += 4 + (size + 3) // 4 * 4
            resolutions.append(units)
        elif kind == 6:
            interface, high, low, captured, wire = struct.unpack("<IIIII", body[:20])
            time_ns = (high << 32 | low) * 10**9 // resolutions[interface]
            packets.append((time_ns, bytearray(body[20 : 20 + captured]), wire))
        at += length
    return packets


def write_pcapng(packets):
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    def option(code, value):
        return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)

    interface = struct.pack("<HHI", ETHERNET, 0, 262144) + option(2, b"eth0") + option(9, b"\x09") + option(0, b"")
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, interface)]
    for time_ns, frame, wire in packets:
        head = struct.pack("<IIIII", 0, time_ns >> 32, time_ns & 0xFFFFFFFF, len(frame), wire)
        out.append(block(6, head + bytes(frame)))
    return b"".join(out)


def words(data):
    return struct.unpack(f">{len(data) // 2}H", data)


def fold(total):
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def update_checksum(frame, at, old, new):
    """RFC 1624, equation 3: HC' = ~(~HC + ~m + m')."""
    checksum = struct.unpack_from(">H", frame, at)[0]
    total = (~checksum & 0xFFFF) + sum(~word & 0xFFFF for word in words(old)) + sum(words(new))
    struct.pack_into(">H", frame, at, ~fold(total) & 0xFFFF)


class Rewriter:
    def __init__(self, mapping):
        self.mapping = mapping
        self.macs = {}

    def mac(self, old):
        number = self.macs.setdefault(bytes(old), len(self.macs) + 1)
        return b"\x02" + number.to_bytes(5, "big")

    def swap(self, frame, at, size):
        old = bytes(frame[at : at + size])
        if old not in self.mapping:
            raise Unfit(f"address {ipaddress.ip_address(old)} is not mapped")
        new = self.mapping[old]
        frame[at : at + size] = new
        return old, new

    def apply(self, frame):
        for at in (6, 0):  # source first: the one that speaks first becomes number 1
            frame[at : at + 6] = self.mac(frame[at : at + 6])
        at = 12
        while struct.unpack_from(">H", frame, at)[0] in VLAN_TAGS:
            at += 4
        kind = struct.unpack_from(">H", frame, at)[0]
        at += 2
        if kind == 0x0800:
            header = (frame[at] & 15) * 4
            protocol, first = frame[at + 9], struct.unpack_from(">H", frame, at + 6)[0] & 0x1FFF == 0
            pairs = [self.swap(frame, at + 12, 4), self.swap(frame, at + 16, 4)]
            struct.pack_into(">H", frame, at + 10, 0)
            struct.pack_into(">H", frame, at + 10, ~fold(sum(words(frame[at : at + header]))) & 0xFFFF)
        elif kind == 0x86DD:
            header, protocol, first = 40, frame[at + 6], True
            if protocol == 44:  # fragment header
                protocol, first = frame[at + 40], struct.unpack_from(">H", frame, at + 42)[0] >> 3 == 0
                header += 8
            pairs = [self.swap(frame, at + 8, 16), self.swap(frame, at + 24, 16)]
        else:
            raise Unfit(f"a frame of type {kind:#06x}: only IP is handled")
        if not first:
            return
        if protocol not in TRANSPORT_CHECKSUM_AT:
            raise Unfit(f"IP protocol {protocol}: only TCP and UDP are handled")
        checksum_at = at + header + TRANSPORT_CHECKSUM_AT[protocol]
        if protocol == 17 and frame[checksum_at : checksum_at + 2] == b"\0\0":
            return  # no checksum
        for old, new in pairs:
            update_checksum(frame, checksum_at, old, new)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--map", action="append", default=[], metavar="OLD=NEW")
    parser.add_argument("--start")
    parser.add_argument("--pause", nargs=2, type=float, metavar=("OVER", "SECONDS"))
    parser.add_argument("--vlan", type=int, action="append", default=[])
    parser.add_argument("input")
    parser.add_argument("output")
    arguments = parser.parse_args()
    mapping = {}
    for pair in arguments.map:
        old, new = (ipaddress.ip_address(side).packed for side in pair.split("="))
        if len(old) != len(new):
            parser.error(f"{pair}: two families")
        mapping[old] = new
    with open(arguments.input, "rb") as file:
        data = file.read()
    pcapng = data[:4] == b"\x0a\x0d\x0d\x0a"
    packets = (read_pcapng if pcapng else read_pcap)(data)
    if not packets:
        raise Unfit("it holds no packet")
    rewriter = Rewriter(mapping)
    kinds = [VLAN_TAGS[0]] if len(arguments.vlan) < 2 else [VLAN_TAGS[1], VLAN_TAGS[0]]
    tags = b"".join(struct.pack(">HH", kind, number) for kind, number in zip(kinds, arguments.vlan))
    start = packets[0][0]
    if arguments.start:
        start = int(datetime.datetime.fromisoformat(arguments.start.replace("Z", "+00:00")).timestamp()) * 10**9
    moved, before, now = [], packets[0][0], start
    for time_ns, frame, wire in packets:
        space = time_ns - before
        if arguments.pause and space > arguments.pause[0] * 10**9:
            space = int(arguments.pause[1] * 10**9)
        before, now = time_ns, now + space
        rewriter.apply(frame)
        frame[12:12] = tags
        moved.append((now, frame, wire + len(tags)))
    with open(arguments.output, "wb") as file:
        file.write((write_pcapng if pcapng else write_pcap)(moved))


if __name__ == "__main__":
    try:
        main()
    except (Unfit, OSError) as error:
        sys.exit(f"rewrite.py: {error}")
