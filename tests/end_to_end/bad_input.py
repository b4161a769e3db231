#!/usr/bin/python3
"""bad_input.py VEDETTE PCAPS

What people get wrong and what breaks, each with the message and the exit code it has to give: damaged captures, files that are no
captures, malformed indicators, missing and corrupt databases, a full disk, a closed pipe, an interrupted run, bad configuration.
Nothing that was found before is lost.
"""
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

VEDETTE, PCAPS = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
CAPTURE = next(p for p in sorted(PCAPS.glob("*.pcap")) if p.with_suffix(".expected.jsonl").stat().st_size > 0)
INDICATORS = str(PCAPS / "indicators")


def run(*arguments, **options):
    return subprocess.run([VEDETTE, *map(str, arguments)], capture_output=True, timeout=60, **options)


def replay(*arguments, **options):
    return run("replay", "--no-geo", "--indicators", INDICATORS, *arguments, **options)


class BadInput(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def expect(self, result, code, *words):
        errors = result.stderr.decode(errors="replace")
        self.assertEqual(result.returncode, code, errors)
        for word in words:
            self.assertIn(str(word), errors)

    def test_damaged_capture_is_used_up_to_the_damage(self):
        whole = CAPTURE.read_bytes()
        damaged = self.folder / "damaged.pcap"
        damaged.write_bytes(whole + struct.pack("<IIII", 0, 0, 0xFFFFFFF0, 0xFFFFFFF0) + b"rest")
        result = replay(damaged)
        self.expect(result, 4, "damaged.pcap", f"byte {len(whole)}")
        self.assertEqual(len(result.stdout.splitlines()), len(replay(CAPTURE).stdout.splitlines()))

    def test_capture_cut_in_its_last_packet(self):
        cut = self.folder / "cut.pcap"
        cut.write_bytes(CAPTURE.read_bytes()[:-3])
        result = replay(cut)
        self.expect(result, 4, "cut.pcap")

    def test_file_that_is_no_capture(self):
        text = self.folder / "notes.txt"
        text.write_text("these are notes\n")
        self.expect(replay(text), 2, "notes.txt")
        self.expect(replay(self.folder / "missing.pcap"), 2, "missing.pcap")

    def test_bad_filter_and_bad_time(self):
        self.expect(replay("--bpf", "host and and", CAPTURE), 2, "host and and")
        self.expect(replay("--since", "yesterday-ish", CAPTURE), 2, "yesterday-ish", "2026-")

    def test_times_that_leave_nothing(self):
        result = replay("--since", "2027-01-01", "--until", "2026-01-01", CAPTURE)
        self.expect(result, 2, "--since 2027-01-01", "--until 2026-01-01")

    def test_times_beyond_the_clock_are_not_excluded(self):
        far = self.folder / "far.pcapng"
        section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
        packet = bytes.fromhex("020000000002020000000001080045000014000000004006000008080808c1000201")
        body = packet + bytes(-len(packet) % 4)
        total = 32 + len(body)
        block = struct.pack("<IIIIIII", 6, total, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(packet), len(packet)) + body + struct.pack("<I", total)
        far.write_bytes(section + interface + block)
        result = run("observe", far)
        self.expect(result, 0, "received")
        self.assertNotIn("excluded", result.stderr.decode())

    def test_nothing_to_look_for(self):
        self.expect(run("replay", CAPTURE), 2, "--indicators")

    def test_indicator_rows_that_cannot_be_used_are_named(self):
        rows = self.folder / "feed.csv"
        rows.write_text("type,value\nip,10.0.0.1\ndomain,bad..name\nunknown,x\nip,8.8.8.8\ncontent,ab\n")
        result = run("replay", "--no-geo", "--indicators", rows, CAPTURE)
        self.expect(result, 0, "feed.csv:2", "feed.csv:3", "feed.csv:4", "feed.csv:6")

    def test_indicator_file_missing_or_binary(self):
        self.expect(run("replay", "--indicators", self.folder / "none.csv", CAPTURE), 2, "none.csv")
        binary = self.folder / "binary.csv"
        binary.write_bytes(bytes(range(256)) * 20)
        self.expect(run("replay", "--indicators", binary, CAPTURE), 2, "binary.csv")

    def test_folder_of_indicators_with_other_files_in_it(self):
        feed = self.folder / "feed"
        feed.mkdir()
        (feed / "a.txt").write_text("# nothing yet\n")
        (feed / "LICENSE").write_text("Permission is hereby granted, free of charge\n")
        self.expect(run("replay", "--indicators", feed, CAPTURE), 2, "none of its 2 files")
        (feed / "b.txt").write_text("bad.example\n")
        self.expect(run("replay", "--no-geo", "--indicators", feed, CAPTURE), 0, "a.txt", "LICENSE", "1 loaded")

    def test_list_of_unusable_rows_is_whole(self):
        rows, problems = self.folder / "feed.csv", self.folder / "problems"
        rows.write_text("type,value\nip,8.8.8.8\n" + "ip,10.0.0.1\n" * 1500)
        result = run("replay", "--no-geo", "--indicators", rows, "--problems", problems, CAPTURE)
        self.expect(result, 0, "1,480 more rows")
        self.assertEqual(len(problems.read_text().splitlines()), 1500)

    def test_missing_and_corrupt_databases(self):
        missing = self.folder / "none.mmdb"
        self.expect(run("replay", "--indicators", INDICATORS, "--geo", missing, CAPTURE), 2, "none.mmdb")
        corrupt = self.folder / "corrupt.mmdb"
        corrupt.write_bytes(b"\x00" * 4096)
        self.expect(run("replay", "--indicators", INDICATORS, "--geo", corrupt, CAPTURE), 2, "corrupt.mmdb")

    def test_output_over_a_capture_is_refused(self):
        copy = self.folder / "copy.pcap"
        copy.write_bytes(CAPTURE.read_bytes())
        self.expect(replay("--out", copy, copy), 2, "copy.pcap")
        self.assertEqual(copy.read_bytes(), CAPTURE.read_bytes())

    def test_full_disk(self):
        result = replay("--out", "/dev/full", CAPTURE)
        self.expect(result, 1, "/dev/full", "No space left")

    def test_full_disk_keeps_what_was_written(self):
        # A file size limit stands for the disk that fills up in the middle of a run.
        out = self.folder / "alerts.jsonl"
        result = subprocess.run(
            ["bash", "-c", 'ulimit -f 4; trap "" XFSZ; exec "$0" "$@"', VEDETTE, "replay", "--no-geo", "--indicators", INDICATORS, "--out", str(out), str(PCAPS)],
            capture_output=True, timeout=60)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(b"alerts.jsonl", result.stderr)
        lines = out.read_bytes().splitlines(keepends=True)
        self.assertGreater(len(lines), 0)
        for line in lines:
            self.assertTrue(line.endswith(b"\n"))
            json.loads(line)

    def test_closed_pipe(self):
        read, write = os.pipe()
        os.close(read)
        result = subprocess.run([VEDETTE, "replay", "--no-geo", "--indicators", INDICATORS, str(CAPTURE)], stdout=write, stderr=subprocess.PIPE, timeout=60)
        os.close(write)
        self.expect(result, 1, "standard output", "packets")

    def test_interrupt_ends_with_the_summary(self):
        # Standard input that never ends: the run lasts until it is interrupted.
        process = subprocess.Popen([VEDETTE, "observe", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(CAPTURE.read_bytes())
        process.stdin.flush()
        try:
            process.wait(timeout=1)
            self.fail("ended by itself")
        except subprocess.TimeoutExpired:
            pass
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=30)[1].decode()
        self.assertIn("packets", errors)
        self.assertIn("took", errors)

    def test_unknown_option_and_unknown_key(self):
        self.expect(run("replay", "--indicatros", INDICATORS, CAPTURE), 2)
        config = self.folder / "sensor.yaml"
        config.write_text("sensor:\n  name: x\nfeeed:\n  endpoint: tcp://127.0.0.1:*\n")
        self.expect(replay("--publish", config, CAPTURE), 2, "sensor.yaml:3", "feeed", "feed")

    def test_secret_key_that_others_can_read(self):
        subprocess.run([VEDETTE, "keygen", str(self.folder / "sensor")], check=True, capture_output=True)
        key = self.folder / "sensor.key"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)
        key.chmod(0o644)
        config = self.folder / "sensor.yaml"
        config.write_text("feed:\n  endpoint: tcp://127.0.0.1:*\n  secret_key: sensor.key\n  partners:\n    - {name: a, public_key: sensor.pub, originators: ['*']}\n")
        self.expect(replay("--publish", config, CAPTURE), 2, "sensor.key", "chmod")
        again = run("keygen", self.folder / "sensor")
        self.expect(again, 1, "sensor")

    def test_subscriber_without_a_server(self):
        subprocess.run([VEDETTE, "keygen", str(self.folder / "partner")], check=True, capture_output=True)
        result = run("subscribe", "tcp://127.0.0.1:1", "--server-key", self.folder / "partner.pub", "--key", self.folder / "partner.key", "--view", "cert-alpha", "--idle", "1")
        self.assertNotEqual(result.returncode, 0)

    def test_run_without_its_interface(self):
        config = self.folder / "sensor.yaml"
        config.write_text(f"capture:\n  interface: no-such-interface\noutput: '-'\nindicators: ['{INDICATORS}']\n")
        self.expect(run("run", "--config", config), 1, "no-such-interface")


unittest.main(argv=sys.argv[:1], verbosity=1)
