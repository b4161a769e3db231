#!/usr/bin/python3
"""live_recovery.py VEDETTE

A running sensor outlives what happens to its interfaces: down and up, removed and made anew, renamed, not there at the start, one of
two that flaps while the other loses nothing. It says so (log, alarm and its command, status, metrics), keeps its flows, and stays
confined. In network namespaces of its own; needs root, else status 77.
"""
import ctypes
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
import urllib.request

VEDETTE = str(pathlib.Path(sys.argv[1]).resolve())
CLONE_NEWNET = 0x40000000
PATIENCE = 30  # seconds: for what takes a moment on a machine that is not busy
METRICS = 19531


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def need_own_network():
    """Moves this process into a network of its own, or ends it as skipped, with the reason."""
    if os.geteuid() != 0:
        missing = "it needs root, for network namespaces"
    elif shutil.which("ip") is None or shutil.which("ethtool") is None:
        missing = "ip or ethtool is missing; deploy/dependencies test installs them"
    elif ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        missing = "a network namespace cannot be made here"
    elif subprocess.run(["ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"], check=False, capture_output=True).returncode != 0:
        missing = "ip cannot make a veth pair in a network namespace"
    else:
        ip("link", "del", "probe0")
        ip("link", "set", "lo", "up")
        return
    print(f"SKIPPED: a sensor whose interfaces go away is NOT tested: {missing}")
    sys.exit(77)


def cable(name):
    """A virtual cable: the sensor's end NAME and the sender's NAME-s. Nothing but what a test sends passes over it."""
    ip("link", "add", name, "type", "veth", "peer", "name", f"{name}-s")
    for end in (name, f"{name}-s"):
        ip("link", "set", end, "addrgenmode", "none")
        subprocess.run(["ethtool", "-K", end, "tx", "off", "gso", "off", "tso", "off", "gro", "off"], check=False, capture_output=True)
        ip("link", "set", end, "up")


def ipv4(protocol, body, source, target):
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0, socket.inet_aton(source), socket.inet_aton(target)) + body


def frame(packet):
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x99\x08\0" + packet


def dns(name, ident=1, source="192.0.2.1"):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = struct.pack(">HHHHHH", ident, 0x100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1)
    return frame(ipv4(17, struct.pack(">HHHH", 1024 + ident % 60000, 53, 8 + len(query), 0) + query, source, "192.0.2.53"))


class Connection:
    """Both ends of a TCP connection, as somebody beside the cable sees them."""

    def __init__(self, sender, port):
        self.sender, self.port = sender, port
        self.client, self.server = 1000, 5000
        self.segment(True, 2)
        self.client += 1
        self.segment(False, 0x12)
        self.server += 1
        self.segment(True, 0x10)

    def segment(self, from_client, flags, body=b""):
        here, there = ("192.0.2.7", "192.0.2.80") if from_client else ("192.0.2.80", "192.0.2.7")
        ports = (self.port, 80) if from_client else (80, self.port)
        seq, ack = (self.client, self.server) if from_client else (self.server, self.client)
        self.sender.send(frame(ipv4(6, struct.pack(">HHIIBBHHH", *ports, seq, ack if flags & 16 else 0, 0x50, flags, 8192, 0, 0) + body, here, there)))

    def ask(self, host):
        request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.segment(True, 0x18, request)
        self.client += len(request)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.segment(False, 0x18, answer)
        self.server += len(answer)
        self.segment(True, 0x10)


class Sender:
    def __init__(self, interface):
        self.interface, self.sent = interface, 0
        self.socket = None
        self.open()

    def open(self):
        self.close()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.socket.bind((self.interface, 0))

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, data):
        self.socket.send(data)
        self.sent += 1


