#!/usr/bin/env python3
"""make_seeds.py CORPUS OUT

Makes inputs of fuzz targets out of real captures and files: OUT/TARGET/NUMBER. CORPUS is ../shared/corpus, none of which
enters the tree. Of each target's candidates at most MAX_SEEDS are taken, evenly over all. Does nothing where OUT was made
by this very script.
"""

import hashlib
import pathlib
import struct
import sys

MAX_SEEDS = 300
MAX_BYTES = 4000  # below the targets' own limit, so that there is room to change something
LINK_TYPES = [1, 0, 108, 9, 50, 101, 228, 113, 276, 229]  # in the order of decoder.cc
METHODS = (b"GET ", b"POST ", b"HEAD ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"HTTP/1.")


def pcap_packets(data):
    orders = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}
    order = orders.get(data[:4])
    if order is None or len(data) < 24:
        return
    link = struct.unpack_from(order + "H", data, 20 if order == "<" else 22)[0]
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack_from(order + "I", data, at + 8)[0]
        if at + 16 + length > len(data):
            return
        yield link, data[at + 16 : at + 16 + length]
        at += 16 + length


def pcapng_packets(data):
    order, links, at = "<", [], 0
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order, links = ("<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"), []
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12 or at + length > len(data):
            return
        if kind == 1:
            links.append(struct.unpack_from(order + "H", data, at + 8)[0])
        elif kind == 6 and length >= 32:
            interface, captured = struct.unpack_from(order + "I8xI", data, at + 8)
            if interface < len(links):
                yield links[interface], data[at + 28 : at + 28 + captured]
        at += length


def packets(data):
    return pcapng_packets(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else pcap_packets(data)


def transport(link, frame):
    """(protocol, source, destination, header and payload) of plain IPv4 over Ethernet or raw, else None."""
    if link == 1 and frame[12:14] == b"\x08\x00":
        ip = frame[14:]
    elif link in (101, 228):
        ip = frame
    else:
        return None
    if len(ip) < 20 or ip[0] >> 4 != 4 or struct.unpack(">H", ip[6:8])[0] & 0x3FFF:
        return None
    begin, end = (ip[0] & 15) * 4, struct.unpack(">H", ip[2:4])[0]
    return ip[9], ip[12:16], ip[16:20], ip[begin:end]


def conversations(data):
    """Streams of TCP as lists of (from the client, bytes), in order; what comes out of turn ends one."""
    flows = {}
    for link, frame in packets(data):
        found = transport(link, frame)
        if found is None or found[0] != 6 or len(found[3]) < 20:
            continue
        _, source, destination, tcp = found
        ports, sequence = tcp[0:4], struct.unpack(">I", tcp[4:8])[0]
        key, back = (source, destination, ports), (destination, source, ports[2:] + ports[:2])
        if tcp[13] & 2:
            if not tcp[13] & 16:
                flows[key] = {"pieces": [], "next": {key: sequence + 1}}
            elif back in flows:
                flows[back]["next"][key] = sequence + 1
            continue
        flow = flows.get(key) or flows.get(back)
        payload = tcp[(tcp[12] >> 4) * 4 :]
        if flow is None or not payload or flow["next"].get(key) != sequence:
            continue
        flow["next"][key] = (sequence + len(payload)) & 0xFFFFFFFF
        flow["pieces"].append((key in flows, payload))
    return [flow["pieces"] for flow in flows.values() if flow["pieces"]]


def certificates(pieces):
    stream = b"".join(payload for from_client, payload in pieces if not from_client)
    messages, at = b"", 0
    while at + 5 <= len(stream) and stream[at] == 22:
        length = struct.unpack(">H", stream[at + 3 : at + 5])[0]
        messages += stream[at + 5 : at + 5 + length]
        at += 5 + length
    at = 0
    while at + 4 <= len(messages):
        length = int.from_bytes(messages[at + 1 : at + 4], "big")
        if messages[at] == 11:
            inner, end = at + 7, at + 4 + length
            while inner + 3 <= min(end, len(messages)):
                size = int.from_bytes(messages[inner : inner + 3], "big")
                yield messages[inner + 3 : inner + 3 + size]
                inner += 3 + size
        at += 4 + length


def from_capture(data, add):
    frames, link_type = b"", None
    for link, frame in packets(data):
        if link not in LINK_TYPES or (link_type not in (None, link)) or len(frames) + len(frame) + 3 > MAX_BYTES:
            break
        link_type = link
        frames += struct.pack(">HB", len(frame), 2) + frame
    if frames:
        for target in ("decoder", "pipeline"):
            add(target, bytes([LINK_TYPES.index(link_type)]) + frames)
    for link, frame in packets(data):
        found = transport(link, frame)
        if found and found[0] == 17 and b"\x00\x35" in (found[3][0:2], found[3][2:4]):
            add("dns", b"\x00" + found[3][8:])
    for pieces in conversations(data):
        first = pieces[0][1]
        http, tls = first.startswith(METHODS), first[:2] == b"\x16\x03"
        chunks, runs = b"", []
        for from_client, payload in pieces:
            if len(chunks) + len(payload) + 3 > MAX_BYTES:
                break
            chunks += bytes([0 if from_client else 1]) + struct.pack(">H", len(payload)) + payload
            if runs and runs[-1][0] == from_client:
                runs[-1][1] += payload
            else:
                runs.append([from_client, payload])
        if http:
            add("http1", chunks)
        if tls:
            add("tls", chunks)
            for certificate in certificates(pieces):
                add("x509", certificate)
        add("stream_order", b"\x00\x01\x02\x03" + b"".join(
            bytes([0 if from_client else 1]) + struct.pack(">H", len(run)) + run for from_client, run in runs))


def main():
    corpus, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    mark, version = out / ".made_by", hashlib.sha256(pathlib.Path(__file__).read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == version:
        return
    seeds = {}

    def add(target, seed):
        if seed and len(seed) <= MAX_BYTES:
            seeds.setdefault(target, {})[seed] = True

    for path in sorted((corpus / "captures").rglob("*")):
        if not path.is_file() or path.stat().st_size > 1 << 20:
            continue
        data = path.read_bytes()
        from_capture(data, add)
        add("pcapng_file" if data[:4] == b"\x0a\x0d\x0d\x0a" else "pcap_file", data)
    for path in sorted((corpus / "indicators").rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                add("indicator_text", file.read(1000).rsplit(b"\n", 1)[0])
    for path in sorted((corpus / "geo").rglob("*.mmdb")):
        add("geo", path.read_bytes())
    for path in sorted((corpus / "expected").rglob("*.tsv")):
        for line in path.read_bytes().splitlines():
            if line.startswith(b"http.uri\t"):
                add("url", b"http://example.test:8080" + line.split(b"\t", 1)[1])
    for target, found in seeds.items():
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        chosen = list(found)
        step = max(1, len(chosen) / MAX_SEEDS)
        for i in range(min(MAX_SEEDS, len(chosen))):
            (folder / str(i)).write_bytes(chosen[int(i * step)])
        print(f"  {target}: {min(MAX_SEEDS, len(chosen))} of {len(chosen)}")
    out.mkdir(parents=True, exist_ok=True)
    mark.write_text(version)


if __name__ == "__main__":
    main()
