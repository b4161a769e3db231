#!/usr/bin/python3
"""flow_ends.py VEDETTE CAPTURES

When a flow ends and which of its ends is the client, as a replay tells it; and that a replay that is told to stop does.
"""
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

vedette, captures = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])


def replay(*arguments):
    result = subprocess.run([vedette, "replay", *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "limits hit: none" in result.stderr, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def two_captures_in_either_order(folder):
    """The same five-tuple in 2020 and 2023: two alerts, whichever file is read first."""
    names = sorted(path.name for path in (captures / "folder-in-name-order").iterdir())
    for order in (names, names[::-1]):
        target = folder / "-".join(order)
        target.mkdir()
        for number, name in enumerate(order):
            shutil.copy(captures / "folder-in-name-order" / name, target / f"{number}.pcap")
        for workers in ("1", "2"):
            alerts = replay(target, "--match", "evil.example", "--workers", workers)
            assert len(alerts) == 2, alerts
            for alert in alerts:
                evidence = alert["evidence"]
                assert evidence["first_time"] == evidence["last_time"] == alert["timestamp"], alert


def client_of_a_flow_met_in_the_middle():
    alerts = replay(captures / "client-guessed-wrong.pcap", "--indicators", captures / "client-guessed-wrong.csv")
    assert [alert["proto"] for alert in alerts] == ["TCP", "ICMP"], alerts
    for alert in alerts:
        assert alert["flow"]["dest_ip"] == "20.1.2.3" and alert["matched_side"] == "server", alert
        assert alert["evidence"]["start_seen"] is False, alert


def stops_when_told():
    """A pipe without end."""
    frame = b"\2" * 12 + b"\x08\0" + bytes.fromhex("4500001c000100004011000001020304050607080035c3500008" "0000")
    packet = struct.pack("<IIII", 1_700_000_000, 0, len(frame), len(frame)) + frame
    with subprocess.Popen([vedette, "replay", "-", "--match", "evil.example"], stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        def write():
            try:
                process.stdin.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
                while True:
                    process.stdin.write(packet * 1000)
            except OSError:
                pass
        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        time.sleep(1)
        assert process.poll() is None, process.returncode
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=5)
        writer.join(timeout=5)
        os.set_blocking(process.stdin.fileno(), False)
        try:
            process.stdin.close()
        except OSError:
            pass


with tempfile.TemporaryDirectory() as root:
    two_captures_in_either_order(pathlib.Path(root))
client_of_a_flow_met_in_the_middle()
stops_when_told()
print("flows end, and have their clients, as they should")
