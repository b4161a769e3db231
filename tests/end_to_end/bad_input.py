#!/usr/bin/python3
"""bad_input.py VEDETTE PCAPS

What people get wrong and what breaks, each with the message and the exit code it has to give: damaged captures, files that are no
captures, malformed indicators, missing and corrupt databases, a full disk, a closed pipe, an interrupted run, bad configuration.
Nothing that was found before is lost.
"""
import json
import os
import pathlib
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

    def test_file_cut_to_a_few_bytes_is_not_taken_for_what_it_begins_like(self):
        for name, head in (("a.zst", b"\x28\xb5"), ("a.gz", b"\x1f\x8b"), ("a.pcap", b"\xd4\xc3"), ("a.txt", b"ab\n")):
            cut = self.folder / name
            cut.write_bytes(head)
            result = run("observe", cut)
            self.expect(result, 2, name, f"only {len(head)} bytes long")
            self.assertNotIn("zcat", result.stderr.decode())
        shutil.copy(CAPTURE, self.folder / "b.pcap")
        result = run("observe", self.folder)
        self.assertIn("warning: passed over", result.stderr.decode())

    @unittest.skipIf(os.geteuid() == 0 and shutil.which("setpriv") is None, "root reads everything")
    def test_what_cannot_be_opened_is_not_called_damaged(self):
        folder = self.folder / "captures"
        (folder / "closed").mkdir(parents=True)
        shutil.copy(CAPTURE, folder / "a.pcap")
        shutil.copy(CAPTURE, folder / "b.pcap")
        self.folder.chmod(0o755)
        (folder / "b.pcap").chmod(0)
        (folder / "closed").chmod(0)
        program = self.folder / "vedette"
        shutil.copy(VEDETTE, program)
        program.chmod(0o755)
        other = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] if os.geteuid() == 0 else []
        result = subprocess.run([*other, str(program), "observe", str(folder)], capture_output=True, timeout=60)
        self.expect(result, 4, "b.pcap: not read: Permission denied", "closed: not read: Permission denied")
        self.assertNotIn("damaged", result.stderr.decode())
        self.assertTrue(result.stdout)

    def test_values_given_on_the_spot(self):
        def match(value, *more):
            return run("replay", "--no-geo", "--match", value, *more, CAPTURE)

        for value, kind in (("evil.example", "domain"), ("8.8.8.8", "ip"), ("evil.example/x", "url")):
            self.expect(match(value), 0, f"--match {value}: taken as {kind}")
            self.assertNotIn("taken as", match(value, "--quiet").stderr.decode())
        self.assertNotIn("taken as", match("domain:evil.example").stderr.decode())
        self.expect(match("dmain:evil.example"), 2, 'unknown type "dmain"', "domain, hostname, url", "ja3")
        self.expect(match("a" * 32), 2, "ja3:", "ja3s:")
        self.expect(match("bad..name"), 2, "a type can be put in front")
        given = match("domain:bad..name")
        self.expect(given, 2, "--match", "domain:bad..name", "empty label")
        self.assertNotIn("put in front", given.stderr.decode())
        self.expect(match("evil.example:8080/x"), 0, "url")

    def test_addresses_of_every_network_are_filtered_for(self):
        for value, advice in {
            "10.0.0.1": "for all packets of that machine: --bpf 'host 10.0.0.1'",
            "ip:10.0.0.1": "for all packets of that machine: --bpf 'host 10.0.0.1'",
            "fe80::1": "for all packets of that machine: --bpf 'host fe80::1'",
            "192.168.1.0/24": "for all packets of that network: --bpf 'net 192.168.1.0/24'",
            "cidr:10.0.0.0/8": "for all packets of that network: --bpf 'net 10.0.0.0/8'",
            "10.0.0.1:8080": "for all packets of that service: --bpf 'host 10.0.0.1 and port 8080'",
            "ip:port:[fe80::1]:80": "for all packets of that service: --bpf 'host fe80::1 and port 80'",
            "http://10.0.0.1/": "for all packets of that machine: --bpf 'host 10.0.0.1'",
        }.items():
            with self.subTest(value=value):
                self.expect(run("replay", "--no-geo", CAPTURE, "--match", value), 2, advice)

    def test_bad_filter_and_bad_time(self):
        self.expect(replay("--bpf", "host and and", CAPTURE), 2, "host and and")
        for time in ("yesterday-ish", "1795424400000", "2600-01-01", "20261123", "2026-02-31"):
            self.expect(replay("--since", time, CAPTURE), 2, "--since " + time, "1970")
        everything = replay(CAPTURE).stdout
        for time in ("0", "2026-11-23T09:00"):
            self.assertEqual(replay("--since", time, CAPTURE).stdout, everything)

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
        self.expect(run("replay", "--indicators", feed, CAPTURE), 2, "none of its 1 files")
        (feed / "b.txt").write_text("bad.example\n")
        self.expect(run("replay", "--no-geo", "--indicators", feed, CAPTURE), 0, "a.txt", "LICENSE", "1 loaded")

    def test_list_of_unusable_rows_is_whole(self):
        rows, problems = self.folder / "feed.csv", self.folder / "problems"
        rows.write_text("type,value\nip,8.8.8.8\n" + "ip,10.0.0.1\n" * 1500)
        result = run("replay", "--no-geo", "--indicators", rows, "--problems", problems, CAPTURE)
        self.expect(result, 0, "1,500 rows not used: a private or reserved address", "feed.csv:3", "all are listed in")
        self.assertEqual(len(problems.read_text().splitlines()), 1500)
        # Also of a file that gives nothing, which is an error.
        rows.write_text("N/A\nsvchost.exe\n")
        self.expect(run("replay", "--no-geo", "--indicators", rows, "--problems", problems, CAPTURE), 2, "none of its 2 lines")
        self.assertEqual(len(problems.read_text().splitlines()), 2)
        rows.write_text("type,value\nip,8.8.8.8\n" + "ip,10.0.0.1\n" * 1500)
        for unwritable in ("/dev/full", self.folder / "none" / "problems"):
            result = run("replay", "--no-geo", "--indicators", rows, "--problems", unwritable, CAPTURE)
            self.expect(result, 1, unwritable, "cannot be written", "packets")

    def test_quiet_says_nothing_of_rows(self):
        rows = self.folder / "list.txt"
        rows.write_text("bad.example\nN/A\nhttps://bad.example/a\n")
        result = run("replay", "--no-geo", "--quiet", "--indicators", rows, CAPTURE)
        self.expect(result, 0)
        self.assertEqual(result.stderr, b"")

    def test_folders_in_a_folder_of_indicators(self):
        feed = self.folder / "feed"
        (feed / "inner").mkdir(parents=True)
        (feed / "inner" / "b.txt").write_text("bad.example\n")
        (feed / "update.sh").write_text("#!/bin/sh\ncurl http://feed.example/list\n")
        self.expect(run("replay", "--no-geo", "--indicators", feed, CAPTURE), 0, "inner/b.txt: list of domain", "update.sh: passed over: a script", "1 loaded")

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

    def test_no_output_destroys_an_input_or_another_output(self):
        folder = self.folder / "case"
        (folder / "feeds").mkdir(parents=True)
        capture, feed, geo = folder / "a.pcap", folder / "feeds" / "feed.csv", folder / "geo.mmdb"
        capture.write_bytes(CAPTURE.read_bytes())
        feed.write_text("type,value\nip,8.8.8.8\n")
        geo.write_bytes(b"database")
        for name in ("sensor", "partner"):
            subprocess.run([VEDETTE, "keygen", str(folder / name)], check=True, capture_output=True)
        config = folder / "sensor.yaml"
        config.write_text("feed:\n  endpoint: tcp://127.0.0.1:*\n  secret_key: sensor.key\n  partners:\n    - {name: a, public_key: partner.pub, originators: ['*']}\n")
        hard, soft = folder / "hard", folder / "soft"
        os.link(capture, hard)
        soft.symlink_to("feeds/feed.csv")
        other = self.folder / "other.pcap"
        os.link(capture, other)

        def contents():
            return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

        before = contents()
        base = ["replay", capture, "--indicators", folder / "feeds"]
        inputs = {capture: "captures", hard: "captures", other: "captures", feed: "indicator files", soft: "indicator files", geo: "geolocation", config: "--publish",
                  folder / "sensor.key": "key", folder / "partner.pub": "key"}
        for path, what in inputs.items():
            for option in ("--out", "--problems", "--summary", "--resume"):
                with self.subTest(option=option, path=path.name):
                    more = ["--publish", config] if option != "--resume" else ["--out", self.folder / "alerts"]
                    if option == "--resume" and path.suffix in (".yaml", ".key", ".pub"):
                        continue  # --publish cannot be combined with it
                    self.expect(run(*base, "--geo", geo, *more, option, path), 2, path, what, option + " would destroy it")
                    self.assertEqual(contents(), before)
        self.expect(run("replay", folder, "--indicators", feed, "--problems", capture), 2, "captures")
        with capture.open("rb") as stdin:
            self.expect(subprocess.run([VEDETTE, "replay", "-", "--match", "8.8.8.8", "--out", str(capture)], stdin=stdin, capture_output=True, timeout=60), 2, "captures")
        for arguments in (["--out", capture, capture], ["--out", capture, folder], ["--out", hard, capture]):
            self.expect(run("observe", *arguments), 2, "is one of the captures; --out would destroy it")
        self.expect(run("subscribe", "tcp://127.0.0.1:1", "--server-key", folder / "sensor.pub", "--key", folder / "partner.key", "--view", "a", "--out", folder / "partner.key"), 2, "your key")
        new = self.folder / "new"
        pairs = [("--out", new, "--summary", new), ("--out", new, "--problems", f"{self.folder}/./new"), ("--problems", new, "--summary", new),
                 ("--out", new, "--resume", new), ("--out", f"{new}.part", "--summary", new), ("--out", f"{new}.new", "--resume", new),
                 ("--carve", self.folder / "carved", "--out", self.folder / "carved" / "index.jsonl"),
                 ("--carve", self.folder / "carved", "--summary", self.folder / "carved" / "1.pcap")]
        for pair in pairs:
            with self.subTest(pair=pair):
                self.expect(run(*base, "--no-geo", *pair), 2, "name")
                self.assertFalse(new.exists() or (self.folder / "carved").exists())
        self.assertEqual(contents(), before)
        self.expect(run(*base, "--no-geo", "--carve", folder / "feeds", "--out", new), 2, "not empty")
        self.assertFalse(new.exists())
        self.expect(run(*base, "--no-geo", "--out", "/dev/null", "--problems", "/dev/null", "--summary", "/dev/null"), 0)

    def test_observe_says_before_it_reads_that_it_cannot_write(self):
        result = run("observe", "--out", self.folder / "none" / "x", CAPTURE)
        self.expect(result, 2, "cannot be written")
        self.assertNotIn("packets", result.stderr.decode())

    def test_nothing_foreign_reaches_the_terminal_as_it_is(self):
        escape = "\x1b[31mred\u009b2J\u202e"
        folder = self.folder / f"feeds{escape}"
        folder.mkdir()
        rows = folder / f"feed{escape}.csv"
        rows.write_text(f'type,value,source,id\nip,8.8.8.8{escape},x,y\n{escape},x,,\ndomain,bad{escape}..name,x,y\ndomain,softupdate-mirror.example,source{escape},id{escape}\n')
        captures = self.folder / f"captures{escape}"
        captures.mkdir()
        (captures / f"a{escape}.pcap").write_bytes(CAPTURE.read_bytes()[:-3])
        (captures / f"notes{escape}").write_text("notes\n")
        missing = self.folder / f"none{escape}"
        problems = self.folder / "problems"
        seen = [run("replay", "--no-geo", "--indicators", folder, "--problems", problems, captures), run("replay", "--match", f"domain:{escape}", CAPTURE), run("replay", "--match", escape, CAPTURE),
                run("replay", "--indicators", missing, CAPTURE), run("replay", "--match", "8.8.8.8", missing), run("observe", missing), run("observe", captures),
                run("replay", "--match", "8.8.8.8", "--geo", missing, CAPTURE), run("replay", "--match", "8.8.8.8", "--publish", missing, CAPTURE), run("replay", "--match", "8.8.8.8", "--no-geo", "--out", missing / "x", CAPTURE),
                run("replay", "--match", "8.8.8.8", "--no-geo", "--summary", missing / "x", CAPTURE), run("replay", "--match", "8.8.8.8", "--no-geo", "--carve", missing / "x", CAPTURE),
                run("replay", "--match", "8.8.8.8", "--bpf", escape, CAPTURE), run("replay", "--match", "8.8.8.8", "--since", escape, CAPTURE),
                run("replay", "--match", "8.8.8.8", "--no-geo", "--out", missing, "--resume", self.folder / f"s{escape}", CAPTURE), run("keygen", missing / "x"),
                run("run", "--config", missing), run("canary", "--config", missing)]
        for result in [*seen, subprocess.CompletedProcess("problems", 0, b"", problems.read_bytes())]:
            for bad in (b"\x1b", "\u009b".encode(), "\u202e".encode()):
                self.assertNotIn(bad, result.stderr, result.args)
        self.assertIn("source\\x1b[31mred", seen[0].stderr.decode())
        self.assertIn("passed over", seen[0].stderr.decode())

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

    def interrupted(self, signal_, *arguments):
        """Standard input that never ends: the run lasts until it is interrupted."""
        process = subprocess.Popen([VEDETTE, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(CAPTURE.read_bytes())
        process.stdin.flush()
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        process.send_signal(signal_)
        process.wait(timeout=30)  # with its input still open: an end of it would be an end of the run
        out, errors = process.communicate(timeout=30)
        return subprocess.CompletedProcess(arguments, process.returncode, out, errors)

    def test_messages_that_nobody_takes_do_not_end_the_run(self):
        for how in ("2>/dev/full", "2>&-"):
            out, summary = self.folder / "alerts.jsonl", self.folder / "summary.json"
            command = [VEDETTE, "replay", str(CAPTURE), "--no-geo", "--indicators", INDICATORS, "--out", str(out), "--summary", str(summary)]
            result = subprocess.run(["sh", "-c", f'"$@" {how}', "sh", *command], stdout=subprocess.PIPE, timeout=60, check=False)
            self.assertEqual(result.returncode, 0, how)
            self.assertEqual(out.read_bytes(), replay(CAPTURE).stdout)
            self.assertEqual(json.loads(summary.read_text())["exit"]["status"], 0)

    def test_closed_descriptors_are_not_taken_for_anything(self):
        for how, code, words in (("<&-", 2, "standard input"), (">&-", 1, "standard output")):
            command = [VEDETTE, "replay", "-" if code == 2 else str(CAPTURE), "--no-geo", "--indicators", INDICATORS]
            result = subprocess.run(["sh", "-c", f'"$@" {how}', "sh", *command], stderr=subprocess.PIPE, timeout=60, check=False)
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertIn(words, result.stderr.decode())
            self.assertIn("Bad file descriptor", result.stderr.decode())

    def test_a_variable_that_is_not_set_is_no_value(self):
        for option in ("--indicators", "--since", "--bpf", "--summary", "--resume", "--match", "--geo"):
            self.expect(run("replay", CAPTURE, "--match", "a.example", option, ""), 2, option, "without a value")
        self.expect(run("observe", ""), 2, "without a value")

    def test_a_complete_run_answers_what_is_asked_now(self):
        state = ["--out", self.folder / "o.jsonl", "--resume", self.folder / "state"]
        self.expect(replay(*state, CAPTURE), 0)
        self.expect(replay(*state, "--fail-on-match", CAPTURE), 3, "the run is complete")
        self.expect(replay(*state, CAPTURE), 0, "the run is complete")

    def test_an_option_that_took_the_capture(self):
        self.expect(run("replay", "--match", "a.example", CAPTURE, "--no-geo"), 2, "Name captures first, or after --")
        self.expect(run("replay", "--match", "a.example", "--no-geo", "--", CAPTURE), 0)

    def test_interrupt_ends_with_the_summary_and_says_that_it_is_no_whole_run(self):
        for quiet in ([], ["--quiet"]):
            for signal_ in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(quiet=quiet, signal=signal_):
                    result = self.interrupted(signal_, "observe", *quiet, "-")
                    self.expect(result, 1, "interrupted after", "packets")
                    self.assertEqual(b"took" in result.stderr, not quiet)
                    self.assertTrue(result.stdout)
        for more in ([], ["--fail-on-match"], ["--quiet"]):
            with self.subTest(more=more):
                summary = self.folder / "summary.json"
                result = self.interrupted(signal.SIGTERM, "replay", "--no-geo", "--indicators", INDICATORS, "--summary", summary, *more, "-")
                self.expect(result, 1, "vedette: interrupted after", "what was found until then was written")
                self.assertTrue(result.stdout)
                self.assertTrue(json.loads(summary.read_text())["interrupted"])

    def test_an_interrupt_does_not_wait_for_patterns_to_be_compiled(self):
        rows = self.folder / "many.csv"
        with rows.open("w") as file:
            file.write("type,value,in,id\n")
            file.writelines(f'regex,"/[a-z]{{3,9}}n{i}[0-9a-f]{{4,12}}x",http.uri,r-{i}\n' for i in range(20_000))
        for signal_ in (signal.SIGINT, signal.SIGTERM):
            out = self.folder / "alerts.jsonl"
            process = subprocess.Popen([VEDETTE, "replay", "--no-cache", "--no-geo", "--indicators", str(rows), "--out", str(out), str(CAPTURE)],
                                       stderr=subprocess.PIPE)
            with self.assertRaises(subprocess.TimeoutExpired, msg="nothing is tested: it was compiled already"):
                process.wait(timeout=2)
            begin = time.monotonic()
            process.send_signal(signal_)
            process.communicate(timeout=120)
            self.assertLess(time.monotonic() - begin, 2)
            self.assertEqual(process.returncode, -signal_)
            self.assertFalse(out.exists())

    def test_what_is_followed_ends_by_an_interrupt(self):
        for command, codes in ((["replay", "--no-geo", "--indicators", INDICATORS], (0, 3)), (["observe"], (0,))):
            for code in codes:
                copy = self.folder / "copy.pcap"
                copy.write_bytes(CAPTURE.read_bytes())
                out = self.folder / "out"
                more = ["--fail-on-match"] if code == 3 else []
                process = subprocess.Popen([VEDETTE, *command, *more, "--follow", str(copy), "--out", str(out)], stderr=subprocess.PIPE)
                with self.assertRaises(subprocess.TimeoutExpired):
                    process.wait(timeout=1)
                process.send_signal(signal.SIGINT)
                errors = process.communicate(timeout=30)[1].decode()
                self.assertEqual(process.returncode, code, errors)
                self.assertNotIn("interrupted", errors)

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

    def test_subscriber_without_an_end(self):
        """Told to stop at the end, stopped otherwise: not complete."""
        for who in ("sensor", "me"):
            run("keygen", self.folder / who, check=True)
        subscriber = subprocess.Popen([VEDETTE, "subscribe", "tcp://127.0.0.1:1", "--server-key", self.folder / "sensor.pub", "--key", self.folder / "me.key", "--view", "me",
                                       "--until-end"], stderr=subprocess.PIPE)
        self.assertIn(b"cannot be reached yet", subscriber.stderr.readline())
        subscriber.send_signal(signal.SIGTERM)
        errors = subscriber.communicate(timeout=60)[1]
        self.assertEqual(subscriber.returncode, 4, errors)
        self.assertIn(b"stopped before the end of the feed", errors)

    def test_subscriber_that_starts_again_keeps_what_it_received(self):
        """Two replays to one file, which a crash had left within a line."""
        for who in ("sensor", "me"):
            run("keygen", self.folder / who, check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = self.folder / "feed.yaml"
        config.write_text(f"feed:\n  endpoint: tcp://127.0.0.1:{port}\n  secret_key: sensor.key\n  partners:\n"
                          "    - {name: me, public_key: me.pub, originators: ['*'], max_tlp: red}\n")
        received = self.folder / "alerts.jsonl"
        received.write_text('{"whole":1}\n{"cut sh')
        sizes = [received.stat().st_size]
        for said in (b"its last line was cut short", b"end of the feed"):
            subscriber = subprocess.Popen([VEDETTE, "subscribe", f"tcp://127.0.0.1:{port}", "--server-key", self.folder / "sensor.pub", "--key", self.folder / "me.key",
                                           "--view", "me", "--out", received, "--until-end", "--idle", "30"], stderr=subprocess.PIPE)
            self.expect(replay("--publish", config, "--partner-wait", "30", PCAPS), 0)
            errors = subscriber.communicate(timeout=60)[1]
            self.assertEqual(subscriber.returncode, 0, errors)
            self.assertIn(said, errors)
            sizes.append(received.stat().st_size)
        lines = received.read_text().splitlines()
        self.assertEqual(lines[:2], ['{"whole":1}', '{"cut sh'])
        self.assertGreater(sizes[1], sizes[0] + 1)
        self.assertEqual(sizes[2] - sizes[1], sizes[1] - sizes[0] - 1)  # the line's end
        for line in lines[2:]:
            json.loads(line)

    def test_run_without_its_interface(self):
        config = self.folder / "sensor.yaml"
        config.write_text(f"capture:\n  interface: no-such-interface\noutput: '-'\nindicators: ['{INDICATORS}']\n")
        self.expect(run("run", "--config", config), 1, "no-such-interface")


unittest.main(argv=sys.argv[:1], verbosity=1)
