#!/usr/bin/python3
"""input.py VEDETTE PCAPS [live]

Where captures come from: compressed by the real gzip and zstd, through pipes, from tcpdump while it runs and rotates, and runs that
are killed and go on. `live`: only what needs packets on an interface, in a network namespace of its own; needs root, else status 77.
"""
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

VEDETTE, PCAPS = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
CAPTURES = sorted(p for p in PCAPS.iterdir() if p.suffix in (".pcap", ".pcapng"))
INDICATORS = str(PCAPS / "indicators")
CLONE_NEWNET = 0x40000000
SEED = int(os.environ.get("SEED", time.time_ns()))


def need_own_network():
    """Moves this process into a network of its own, or ends it as skipped, with the reason."""
    if os.geteuid() != 0:
        missing = "it needs root, for a network namespace"
    elif shutil.which("tcpdump") is None or shutil.which("ip") is None:
        missing = "tcpdump or ip is missing; deploy/dependencies test installs them"
    elif ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        missing = "a network namespace cannot be made here"
    elif subprocess.run(["ip", "link", "set", "lo", "up"], check=False).returncode != 0:
        missing = "ip cannot bring lo up in a network namespace"
    else:
        return
    print(f"SKIPPED: tcpdump's captures are NOT tested: {missing}")
    sys.exit(77)


def run(*arguments, **options):
    return subprocess.run([VEDETTE, *map(str, arguments)], capture_output=True, timeout=120, **options)


def replay(*arguments, **options):
    return run("replay", "--no-geo", "--indicators", INDICATORS, *arguments, **options)


def compress(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


COMPRESSIONS = {
    "gzip": lambda data: compress(["gzip", "-c"], data),
    "gzip members": lambda data: b"".join(compress(["gzip", "-c"], data[at : at + 700]) for at in range(0, len(data), 700)),
    "zstd": lambda data: compress(["zstd", "-q", "-c"], data),
    "zstd -19 --long=27": lambda data: compress(["zstd", "-q", "-19", "--long=27", "-c"], data),
    "zstd frames": lambda data: b"".join(compress(["zstd", "-q", "-c", "--no-check"], data[at : at + 900]) for at in range(0, len(data), 900)),
}


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def expect(self, result, code, *words):
        errors = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, code, errors)
        for word in words:
            self.assertIn(str(word), errors)


