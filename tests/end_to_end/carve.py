#!/usr/bin/python3
"""carve.py VEDETTE PCAPS

`replay --carve`: the flows that matched, whole, in captures that libpcap reads, each of which gives the same alerts again; the same
bytes for any number of workers; nothing half written under a finished name.
"""
import collections
import filecmp
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

from carve_check import check_carved, packets_by_libpcap, read

VEDETTE, PCAPS = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
INDICATORS = ["--indicators", str(PCAPS / "indicators")]
ETHERNET, RAW = 1, 101
CLIENT, SERVER, OTHER = "192.0.2.1", "198.51.100.2", "198.51.100.9"


def address(text):
    return bytes(map(int, text.split(".")))


def ipv4(payload, source=CLIENT, destination=SERVER, protocol=17, identification=1, offset=0, more=False):
    flags = (0x2000 if more else 0) | offset // 8
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), identification, flags, 64, protocol, 0) + address(source) + address(destination) + payload


def udp(payload, source_port=5000, destination_port=53):
    return struct.pack(">HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def tcp(payload=b"", source_port=40000, destination_port=80, sequence=1000, acknowledgment=0, flags=0x18):
    return struct.pack(">HHIIBBHHH", source_port, destination_port, sequence, acknowledgment, 0x50, flags, 65535, 0, 0) + payload


def dns_query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


def fragments(datagram, sizes, identification, **ends):
    """The IP packets of a datagram cut after each of these many bytes (multiples of eight)."""
    out, at = [], 0
    for size in [*sizes, len(datagram) - sum(sizes)]:
        out.append(ipv4(datagram[at:at + size], identification=identification, offset=at, more=at + size < len(datagram), **ends))
        at += size
    return out


def pcap(packets, link_type=ETHERNET, nanoseconds=False, start=1_790_000_000, snap_length=262144):
    """Packets are bytes from IP on, or (bytes, nanoseconds since the start)."""
    out = struct.pack("<IHHIIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, snap_length, link_type)
    for number, packet in enumerate(packets):
        data, time = packet if isinstance(packet, tuple) else (packet, number * 1_000_000)
        if link_type == ETHERNET:
            data = bytes(12) + b"\x08\x00" + data
        seconds, rest = divmod(start * 1_000_000_000 + time, 1_000_000_000)
        captured = data[:snap_length]
        out += struct.pack("<IIII", seconds, rest if nanoseconds else rest // 1000, len(captured), len(data)) + captured
    return out


class Carve(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.runs = 0

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def replay(self, match, *captures, status=0, options=()):
        """Returns (alerts, folder, index)."""
        self.runs += 1
        folder = self.folder / f"carved{self.runs}"
        result = subprocess.run([VEDETTE, "replay", "--no-geo", *match, "--carve", folder, *options, *captures], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, status, result.stderr)
        self.said = result.stderr
        index = read(folder / "index.jsonl") if (folder / "index.jsonl").exists() else None
        return list(map(json.loads, result.stdout.splitlines())), folder, index

    def check(self, match, *captures, options=()):
        """Carves for one to three workers, compares, and replays every carved flow."""
        alerts, folder, index = self.replay(match, *captures, options=(*options, "--workers", "1"))
        for workers in ("2", "3"):
            again, other, _ = self.replay(match, *captures, options=(*options, "--workers", workers))
            self.assertEqual(alerts, again)
            names = sorted(path.name for path in folder.iterdir())
            self.assertEqual(names, sorted(path.name for path in other.iterdir()))
            self.assertEqual(filecmp.cmpfiles(folder, other, names, shallow=False)[0], names)
        self.assertEqual(list(check_carved(VEDETTE, match, alerts, folder)), [])
        return alerts, folder, index

    def test_pcaps(self):
        alerts, folder, index = self.check(INDICATORS, PCAPS)
        self.assertGreater(len(index), 10)
        for entry in index:
            # An independent count of the same five-tuple. Each stands for one flow in these captures.
            ports = f" and {entry['proto'].lower()} port {entry['src_port']} and port {entry['dest_port']}" if entry["proto"] in ("TCP", "UDP") else ""
            plain = f"host {entry['src_ip']} and host {entry['dest_ip']}{ports}"
            if entry.get("fragments"):
                plain = f"host {entry['src_ip']} and host {entry['dest_ip']}"
            source = entry["sources"][0]["pcap_filename"]
            expected = packets_by_libpcap(source, f"({plain}) or (vlan and {plain})")
            self.assertEqual(entry["packets"], expected, entry)
        self.assertTrue(any(entry.get("fragments") for entry in index))

    def test_whole_flow_not_only_what_follows_the_hit(self):
        conversation = [ipv4(tcp(flags=0x02, sequence=999), protocol=6)]
        conversation += [ipv4(tcp(source_port=80, destination_port=40000, sequence=1999, acknowledgment=1000, flags=0x12), SERVER, CLIENT, 6)]
        conversation += [ipv4(tcp(b"GET / HTTP/1.1\r\nHost: bad.example\r\n\r\n", acknowledgment=2000), protocol=6)]
        conversation += [ipv4(tcp(b"HTTP/1.1 200 OK\r\n\r\n", 80, 40000, 2000, 1036), SERVER, CLIENT, 6)]
        foreign = ipv4(udp(b"x", 1, 2), destination=OTHER)
        capture = self.write("a.pcap", pcap([packet for own in conversation for packet in (own, foreign)]))
        alerts, folder, index = self.check(["--match", "bad.example"], capture)
        self.assertEqual((len(alerts), index[0]["packets"]), (1, 4))
        self.assertEqual(index[0]["sources"], [{"pcap_filename": str(capture), "first_packet": 1, "last_packet": 7, "packets": 4}])

    def test_a_later_flow_of_the_same_ends_is_apart(self):
        def connection(isn, host):
            request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            return [ipv4(tcp(flags=0x02, sequence=isn), protocol=6), ipv4(tcp(request, sequence=isn + 1, flags=0x18), protocol=6),
                    ipv4(tcp(sequence=isn + 1 + len(request), flags=0x11), protocol=6)]
        capture = self.write("a.pcap", pcap(connection(10, "good.example") + connection(90000, "bad.example") + connection(500000, "good.example")))
        _, folder, index = self.check(["--match", "bad.example"], capture)
        self.assertEqual([(entry["packets"], entry["sources"][0]["first_packet"]) for entry in index], [(3, 4)])
        # Idle for longer than a flow of UDP lives.
        query = ipv4(udp(dns_query("bad.example")))
        capture = self.write("b.pcap", pcap([(query, 0), (query, 10**9), (query, 500 * 10**9)]))
        _, folder, index = self.check(["--match", "bad.example"], capture)
        self.assertEqual([entry["packets"] for entry in index], [2, 1])

    def test_fragments_in_any_order(self):
        datagram = udp(dns_query("a" * 50 + ".bad.example"))
        parts = fragments(datagram, [16, 24], 77)
        noise = [ipv4(udp(dns_query("good.example"), 6000), identification=78), *fragments(udp(dns_query("b" * 50 + ".good.example"), 6001), [16, 24], 79)]
        for name, order in (("forward", parts), ("backward", parts[::-1]), ("twice", [parts[0], parts[0], parts[2], parts[1]])):
            with self.subTest(name):
                capture = self.write(f"{name}.pcap", pcap([packet for part in order for packet in (part, *noise[:1])] + noise))
                alerts, folder, index = self.check(["--match", "bad.example"], capture)
                self.assertEqual([(entry["packets"], entry["fragments"]) for entry in index], [(len(order), len(order))])

    def test_fragments_that_are_never_whole(self):
        parts = fragments(udp(dns_query("a" * 50 + ".bad.example")), [16, 24], 77)
        capture = self.write("a.pcap", pcap(parts[1:]))
        alerts, folder, index = self.check(["--match", SERVER.replace("198.51.100.2", "8.8.8.8")], self.write("b.pcap", pcap(fragments(udp(dns_query("x.example")), [16], 5, destination="8.8.8.8")[1:])))
        self.assertEqual([entry["packets"] for entry in index], [1])
        self.assertEqual(self.replay(["--match", "bad.example"], capture)[2], [])

    def test_nanoseconds_where_needed(self):
        query = ipv4(udp(dns_query("bad.example")))
        micro = self.write("micro.pcap", pcap([(query, 1000)], nanoseconds=True))
        nano = self.write("nano.pcap", pcap([(query, 1000), (query, 2001)], nanoseconds=True))
        for capture, magic in ((micro, 0xA1B2C3D4), (nano, 0xA1B23C4D)):
            _, folder, index = self.check(["--match", "bad.example"], capture)
            data = (folder / index[0]["captures"][0]).read_bytes()
            self.assertEqual(struct.unpack_from("<I", data)[0], magic)
            if magic == 0xA1B23C4D:
                self.assertEqual(data, nano.read_bytes())

    def test_snap_length_and_truncated_packets(self):
        query = ipv4(udp(dns_query("bad.example") + bytes(500)))
        capture = self.write("a.pcap", pcap([query], snap_length=120))
        _, folder, index = self.check(["--match", "bad.example"], capture)
        self.assertEqual((index[0]["captured_bytes"], index[0]["bytes"]), (120, 14 + len(query)))
        huge = self.write("b.pcap", pcap([ipv4(udp(dns_query("bad.example"))) + bytes(400_000)], snap_length=1 << 20))
        _, folder, index = self.check(["--match", "bad.example"], huge)
        # More than libpcap reads of a packet.
        self.assertEqual((folder / index[0]["captures"][0]).stat().st_size, 24 + 16 + 262_144)
        self.assertRegex(self.said, r"cut to 262,144 bytes +1\n")

    def test_link_types_are_kept_apart(self):
        query = ipv4(udp(dns_query("bad.example")))
        captures = [self.write("1.pcap", pcap([query, query])), self.write("2.pcap", pcap([query], RAW)), self.write("3.pcap", pcap([query]))]
        _, folder, index = self.check(["--match", "bad.example"], *captures)
        flow = index[0]["flow_id"]
        self.assertEqual(index[0]["captures"], [f"{flow}.pcap", f"{flow}.link-101.pcap"])
        self.assertEqual([packets_by_libpcap(folder / name) for name in index[0]["captures"]], [3, 1])
        self.assertEqual([source["packets"] for source in index[0]["sources"]], [2, 1, 1])

    def test_filter_and_times_hold(self):
        queries = [(ipv4(udp(dns_query("bad.example"), source)), second * 10**9) for second in range(4) for source in (5000, 5001)]
        capture = self.write("a.pcap", pcap(queries, start=1_790_000_000))
        _, folder, index = self.check(["--match", "bad.example"], capture, options=("--bpf", "udp port 5000", "--since", "1790000001", "--until", "1790000003"))
        self.assertEqual([(entry["src_port"], entry["packets"]) for entry in index], [(5000, 2)])

    def test_bound_on_flows(self):
        capture = self.write("a.pcap", pcap([ipv4(udp(dns_query("bad.example"), 5000 + i)) for i in range(20)]))
        alerts, folder, index = self.check(["--match", "bad.example"], capture, options=("--carve-flows", "3"))
        self.assertEqual([entry["src_port"] for entry in index], [5000, 5001, 5002])
        self.assertEqual(["capture" in alert["evidence"] for alert in alerts], [True] * 3 + [False] * 17)
        self.assertRegex(self.said, r"left out: flows \(--carve-flows\) +17\n")

    def test_many_flows_need_few_descriptors(self):
        capture = self.write("a.pcap", pcap([ipv4(udp(dns_query("bad.example"), 1024 + i % 3000)) for i in range(6000)]))
        result = subprocess.run(["bash", "-c", 'ulimit -n 40; exec "$0" "$@"', VEDETTE, "replay", "--no-geo", "--match", "bad.example", "--quiet", "--carve", self.folder / "c", "--workers", "2", "--out", "/dev/null", capture], capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        index = read(self.folder / "c/index.jsonl")
        self.assertEqual(collections.Counter(entry["packets"] for entry in index), {2: 3000})

    def test_nothing_found(self):
        capture = self.write("a.pcap", pcap([ipv4(udp(dns_query("good.example")))]))
        alerts, folder, index = self.replay(["--match", "bad.example"], capture)
        self.assertEqual((alerts, index, [path.name for path in folder.iterdir()]), ([], [], ["index.jsonl"]))

    def test_folder_in_use(self):
        capture = self.write("a.pcap", pcap([ipv4(udp(dns_query("bad.example")))]))
        _, folder, index = self.replay(["--match", "bad.example"], capture)
        run = [VEDETTE, "replay", "--no-geo", "--match", "bad.example", "--carve"]
        again = subprocess.run([*run, folder, capture], capture_output=True, text=True)
        self.assertEqual((again.returncode, again.stdout), (2, ""))
        self.assertIn("--force", again.stderr)
        forced = subprocess.run([*run, folder, "--force", capture], capture_output=True, text=True)
        self.assertEqual(forced.returncode, 0, forced.stderr)
        self.assertEqual(read(folder / "index.jsonl"), index)
        own = subprocess.run([*run, self.folder, "--force", capture], capture_output=True, text=True)
        self.assertEqual(own.returncode, 2)
        self.assertIn("a.pcap", own.stderr)
        for wrong in (capture, self.folder / "no/such/folder"):
            self.assertEqual(subprocess.run([*run, wrong, capture], capture_output=True).returncode, 2)

    def test_standard_input_is_refused(self):
        capture = self.write("a.pcap", pcap([ipv4(udp(dns_query("bad.example")))]))
        with open(capture, "rb") as file:
            result = subprocess.run([VEDETTE, "replay", "--no-geo", "--match", "bad.example", "--carve", self.folder / "c", "-"], stdin=file, capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 2)
        self.assertIn("save it to a file first", result.stderr)

    def test_full_disk_leaves_no_half_file(self):
        # A limit on the size of files stands for the disk that fills up.
        small = [ipv4(udp(dns_query("bad.example"), 5000))]
        large = [ipv4(udp(dns_query("bad.example") + bytes(1400), 5001)) for _ in range(40)]
        capture = self.write("a.pcap", pcap([(packet, number * 10**9) for number, packet in enumerate(small)] + [(packet, (300 + number) * 10**9) for number, packet in enumerate(large)]))
        result = subprocess.run(["bash", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$0" "$@"', VEDETTE, "replay", "--no-geo", "--match", "bad.example", "--carve", self.folder / "c", "--out", "/dev/null", capture], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("run again", result.stderr)
        left = [path for path in (self.folder / "c").iterdir()]
        self.assertEqual([path.name for path in left if path.suffix != ".pcap"], [])
        for path in left:
            self.assertEqual(packets_by_libpcap(path), 1)

    def test_table_and_csv_name_the_capture(self):
        capture = self.write("a.pcap", pcap([ipv4(udp(dns_query("bad.example")))]))
        _, _, index = self.replay(["--match", "bad.example"], capture)
        name = index[0]["captures"][0]
        for form, expected in (("table", f"in {name}"), ("csv", f",{index[0]['flow_id']},{name}\n")):
            result = subprocess.run([VEDETTE, "replay", "--no-geo", "--quiet", "--match", "bad.example", "--carve", self.folder / form, "--format", form, capture], capture_output=True, text=True, timeout=60)
            self.assertIn(expected, result.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
