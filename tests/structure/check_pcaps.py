#!/usr/bin/env python3
"""check_pcaps.py [PCAPS]

Every capture of pcaps/ is small, stands in SOURCES.md with its expected alerts beside it, holds no address of the
laboratory it was made in, is in order of time, and has right checksums: pcaps/make/rewrite.py did its work.
"""
import ipaddress
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "pcaps/make"))
sys.dont_write_bytecode = True
import rewrite  # noqa: E402  (readers only; the checksums here are summed anew, not updated)

MAX_BYTES = 60_000
LABORATORY = [ipaddress.ip_network("10.77.0.0/16"), ipaddress.ip_network("fd77::/16")]


def ones_complement(data):
    return rewrite.fold(sum(rewrite.words(data + b"\0" * (len(data) % 2))))


def check_packet(frame, fragments):
    """Yields what is wrong. `fragments` collects pieces of datagrams by their identity."""
    at = 12
    while struct.unpack_from(">H", frame, at)[0] in rewrite.VLAN_TAGS:
        at += 4
    version, at = frame[at + 2] >> 4, at + 2
    if version == 4:
        header = (frame[at] & 15) * 4
        length, identity, offset = struct.unpack_from(">HHH", frame, at + 2)
        protocol, source, target = frame[at + 9], bytes(frame[at + 12 : at + 16]), bytes(frame[at + 16 : at + 20])
        if ones_complement(bytes(frame[at : at + header])) != 0xFFFF:
            yield "wrong IPv4 checksum"
        body = bytes(frame[at + header : at + length])
        if offset & 0x3FFF:
            pieces = fragments.setdefault((source, target, identity, protocol), {})
            pieces[(offset & 0x1FFF) * 8] = body
            if offset & 0x2000:
                return
            body = b"".join(pieces[at] for at in sorted(pieces))
    else:
        length, protocol = struct.unpack_from(">HB", frame, at + 4)
        source, target = bytes(frame[at + 8 : at + 24]), bytes(frame[at + 24 : at + 40])
        body = bytes(frame[at + 40 : at + 40 + length])
    for address in map(ipaddress.ip_address, (source, target)):
        if any(address in network for network in LABORATORY if network.version == address.version):
            yield f"address {address} of the laboratory"
    pseudo = source + target + struct.pack(">II", len(body), protocol)
    if ones_complement(pseudo + body) != 0xFFFF:
        yield f"wrong checksum of protocol {protocol}"


def check_capture(path, sources):
    data = path.read_bytes()
    packets = (rewrite.read_pcapng if path.suffix == ".pcapng" else rewrite.read_pcap)(data)
    if len(data) > MAX_BYTES:
        yield f"{len(data)} bytes; at most {MAX_BYTES}"
    if f"`{path.name}`" not in sources:
        yield "is not in SOURCES.md"
    if not path.with_name(path.stem + ".expected.jsonl").exists():
        yield f"{path.stem}.expected.jsonl is missing"
    if not packets:
        yield "holds no packets"
    before, fragments = 0, {}
    for number, (time_ns, frame, _) in enumerate(packets, 1):
        if time_ns < before:
            yield f"packet {number}: earlier than the one before it"
        before = time_ns
        for problem in check_packet(frame, fragments):
            yield f"packet {number}: {problem}"


def main(folder):
    captures = sorted(path for path in folder.iterdir() if path.suffix in (".pcap", ".pcapng"))
    sources = (folder / "SOURCES.md").read_text(encoding="utf8")
    problems = [f"{path.name}: {problem}" for path in captures for problem in check_capture(path, sources)]
    print("\n".join([*problems, f"{len(captures)} captures, {len(problems)} problems"]))
    return 1 if problems or not captures else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2] / "pcaps")))