class Compressed(InFolder):
    def test_whole_folder_by_content_and_not_by_name(self):
        plain = self.folder / "plain"
        plain.mkdir()
        for capture in CAPTURES:
            shutil.copy(capture, plain)
        expected = replay("captures", cwd=self.renamed(plain, "captures"))
        self.expect(expected, 0)
        self.assertGreater(len(expected.stdout.splitlines()), 10)
        for name, how in COMPRESSIONS.items():
            packed = self.folder / name.replace(" ", "_") / "captures"
            packed.mkdir(parents=True)
            for capture in CAPTURES:
                (packed / capture.name).write_bytes(how(capture.read_bytes()))
            for workers in (1, 2, 3):
                with self.subTest(compression=name, workers=workers):
                    got = replay("--workers", workers, "captures", cwd=packed.parent)
                    self.expect(got, 0)
                    self.assertEqual(got.stdout, expected.stdout)

    def renamed(self, folder, name):
        parent = self.folder / "as"
        parent.mkdir()
        folder.rename(parent / name)
        return parent

    def test_standard_input_plain_and_compressed(self):
        for capture in CAPTURES:
            data = capture.read_bytes()
            expected = run("observe", "--quiet", capture).stdout
            self.assertTrue(expected)
            for name, how in {"plain": lambda d: d, **COMPRESSIONS}.items():
                for workers in (1, 3):
                    with self.subTest(capture=capture.name, compression=name, workers=workers):
                        got = run("observe", "--quiet", "--workers", workers, "-", input=how(data))
                        self.expect(got, 0)
                        self.assertEqual(got.stdout, expected)

    def test_damage_is_said_and_what_is_before_is_used(self):
        data = CAPTURES[0].read_bytes()
        for name, how in COMPRESSIONS.items():
            packed = how(data)
            for size in random.Random(SEED).sample(range(10, len(packed)), 8):
                path = self.folder / "cut.pcap"
                path.write_bytes(packed[:size])
                results = [run("observe", "--workers", workers, path) for workers in (1, 3)]
                with self.subTest(compression=name, size=size):
                    if "members" not in name and "frames" not in name:
                        self.expect(results[0], 4, "cut.pcap: damaged at byte")
                    self.assertIn(results[0].returncode, (0, 4))
                    self.assertEqual(results[0].stdout, results[1].stdout)
                    # The same as what the tool itself gets out of it.
                    tool = ["gzip", "-dc"] if "gzip" in name else ["zstd", "-dcq"]
                    out = subprocess.run(tool, input=packed[:size], capture_output=True, check=False).stdout
                    plain = run("observe", "-", input=out)
                    if plain.returncode in (0, 4) and len(out) >= 24:
                        for line in plain.stdout.splitlines():
                            self.assertIn(line, results[0].stdout.splitlines())

    def test_memory_does_not_grow_with_what_is_decompressed(self):
        header = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
        packet = struct.pack("<IIII", 1_700_000_000, 0, 60000, 60000) + bytes(60000)
        bomb = compress(["zstd", "-q", "-c"], header + packet * 8000)  # 480 MB
        self.assertLess(len(bomb), 500_000)
        path = self.folder / "bomb.pcap"
        path.write_bytes(bomb)
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen([VEDETTE, "observe", "--workers", "2", str(path)], stdout=subprocess.DEVNULL, stderr=errors)
            peak_kb = 0
            while process.poll() is None:
                try:
                    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                except OSError:
                    break
                peak_kb = max([peak_kb, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))])
                time.sleep(0.001)
            process.wait()
            errors.seek(0)
            text = errors.read().decode()
        self.assertEqual(process.returncode, 0, text)
        self.assertIn("8,000", text)
        self.assertGreater(peak_kb, 0)
        if "asan" not in VEDETTE and "tsan" not in VEDETTE:
            self.assertLess(peak_kb, 250 * 1024)  # the ring, seen twice, and the decompressor


