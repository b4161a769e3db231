#!/usr/bin/python3
"""replay_ways.py VEDETTE PCAPS

Ways to walk captures: every file on its own and several at once (--each); as fast as it was recorded (--pace).
"""
import gzip
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

vedette, pcaps = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
COMMON = ["--no-geo", "--no-cache", "--quiet"]


def run(*arguments, expect=(0,)):
    result = subprocess.run([vedette, "replay", *COMMON, *map(str, arguments)], capture_output=True, timeout=240)
    assert result.returncode in expect, (result.returncode, result.stderr.decode())
    return result


def query(name, source_port):
    wire = b"".join(bytes([len(part)]) + part for part in name.encode().split(b".")) + b"\0"
    dns = struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + wire + struct.pack(">HH", 1, 1)
    udp = struct.pack(">4H", source_port, 53, 8 + len(dns), 0) + dns
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, bytes([192, 0, 2, 1]), bytes([192, 0, 2, 53]))
    return b"\2" * 12 + b"\x08\0" + ip + udp


def capture(packets):
    """(seconds, frame)…"""
    out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
    for when, frame in packets:
        out += struct.pack("<IIII", int(when), int(when % 1 * 1e9), len(frame), len(frame)) + frame
    return out


def each_is_one_after_the_other(folder):
    """Whatever the number of workers: the bytes of one replay per file. Flows, ids and numbers are those of that file alone."""
    files = folder / "each"
    files.mkdir()
    for number, path in enumerate(sorted(pcaps.glob("*.pcap*"))):
        shutil.copy(path, files / f"{number:03}-{path.name}")
        if number % 3 == 0:  # the same flows again, in another file and compressed
            (files / f"{number:03}-{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    whole = (pcaps / "01-dropper-download.pcap").read_bytes()
    (files / "500-cut.pcap").write_bytes(whole[:-20])
    (files / "501-empty.pcap").write_bytes(b"")
    # Long ones first: those behind them are done before.
    many = [(1_700_000_000 + i / 100, query(f"n{i}.listed.example", 1024 + i % 60000)) for i in range(30_000)]
    (files / "000-long.pcap").write_bytes(capture(many))
    for number in range(60):
        (files / f"600-{number:03}.pcap").write_bytes(capture([(1_700_000_000, query("one.listed.example", 5000))]))
    looked_for = ["--indicators", pcaps / "indicators", "--match", "listed.example"]
    one_by_one, damaged = b"", 0
    for path in sorted(files.iterdir()):
        result = run(path, *looked_for, "--workers", 1, expect=(0, 4))
        one_by_one += result.stdout
        damaged += result.returncode == 4
    assert damaged == 2 and one_by_one.count(b"\n") > 30_100, (damaged, one_by_one.count(b"\n"))
    for workers in (1, 2, 5):
        summary = folder / "summary.json"
        result = run(files, *looked_for, "--each", "--workers", workers, "--summary", summary, expect=(4,))
        assert result.stdout == one_by_one, f"--each with {workers} workers gives other bytes"
        figures = json.loads(summary.read_text())
        assert figures["alerts"] == one_by_one.count(b"\n"), figures["alerts"]
        assert len(figures["damage"]) == 2, figures["damage"]
    # As CSV there is one head.
    table = run(files, *looked_for, "--each", "--format", "csv", expect=(4,)).stdout.splitlines()
    assert len(table) == one_by_one.count(b"\n") + 1, len(table)
    # Options that apply to what is looked at do so here.
    some = [run(path, *looked_for, "--bpf", "udp port 53", "--until", "1700000010", expect=(0, 4)).stdout for path in sorted(files.iterdir())]
    assert run(files, *looked_for, "--each", "--bpf", "udp port 53", "--until", "1700000010", expect=(4,)).stdout == b"".join(some)
    # An interrupted run goes on.
    out, state = folder / "each.jsonl", folder / "each.state"
    with subprocess.Popen([vedette, "replay", *COMMON, files, *map(str, looked_for), "--each", "--out", out, "--resume", state, "--resume-every", "0.01"],
                          stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and (not out.exists() or out.stat().st_size == 0):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
    run(files, *looked_for, "--each", "--out", out, "--resume", state, expect=(4,))
    assert out.read_bytes() == one_by_one, "--each with --resume gives other bytes"


def what_does_not_go_together(folder):
    trace = folder / "few.pcap"
    trace.write_bytes(capture([(1_700_000_000, query("one.listed.example", 5000))]))
    for more in (["--each", "--carve", folder / "carved"], ["--each", "--pace"], ["--pace", "--follow"], ["--each", "--follow"], ["--pace=0"],
                 ["--pace=-1"], ["--pace=fast"], ["--pace-pause", "5"], ["--each", "--bpf", "no such filter"]):
        result = run(trace, "--match", "listed.example", *more, expect=(2,))
        assert result.stderr, more


def pace_is_that_of_the_recording(folder):
    """The same bytes as without, but each when its packet is due; a gap of a day costs what --pace-pause says."""
    begin = 1_700_000_000
    times = [0, 1, 1.5, 2, 3, 90_000, 90_001]
    trace = folder / "paced.pcap"
    trace.write_bytes(capture([(begin + at, query(f"n{i}.listed.example", 2000 + i)) for i, at in enumerate(times)]))
    plain = run(trace, "--match", "listed.example").stdout
    due = [0, 0.5, 0.75, 1, 1.5, 2.5, 3]
    for workers in (1, 3):
        with subprocess.Popen([vedette, "replay", *COMMON, trace, "--match", "listed.example", "--pace=2", "--pace-pause", "1", "--workers", str(workers)],
                              stdout=subprocess.PIPE) as process:
            lines, came = [], []
            for line in process.stdout:
                lines.append(line)
                came.append(time.monotonic())
        assert process.returncode == 0
        assert b"".join(lines) == plain, "--pace gives other bytes"
        # A loaded machine is late, never early. At the beginning and after the gap a packet waits for two that confirm its time.
        for i in (3, 4, 6):
            assert came[i] - came[2] > due[i] - due[2] - 0.25, (i, came[i] - came[2])
    # It takes as long as it should: three seconds of the recording, and the gap.
    start = time.monotonic()
    run(trace, "--match", "listed.example", "--pace=2.5", "--pace-pause", "0.5")
    assert time.monotonic() - start > 4 / 2.5
    # Nobody waits for what is not looked at.
    start = time.monotonic()
    run(trace, "--match", "listed.example", "--pace=0.001", "--since", str(begin + 90_001))
    assert time.monotonic() - start < 60


def pace_stops_when_told(folder):
    trace = folder / "slow.pcap"
    trace.write_bytes(capture([(1_700_000_000 + (i > 2) * 50 * i, query(f"n{i}.listed.example", 2000 + i)) for i in range(100)]))
    with subprocess.Popen([vedette, "replay", *COMMON, trace, "--match", "listed.example", "--pace=0.01"], stdout=subprocess.PIPE) as process:
        first = process.stdout.readline()
        told = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        process.wait(60)
    assert b"n0.listed.example" in first and rest.count(b"\n") == 2, rest.count(b"\n")
    assert process.returncode == 1, process.returncode
    assert time.monotonic() - told < 30


with tempfile.TemporaryDirectory(prefix="vedette-ways-") as name:
    place = pathlib.Path(name)
    each_is_one_after_the_other(place)
    what_does_not_go_together(place)
    pace_is_that_of_the_recording(place)
    pace_stops_when_told(place)
print("PASSED: --each gives the bytes of one replay per file; --pace those of none, when they are due")
