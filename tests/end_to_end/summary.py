#!/usr/bin/python3
"""summary.py VEDETTE PCAPS SOURCE

`replay --summary FILE`: its equation against what libpcap counts, over pcaps/ and hostile little captures, filters and time
windows; the same for any number of workers; the same figures as the text; exit codes of contract 1, each with and without
--fail-on-match; docs/summary.md names every member.
"""
import json
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

from carve import ETHERNET, INDICATORS, PCAPS, RAW, VEDETTE, dns_query, fragments, ipv4, pcap, tcp, udp
from carve_check import packets_by_libpcap

SOURCE = pathlib.Path(sys.argv[3]).resolve()
QUERY = ipv4(udp(dns_query("bad.example")))


def without_run(summary):
    return {key: value for key, value in summary.items() if key != "run"}


def pcapng(blocks):
    """Packets are (interface, time in µs, bytes); interfaces of these link types."""
    link_types, packets = blocks
    out = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    for link_type in link_types:
        out += struct.pack("<IIHHII", 1, 20, link_type, 0, 0, 20)
    for interface, time, data in packets:
        padded = data + bytes(-len(data) % 4)
        total = 32 + len(padded)
        out += struct.pack("<IIIIIII", 6, total, interface, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + padded + struct.pack("<I", total)
    return out


class Summary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def replay(self, *arguments, match=("--match", "bad.example"), status=0):
        path = self.folder / "summary.json"
        result = subprocess.run([VEDETTE, "replay", "--no-geo", *match, "--summary", path, "--out", "/dev/null", *arguments], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, status, result.stderr)
        summary = json.loads(path.read_text())
        self.assertEqual(summary["exit"]["status"], status)
        self.said = result.stderr
        return summary

    def check(self, received, *arguments, **options):
        """One to three workers, and the equation against a count of somebody else's."""
        first = self.replay(*arguments, "--workers", "1", **options)
        packets, figures = first["packets"], first["figures"]
        self.assertEqual(packets["received"], packets["decoded"] + packets["not_decoded"] + packets["excluded"] + packets["dropped"])
        self.assertEqual(packets["received"], received)
        self.assertEqual(packets["received"], figures["vedette_packets_received_total"])
        self.assertEqual(packets["decoded"], figures["vedette_packets_decoded_total"])
        for part in ("not_decoded", "excluded", "dropped"):
            self.assertEqual(packets[part], sum(figures[f"vedette_packets_{part}_total"].values()))
        self.assertEqual(first["memory_limits_hit"], [])
        for workers in ("2", "3"):
            self.assertEqual(without_run(self.replay(*arguments, "--workers", workers, **options)), without_run(first))
        return first

    def test_pcaps(self):
        # Some captures have rows of their own (tests/golden).
        lists = [*INDICATORS, *(word for path in sorted(PCAPS.glob("*.indicators.csv")) for word in ("--indicators", path))]
        captures = sorted(path for path in PCAPS.iterdir() if path.suffix in (".pcap", ".pcapng"))
        self.assertGreater(len(captures), 5)
        counts = {capture: packets_by_libpcap(capture) for capture in captures}
        alerts = 0
        for capture, count in counts.items():
            with self.subTest(capture.name):
                summary = self.check(count, capture, match=lists)
                expected = capture.with_suffix(".expected.jsonl").read_text().splitlines()
                self.assertEqual(summary["alerts"], len(expected))
                hits = [hit for line in map(json.loads, expected) for hit in (line["indicator"], *line.get("also", []))]
                self.assertEqual(sum(entry["alerts"] for entry in summary["matches"]), len(hits))
                for entry in summary["matches"]:
                    self.assertEqual(entry["alerts"], sum((hit["id"], hit["source"]) == (entry["id"], entry["source"]) for hit in hits))
                self.assertEqual(sum(summary["figures"].get("vedette_matches_total", {}).values()), len(hits))
                self.assertEqual(summary["flows_with_alerts"], len({json.loads(line)["flow_id"] for line in expected}))
                alerts += summary["alerts"]
        whole = self.check(sum(counts.values()), *captures, match=lists)
        self.assertEqual(whole["alerts"], alerts)
        self.assertEqual([(entry["name"], entry["bytes"]) for entry in whole["captures"]], [(str(path), path.stat().st_size) for path in captures])

    def test_filters_and_times(self):
        captures = sorted(PCAPS.glob("*.pcap"))
        count = sum(map(packets_by_libpcap, captures))
        taken = sum(packets_by_libpcap(capture, "udp port 53") for capture in captures)
        summary = self.check(count, "--bpf", "udp port 53", *captures, match=INDICATORS)
        self.assertEqual(summary["figures"]["vedette_packets_excluded_total"], {"filter": count - taken, "time": 0})
        self.assertEqual(summary["options"], {"bpf": "udp port 53"})
        capture = self.write("a.pcap", pcap([(QUERY, second * 10**9) for second in range(10)], start=1_790_000_000))
        summary = self.check(10, "--since", "1790000002", "--until", "1790000005", "--bpf", "udp", capture)
        self.assertEqual(summary["figures"]["vedette_packets_excluded_total"], {"filter": 0, "time": 7})
        self.assertEqual(summary["packets"]["decoded"], 3)

    def test_hostile_captures(self):
        everything = [QUERY, ipv4(tcp(b"x"), protocol=6), *fragments(udp(dns_query("a" * 60 + ".bad.example")), [16, 24], 9),
                      fragments(udp(bytes(100)), [16], 10)[0], fragments(udp(bytes(100)), [16], 11)[1], ipv4(bytes(20), protocol=89),
                      ipv4(b"\3\1" + bytes(6) + QUERY, protocol=1), b"\x45", b"\x4f" + bytes(30), bytes(40), b"\x65" * 60]
        cases = {f"cut to {length}": pcap(everything, snap_length=length) for length in (14, 15, 20, 33, 34, 35, 42, 50, 60)}
        cases["whole"] = pcap(everything)
        cases["raw"] = pcap(everything, RAW)
        cases["unknown link type"] = pcap(everything, 147)
        cases["no packets"] = pcap([])
        cases["802.11"] = pcap(everything, 105)
        cases["empty frames"] = pcap([b""] * 5, RAW)
        duplicates = fragments(udp(bytes(200)), [16, 24], 12)
        cases["fragments twice and overlapping"] = pcap(duplicates + duplicates + [ipv4(bytes(64), identification=12, offset=8, more=True)] * 3)
        cases["times backwards"] = pcap([(packet, (100 - number) * 10**9) for number, packet in enumerate(everything)])
        for name, data in cases.items():
            with self.subTest(name):
                capture = self.write("case.pcap", data)
                self.check(packets_by_libpcap(capture), capture)
        mixed = self.write("mixed.pcapng", pcapng(((ETHERNET, RAW, 147), [(i % 3, i, bytes(12) + b"\x08\x00" + packet if i % 3 == 0 else packet) for i, packet in enumerate(everything)])))
        summary = self.check(len(everything), mixed)
        self.assertGreater(summary["figures"]["vedette_packets_not_decoded_total"]["link_type_unknown"], 0)

    def test_limits_of_memory_are_named(self):
        # More datagrams wait than are kept, none ever whole.
        capture = self.write("a.pcap", pcap([fragments(udp(bytes(100)), [16], number)[0] for number in range(5000)]))
        summary = self.replay("--workers", "1", capture)
        self.assertEqual(summary["memory_limits_hit"], ["fragments"])
        packets = summary["packets"]
        self.assertEqual((packets["received"], packets["decoded"] + packets["not_decoded"]), (5000, 5000))

    def test_a_head_too_long_hides_nothing_or_is_named(self):
        def stream(head):
            segments = [head[at:at + 1400] for at in range(0, len(head), 1400)]
            return pcap([ipv4(tcp(flags=2, sequence=999), protocol=6)] + [ipv4(tcp(part, sequence=1000 + 1400 * number), protocol=6) for number, part in enumerate(segments)])

        padding = b"GET /a HTTP/1.1\r\nX-Pad: " + b"x" * 70000
        summary = self.replay(self.write("a.pcap", stream(padding + b"\r\nHost: bad.example\r\n\r\n")))
        self.assertEqual((summary["alerts"], summary["limits_hit"]), (1, []))
        summary = self.replay(self.write("a.pcap", stream(b"GET /a HTTP/1.1\r\nHost: " + b"x" * 70000 + b"\r\nHost: bad.example\r\n\r\n")))
        self.assertEqual((summary["alerts"], summary["limits_hit"], summary["memory_limits_hit"]), (1, ["http_head_too_long"], []))
        self.assertEqual(summary["figures"]["vedette_message_limits_total"]["http_head_too_long"], 1)
        self.assertRegex(self.said, r"limits hit\n  HTTP heads too long +1\n")

    def test_text_and_json_say_the_same(self):
        summary = self.replay(PCAPS, match=INDICATORS)
        said = {name.strip(): int(number.replace(",", "")) for name, number in re.findall(r"^  (\D[^\n]*?) {2,}([\d,]+)$", self.said, re.M)}
        figures = summary["figures"]
        for name, value in (("received", summary["packets"]["received"]), ("decoded", summary["packets"]["decoded"]), ("not decoded", summary["packets"]["not_decoded"]),
                            ("dns.query", figures["vedette_observables_total"]["dns.query"]), ("loaded", figures["vedette_indicators"]), ("datagrams reassembled", figures["vedette_datagrams_reassembled_total"])):
            self.assertEqual(said[name], value, name)

    def test_carved_flows(self):
        capture = self.write("a.pcap", pcap([QUERY, QUERY]))
        summary = self.replay("--carve", self.folder / "c", capture)
        self.assertEqual({key: summary["carved"][key] for key in ("flows", "files", "packets", "complete", "flows_left_out")}, {"flows": 1, "files": 1, "packets": 2, "complete": True, "flows_left_out": 0})

    def test_written_whole_or_not_at_all(self):
        capture = self.write("a.pcap", pcap([QUERY]))
        run = [VEDETTE, "replay", "--no-geo", "--match", "bad.example", "--out", "/dev/null", "--summary"]
        for target in ("/dev/full", self.folder / "no/such/summary.json"):
            result = subprocess.run([*run, target, capture], capture_output=True, text=True)
            self.assertEqual(result.returncode, 1, result.stderr)
            self.assertIn("--summary", result.stderr)
        old = self.write("old.json", b"old")
        self.write("old.json.part", b"").chmod(0o400)
        limited = subprocess.run(["bash", "-c", 'ulimit -f 1; trap "" XFSZ; exec "$0" "$@"', *run, old, capture], capture_output=True, text=True)
        self.assertEqual((limited.returncode, old.read_bytes()), (1, b"old"), limited.stderr)
        self.assertEqual(subprocess.run([*run, capture, capture], capture_output=True).returncode, 2)

    def test_exit_codes(self):
        hit, miss = self.write("hit.pcap", pcap([QUERY])), self.write("miss.pcap", pcap([ipv4(udp(dns_query("good.example")))]))
        damage = struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 0xFFFFFFF0)
        hit_damaged, miss_damaged = self.write("hit-damaged.pcap", hit.read_bytes() + damage), self.write("miss-damaged.pcap", miss.read_bytes() + damage)
        for capture, options, plain, with_option in (
                (miss, (), 0, 0), (hit, (), 0, 3), (miss_damaged, (), 4, 4), (hit_damaged, (), 4, 3),
                (hit, ("--out", "/dev/full"), 1, 1), (hit_damaged, ("--out", "/dev/full"), 1, 1), (hit, ("--bpf", "no such filter"), 2, 2)):
            for option, expected in (((), plain), (("--fail-on-match",), with_option)):
                with self.subTest(capture=capture.name, options=options, option=option):
                    path = self.folder / "status.json"
                    path.unlink(missing_ok=True)
                    out = () if "--out" in options else ("--out", "/dev/null")
                    result = subprocess.run([VEDETTE, "replay", "--no-geo", "--match", "bad.example", *out, "--summary", path, *options, *option, capture], capture_output=True, text=True, timeout=60)
                    self.assertEqual(result.returncode, expected, result.stderr)
                    if expected == 2:
                        self.assertFalse(path.exists())
                    else:
                        summary = json.loads(path.read_text())
                        self.assertEqual(summary["exit"]["status"], expected)
                        self.assertEqual(len(summary["damage"]), int("damaged" in capture.name))

    def test_every_member_is_documented(self):
        page = (SOURCE / "docs/summary.md").read_text()
        summary = self.replay("--carve", self.folder / "c", "--bpf", "udp or not udp", "--since", "2000-01-01", "--payload-depth", "100", PCAPS, match=INDICATORS)
        for key, value in summary.items():
            self.assertIn(f"`{key}`", page)
            inner = value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value
            if isinstance(inner, dict) and key != "figures":
                for member in inner:
                    self.assertIn(f"`{member}`", page, key)
        families = set(re.findall(r"^\| `(vedette_[a-z_0-9]+)`", (SOURCE / "docs/metrics.md").read_text(), re.M))
        self.assertLessEqual(set(summary["figures"]) | set(summary["run"]["figures"]), families)
        # The page's example is a summary.
        example = json.loads(re.search(r"```json\n(.*?)```", page, re.S).group(1))
        self.assertEqual(list(example), [key for key in summary if key in example])
        self.assertEqual(example["packets"]["received"], sum(example["packets"][part] for part in ("decoded", "not_decoded", "excluded", "dropped")))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