class Recovery(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vedette-recovery."))
        self.folder.chmod(0o755)
        (self.folder / "state").mkdir()
        (self.folder / "state").chmod(0o777)
        self.addCleanup(shutil.rmtree, self.folder, True)
        notify = self.folder / "notify"
        notify.write_text(f"#!/bin/sh\ncat >>{self.folder}/state/notified\n")
        notify.chmod(0o755)
        (self.folder / "indicators.csv").write_text("type,value,id\ndomain,listed.example,r-1\n")
        self.sensor, self.senders, self.cables = None, [], set()

    def tearDown(self):
        self.stop(check=False)
        for sender in self.senders:
            sender.close()
        for name in self.cables:
            subprocess.run(["ip", "link", "del", f"{name}-s"], check=False, capture_output=True)

    def cable(self, name):
        cable(name)
        self.cables.add(name)

    def sender(self, interface):
        self.senders.append(Sender(f"{interface}-s"))
        return self.senders[-1]

    def config(self, *interfaces, more=""):
        (self.folder / "sensor.yaml").write_text(
            f"""sensor: {{name: recovery-test}}
capture: {{interfaces: [{", ".join(interfaces)}], user: nobody{self.capture_options()}}}
indicators: [indicators.csv]
output: state/alerts.jsonl
state: state
control: state/control.sock
canary: {{interval: off}}
hardening: {{required: {"true" if self.hardening() else "false"}}}
metrics: {{listen: "127.0.0.1:{METRICS}", log_seconds: 0}}
alarms: {{no_packets: off, command: [{self.folder}/notify]}}
{more}"""
        )

    def capture_options(self):
        return ""

    @staticmethod
    def hardening():
        """Whether this kernel has both layers: landlock_create_ruleset asked for its version."""
        return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1

    def start(self):
        with (self.folder / "sensor.log").open("ab") as log:
            # A process that gave up its rights cannot be examined for leaks on its way out.
            self.sensor = subprocess.Popen(
                [VEDETTE, "run", "--config", str(self.folder / "sensor.yaml")],
                stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        self.await_("the sensor does not run", lambda: " running; " in self.log())

    def stop(self, check=True):
        if self.sensor is None:
            return
        self.sensor.send_signal(signal.SIGINT)
        status = self.sensor.wait(PATIENCE)
        self.sensor = None
        if check:
            self.assertEqual(status, 0, self.log())

    def log(self):
        path = self.folder / "sensor.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def await_(self, what, condition, patience=PATIENCE):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if condition():
                return
            if self.sensor is not None and self.sensor.poll() is not None:
                self.fail(f"{what}; the sensor ended with status {self.sensor.returncode}:\n{self.log()}")
            time.sleep(0.05)
        self.fail(f"{what}\n{self.log()}")

    def status(self):
        result = subprocess.run([VEDETTE, "status", "--json", "--config", str(self.folder / "sensor.yaml")], capture_output=True, timeout=PATIENCE)
        return json.loads(result.stdout)

    def interface(self, name):
        return next(one for one in self.status()["interfaces"] if one["name"] == name)

    def await_state(self, name, state, sender=None):
        self.await_(f"{name} does not become {state}", lambda: self.interface(name)["state"] == state)
        # Until the other end is up as well, the kernel drops what is sent over it.
        other = sender or f"{name}-s"
        if state in ("up", "renamed"):
            self.await_(f"{other} does not come up", lambda: b"state UP" in subprocess.run(["ip", "link", "show", other], capture_output=True, check=False).stdout)

    def metrics(self):
        text = urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=PATIENCE).read().decode()
        return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))

    def received(self):
        return int(float(self.metrics()["vedette_packets_received_total"]))

    def alerts(self):
        path = self.folder / "state" / "alerts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def told(self):
        path = self.folder / "state" / "notified"
        return [(one["alarm"], one["state"]) for one in map(json.loads, path.read_text().splitlines())] if path.exists() else []

    def await_received(self, count):
        self.await_(f"{self.received()} packets received of {count}", lambda: self.received() >= count)
        self.assertEqual(self.received(), count)

    def await_alert(self, value):
        self.await_(f"no alert for {value}", lambda: any(one["indicator"]["matched_value"] == value for one in self.alerts()))

    def await_told(self, *what):
        self.await_(f"the alarm command was told {self.told()}", lambda: what in self.told())

    def assert_confined(self):
        status = pathlib.Path(f"/proc/{self.sensor.pid}/status").read_text()
        for line in ("CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, status)

    def test_down_and_up_keeps_the_flow(self):
        self.cable("ra")
        self.config("ra")
        sender = self.sender("ra")
        self.start()
        self.assert_confined()
        connection = Connection(sender, 4001)
        connection.ask("before.listed.example")
        self.await_alert("before.listed.example")
        ip("link", "set", "ra", "down")
        self.await_state("ra", "down")
        self.await_told("interface_down.ra", "raised")
        self.assertEqual(self.metrics()['vedette_interface_up{interface="ra"}'], "0")
        problems = [problem["what"] for problem in self.status()["problems"]]
        self.assertTrue(any("ip link set ra up" in problem for problem in problems), problems)
        self.assertEqual(self.status()["state"], "critical")
        time.sleep(1)
        ip("link", "set", "ra", "up")
        self.await_state("ra", "up")
        self.await_told("interface_down.ra", "cleared")
        connection.ask("after.listed.example")
        self.await_alert("after.listed.example")
        self.await_received(sender.sent)
        flows = {one["flow_id"] for one in self.alerts()}
        self.assertEqual(len(flows), 1, self.alerts())
        shown = self.interface("ra")
        self.assertGreaterEqual(shown["blind_seconds"], 1)
        self.assertEqual(len(shown["last_outages"]), 1)
        self.assertEqual(shown["last_outages"][0]["why"], "down")
        self.assertEqual(self.metrics()['vedette_interface_up{interface="ra"}'], "1")
        self.assertEqual(self.status()["state"], "ok")
        self.stop()
        self.assertEqual(self.told(), [("interface_down.ra", "raised"), ("interface_down.ra", "cleared")])

    def test_many_flaps_lose_nothing_that_was_sent_while_up(self):
        self.cable("ra")
        self.config("ra")
        sender = self.sender("ra")
        self.start()
        for number in range(10):
            for _ in range(200):
                sender.send(dns(f"n{sender.sent}.example", sender.sent))
            self.await_received(sender.sent)
            ip("link", "set", "ra", "down")
            ip("link", "set", "ra", "up")
            self.await_state("ra", "up")
            self.assertEqual(self.interface("ra")["outages"], number + 1)
        self.stop()

    def test_removed_and_made_anew(self):
        self.cable("ra")
        self.config("ra")
        sender = self.sender("ra")
        self.start()
        connection = Connection(sender, 4002)
        connection.ask("before.listed.example")
        self.await_alert("before.listed.example")
        for number in range(3):
            ip("link", "del", "ra")
            self.await_state("ra", "absent")
            self.await_told("interface_down.ra", "raised")
            cable("ra")
            sender.open()
            self.await_state("ra", "up")
            self.assert_confined()
            for _ in range(300):
                sender.send(dns(f"n{sender.sent}.example", sender.sent))
            connection.ask(f"after{number}.listed.example")
            self.await_alert(f"after{number}.listed.example")
            self.await_received(sender.sent)
        alerts = self.alerts()
        self.assertEqual(len({one["flow_id"] for one in alerts}), 1)
        self.assertEqual(sorted(one["alert_id"] for one in alerts), sorted({one["alert_id"] for one in alerts}))
        self.await_told("interface_down.ra", "cleared")
        self.stop()

    def test_renamed_and_back(self):
        self.cable("ra")
        self.config("ra")
        sender = self.sender("ra")
        self.start()
        for name in ("rb", "ra"):
            ip("link", "set", "ra" if name == "rb" else "rb", "down")
            ip("link", "set", "ra" if name == "rb" else "rb", "name", name)
            ip("link", "set", name, "up")
            self.await_state("ra", "renamed" if name == "rb" else "up")
            for _ in range(50):
                sender.send(dns(f"n{sender.sent}.example", sender.sent))
            self.await_received(sender.sent)
            if name == "rb":
                self.assertEqual(self.interface("ra")["now_called"], "rb")
                self.await_told("interface_down.ra", "raised")
                self.await_("status", lambda: self.status()["state"] == "warning")
        self.await_("the alarm is not cleared", lambda: self.told()[-1] == ("interface_down.ra", "cleared"))
        self.stop()

    def test_the_name_counts_where_another_takes_it(self):
        self.cable("ra")
        self.config("ra")
        self.start()
        ip("link", "set", "ra", "down")
        ip("link", "set", "ra", "name", "old")
        ip("link", "set", "old", "up")
        self.await_state("ra", "renamed")
        self.cable("rb")
        ip("link", "set", "rb", "down")
        ip("link", "set", "rb", "name", "ra")
        ip("link", "set", "ra", "up")
        self.await_state("ra", "up", "rb-s")
        sender = self.sender("rb")
        before = self.received()
        sender.send(dns("new.listed.example"))
        self.await_alert("new.listed.example")
        old = self.sender("ra")
        old.send(dns("old.example", 2))
        for _ in range(10):
            sender.send(dns("again.example", 3))
        self.await_received(before + 11)
        self.stop()

    def test_one_of_two_flaps_and_the_other_loses_nothing(self):
        self.cable("ra")
        self.cable("rb")
        self.config("ra", "rb")
        flapping, steady = self.sender("ra"), self.sender("rb")
        self.start()
        flaps = 5
        for number in range(flaps):
            ip("link", "set", "ra", "down") if number % 2 == 0 else ip("link", "del", "ra")
            for _ in range(1500):
                steady.send(dns(f"n{steady.sent}.example", steady.sent, "192.0.2.9"))
            if number % 2 == 0:
                ip("link", "set", "ra", "up")
            else:
                cable("ra")
                flapping.open()
            self.await_state("ra", "up")
            for _ in range(100):
                flapping.send(dns(f"n{flapping.sent}.example", flapping.sent))
        self.await_received(flapping.sent + steady.sent)
        self.assertEqual(self.interface("rb")["outages"], 0)
        self.assertEqual(self.interface("ra")["outages"], flaps)
        self.stop()

    def test_no_carrier_is_told(self):
        self.cable("ra")
        self.config("ra")
        self.start()
        ip("link", "set", "ra-s", "down")
        self.await_state("ra", "no carrier")
        self.await_told("interface_down.ra", "raised")
        ip("link", "set", "ra-s", "up")
        self.await_state("ra", "up")
        self.await_told("interface_down.ra", "cleared")
        self.stop()

    def test_an_alarm_raised_before_a_restart_is_cleared_after_it(self):
        self.cable("ra")
        self.config("ra")
        self.start()
        ip("link", "set", "ra", "down")
        self.await_told("interface_down.ra", "raised")
        self.sensor.kill()
        self.sensor.wait()
        self.sensor = None
        ip("link", "set", "ra", "up")
        (self.folder / "sensor.log").unlink()
        self.start()
        self.await_told("interface_down.ra", "cleared")
        self.stop()
        self.assertEqual(self.told(), [("interface_down.ra", "raised"), ("interface_down.ra", "cleared")])


if __name__ == "__main__":
    need_own_network()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