class Lines:
    """A running vedette whose output is read as it comes."""

    def __init__(self, folder, *arguments, **options):
        self.out = folder / f"out{random.random()}"
        self.errors = folder / f"err{random.random()}"
        with self.out.open("wb") as out, self.errors.open("wb") as errors:
            self.process = subprocess.Popen([VEDETTE, *map(str, arguments)], stdout=out, stderr=errors, **options)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def wait(self, count, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            written = self.out.read_bytes()
            lines = written[: written.rfind(b"\n") + 1].splitlines()  # the last may be on its way
            if len(lines) >= count:
                return lines
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{len(self.out.read_bytes().splitlines())} of {count} lines; {self.errors.read_text()}")

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(timeout=60)
        return self.errors.read_text()


def query(number, name="evil.example"):
    """One DNS query from a port of its own: a flow, and so an alert."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    message = struct.pack(">HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 20000 + number))
        sender.sendto(message, ("127.0.0.1", 53))


def number_of(alert):
    return json.loads(alert)["src_port"] - 20000


class Tcpdump(InFolder):
    def setUp(self):
        super().setUp()
        # Somebody listens, else ICMP errors quote each query.
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 53))
        self.addCleanup(self.server.close)
        self.sent = 0

    def vedette(self, *arguments, **options):
        lines = Lines(self.folder, "replay", "--no-geo", "--match", "evil.example", *arguments, **options)
        self.addCleanup(lines.end)
        return lines

    def tcpdump(self, *arguments, **options):
        process = subprocess.Popen(["tcpdump", "-i", "lo", "-U", "-B", "32768", "-Z", "root", *map(str, arguments), "udp port 53"], stderr=subprocess.PIPE, **options)
        while b"listening on" not in process.stderr.readline():
            self.assertIsNone(process.poll())
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=20)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def send(self, count):
        for _ in range(count):
            query(self.sent)
            self.sent += 1

    def test_alerts_leave_while_tcpdump_still_runs(self):
        tcpdump = self.tcpdump("-w", "-", stdout=subprocess.PIPE)
        vedette = self.vedette("-", stdin=tcpdump.stdout)
        for count in (1, 2, 5):
            self.send(count)
            lines = vedette.wait(self.sent)
            self.assertEqual([number_of(line) for line in lines], list(range(self.sent)))
            self.assertIsNone(tcpdump.poll())
        tcpdump.terminate()
        tcpdump.wait(timeout=20)
        vedette.process.wait(timeout=20)
        self.assertEqual(vedette.process.returncode, 0)
        self.assertRegex(vedette.errors.read_text(), rf"received +{self.sent}\n")

    def test_growing_file_that_is_rotated(self):
        path = self.folder / "trace.pcap"
        first = self.tcpdump("-w", path)
        vedette = self.vedette("--follow", path)
        self.send(3)
        vedette.wait(3)
        path.rename(self.folder / "trace.pcap.1")
        self.send(2)
        vedette.wait(5)
        self.end(first)
        self.tcpdump("-w", path)
        self.send(4)
        lines = vedette.wait(9)
        errors = vedette.stop()
        self.assertEqual([number_of(line) for line in lines], list(range(9)))
        self.assertEqual(vedette.process.returncode, 0, errors)
        self.assertRegex(errors, r"received +9\n")
        self.assertNotIn("damaged", errors)
        self.assertNotIn("interrupted", errors)

    def test_folder_that_tcpdump_rotates_by_time(self):
        captures = self.folder / "captures"
        captures.mkdir()
        vedette = self.vedette("--follow", captures)
        tcpdump = self.tcpdump("-G", "1", "-w", captures / "%s.pcap")
        for _ in range(12):
            self.send(3)
            time.sleep(0.25)
        self.end(tcpdump)
        lines = vedette.wait(self.sent)
        errors = vedette.stop(signal.SIGTERM)
        self.assertEqual([number_of(line) for line in lines], list(range(self.sent)))
        self.assertEqual(vedette.process.returncode, 0, errors)
        self.assertGreater(len(list(captures.iterdir())), 2)
        # All together give what the folder gives afterwards, name for name.
        again = replay("--match", "evil.example", captures)
        self.assertEqual(again.stdout.count(b"evil.example"), b"".join(lines).count(b"evil.example"))

    def test_folder_that_tcpdump_rotates_by_size_and_compresses(self):
        captures = self.folder / "captures"
        captures.mkdir()
        vedette = self.vedette("--follow", captures)
        tcpdump = self.tcpdump("-C", "1", "-z", "gzip", "-w", captures / "trace.pcap")
        filler = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(filler.close)
        for _ in range(60):
            self.send(1)
            filler.sendto(bytes(60000), ("127.0.0.1", 53))
            time.sleep(0.01)
        self.end(tcpdump)
        # gzip removes a file when it is done with it.
        quiet_since = time.monotonic()
        before = []
        for _ in range(600):
            names = sorted(file.name for file in captures.iterdir())
            if names != before or any(name + ".gz" in names for name in names):
                quiet_since = time.monotonic()
            if time.monotonic() - quiet_since > 2:
                break
            before = names
            time.sleep(0.1)
        # What tcpdump lost is not in its files either.
        expected = replay("--match", "evil.example", captures)
        self.assertEqual(expected.returncode, 0)
        numbers = sorted(number_of(line) for line in expected.stdout.splitlines() if b"evil.example" in line)
        self.assertGreater(len(numbers), self.sent // 2)
        lines = vedette.wait(len(numbers))
        errors = vedette.stop()
        # gzip reads a file that has been taken already, and makes another of it: the packets come once or twice.
        self.assertEqual(sorted({number_of(line) for line in lines}), numbers, errors)


def dns_capture(first, count):
    """Queries for a listed name from `count` clients, and as many for other names: each of the former is an alert."""
    out = [struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for number in range(first, first + count):
        for name in (b"\x04evil\x07example\0", b"\x04good\x07example\0"):
            dns = struct.pack(">HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)
            udp = struct.pack(">HHHH", 1024 + number % 60000, 53, 8 + len(dns), 0) + dns
            source = bytes([193, 1 + number // 60000, 2, 3])
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0, 64, 17, 0) + source + bytes([198, 41, 0, 4]) + udp
            frame = bytes.fromhex("0200000000010200000000020800") + ip
            out.append(struct.pack("<IIII", 1_700_000_000 + number // 100, number % 1_000_000, len(frame), len(frame)) + frame)
    return b"".join(out)


class Resume(InFolder):
    NUM_FILES, QUERIES_PER_FILE = 12, 1000

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.captures = self.folder / "captures"
        self.captures.mkdir()
        ways = [lambda data: data, COMPRESSIONS["gzip"], COMPRESSIONS["zstd"]]
        for i in range(self.NUM_FILES):
            data = dns_capture(i * self.QUERIES_PER_FILE, self.QUERIES_PER_FILE)
            (self.captures / f"{i:03}.pcap").write_bytes(ways[i % 3](data))
        self.out, self.state = self.folder / "alerts", self.folder / "state"

    def command(self, *more, every="0.01"):
        return [VEDETTE, "replay", "--no-geo", "--match", "evil.example", "--out", str(self.out), "--resume", str(self.state), "--resume-every", every, *map(str, more), str(self.captures)]

    def summary(self, errors):
        return re.sub(r"(?m)^.*(took |continuing after|loaded in).*\n", "", errors.decode())

    def test_killed_at_any_time_and_gone_on_gives_the_bytes_of_one_run(self):
        for form in ("jsonl", "csv"):
            begin = time.monotonic()
            whole = run("replay", "--no-geo", "--match", "evil.example", "--format", form, self.captures)
            seconds = time.monotonic() - begin
            self.expect(whole, 0)
            self.assertGreaterEqual(len(whole.stdout.splitlines()), self.NUM_FILES * self.QUERIES_PER_FILE)
            for round_ in range(8):
                self.out.unlink(missing_ok=True)
                self.state.unlink(missing_ok=True)
                marks = []
                for attempt in range(100):
                    workers = self.random.choice((1, 2, 3))
                    process = subprocess.Popen(self.command("--format", form, "--workers", workers), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                    # Later and later, so that it comes to an end.
                    try:
                        errors = process.communicate(timeout=self.random.uniform(0, seconds * (0.3 + 0.15 * attempt)))[1]
                        break
                    except subprocess.TimeoutExpired:
                        process.send_signal(self.random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGINT)))
                        process.communicate()
                        if self.state.exists():
                            state = json.loads(self.state.read_text())
                            marks.append(state["output"]["bytes"])
                            self.assertLessEqual(marks[-1], self.out.stat().st_size if self.out.exists() else 0)
                            if state["state"] == "complete":
                                errors = None
                                break
                            if self.random.random() < 0.3 and self.out.exists():
                                with self.out.open("ab") as torn:  # as a power loss leaves it
                                    torn.write(bytes(self.random.randrange(5000)))
                with self.subTest(seed=SEED, form=form, round=round_, marks=marks):
                    if errors is not None:
                        self.assertEqual(process.returncode, 0, errors.decode())
                        self.assertEqual(self.summary(errors), self.summary(whole.stderr))
                    self.assertEqual(self.out.read_bytes(), whole.stdout)
                    self.assertEqual(json.loads(self.state.read_text())["state"], "complete")
                    self.assertEqual(marks, sorted(marks))
        result = subprocess.run(self.command("--format", "csv"), capture_output=True, timeout=60, check=False)
        self.expect(result, 0, "complete")

    def interrupted(self):
        """A state with some of the output."""
        for _ in range(200):
            process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and process.poll() is None:
                if self.state.exists() and json.loads(self.state.read_text())["output"]["bytes"] > 0:
                    break
            process.kill()
            process.wait()
            state = json.loads(self.state.read_text())
            if state["state"] == "running" and state["output"]["bytes"] > 0:
                return
            self.state.unlink()
        raise AssertionError("never caught it in the middle")

    def test_interrupted_while_it_catches_up_and_afterwards(self):
        whole = run("replay", "--no-geo", "--match", "evil.example", self.captures)
        self.interrupted()
        before, catching_up = json.loads(self.state.read_text())["output"]["bytes"], 0
        for attempt in range(60):  # later each time: the first come while it catches up, on any machine
            process = subprocess.Popen(self.command(every="3600"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            while "continuing after" not in (line := process.stderr.readline()) and line:
                pass
            time.sleep(attempt * 0.001)
            process.send_signal(signal.SIGINT)
            errors = process.communicate(timeout=60)[1]
            self.assertNotIn("begin again", errors)
            state = json.loads(self.state.read_text())
            self.assertGreaterEqual(state["output"]["bytes"], before)
            if state["state"] == "complete":
                break
            self.assertEqual(process.returncode, 1, errors)
            self.assertIn("interrupted; run the same command again", errors)
            catching_up += state["output"]["bytes"] == before
            before = state["output"]["bytes"]
        self.assertGreater(catching_up, 0)
        self.expect(subprocess.run(self.command(), capture_output=True, timeout=60, check=False), 0)
        self.assertEqual(self.out.read_bytes(), whole.stdout)

    def test_an_interrupt_leaves_a_last_state(self):
        for _ in range(50):
            self.state.unlink(missing_ok=True)
            self.out.unlink(missing_ok=True)
            process = subprocess.Popen(self.command(every="3600"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while process.poll() is None and not (self.out.exists() and self.out.stat().st_size > 100_000):
                pass
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
            state = json.loads(self.state.read_text())
            if state["state"] == "running":
                self.assertGreater(state["output"]["bytes"], 0)
                return
        self.fail("always complete before it was interrupted")

    def test_a_complete_run_has_no_figures_left(self):
        self.expect(subprocess.run(self.command(), capture_output=True, timeout=60, check=False), 0)
        summary = self.folder / "summary.json"
        self.expect(subprocess.run(self.command("--summary", summary), capture_output=True, timeout=60, check=False), 2, "complete", "--summary", "remove the state")
        self.assertFalse(summary.exists())

    def test_state_of_another_run_is_refused_with_the_reason(self):
        self.interrupted()
        kept = self.out.read_bytes(), self.state.read_bytes()

        def refused(command, *words):
            self.expect(subprocess.run(command, capture_output=True, timeout=60, check=False), 2, *words)
            self.assertEqual((self.out.read_bytes(), self.state.read_bytes()), kept)

        refused(self.command("--bpf", "tcp"), '--bpf was "" and is "tcp"')
        refused(self.command("--match", "other.example"), "indicators was")
        refused(self.command("--format", "csv"), '--format was "jsonl" and is "csv"')
        refused(self.command("--publish", "x"), "--publish")
        refused(self.command("--follow"), "--follow")
        (self.captures / "zzz.pcap").write_bytes(CAPTURES[0].read_bytes())
        refused(self.command(), "captures and now there are")
        (self.captures / "zzz.pcap").unlink()
        first = sorted(self.captures.iterdir())[0]
        os.utime(first)
        refused(self.command(), first.name)

    def test_output_that_was_changed_is_refused(self):
        self.interrupted()
        data = bytearray(self.out.read_bytes())
        data[10] ^= 1
        self.out.write_bytes(data)
        result = subprocess.run(self.command(), capture_output=True, timeout=60, check=False)
        self.expect(result, 2, "alerts: its first", "not those that the interrupted run wrote")
        self.assertEqual(self.out.read_bytes(), data)
        self.state.write_text("{")
        self.expect(subprocess.run(self.command(), capture_output=True, timeout=60, check=False), 2, "not a state")

    def test_what_cannot_be_resumed(self):
        self.expect(replay("--resume", self.state, self.captures), 2, "--out")
        self.expect(replay("--resume", self.state, "--out", self.out, "-", input=CAPTURES[0].read_bytes()), 2, "standard input")
        self.expect(replay("--resume", self.state, "--out", "/dev/null", self.captures), 2, "/dev/null", "regular file")


LIVE = sys.argv[3:] == ["live"]
if LIVE:
    need_own_network()
else:
    del Tcpdump
unittest.main(argv=[sys.argv[0], *(["Tcpdump"] if LIVE else [])], verbosity=1)
