#!/usr/bin/python3
"""subscribe.py VEDETTE SOURCE

`vedette subscribe --out FILE` and docs/subscribe.py as programs: killed and started again, under a sensor that is killed and started
again. Every alert is in the file once, or the numbers say that it is missing.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import zmq
import zmq.auth

VEDETTE, SOURCE = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
LIMIT = 30  # seconds; no wait is longer


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, limit=LIMIT):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.01)


class Sensor:
    """Speaks the feed's format to whoever connects; starts and ends at once."""

    def __init__(self, folder, endpoint, epoch):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.curve_publickey, self.socket.curve_secretkey = zmq.auth.load_certificate(folder / "sensor.key")
        self.socket.curve_server = True
        self.socket.xpub_verboser = True
        self.socket.linger = 0
        self.epoch, self.last = epoch, 0
        for _ in range(100):
            try:
                self.socket.bind(endpoint)
                break
            except zmq.ZMQError:
                time.sleep(0.05)

    def send(self, header, body=b""):
        header = {"feed": 1, "schema": "vedette-alert/1", "epoch": self.epoch, **header}
        self.socket.send_multipart([b"a/", json.dumps(header).encode(), body])

    def heartbeat(self, event="heartbeat"):
        self.send({"event_type": event, "last": self.last, "time": "2026-11-23T10:00:10.000Z", "interval_ms": 10000, "dropped_alerts": 0, "loss": {}})

    def wait(self, joined=True):
        """Until a subscriber has come (or has gone), which is greeted."""
        while True:
            if not self.socket.poll(LIMIT * 1000):
                raise AssertionError("no subscriber came" if joined else "the subscriber did not go")
            if (self.socket.recv()[0] == 1) == joined:
                break
        if joined:
            self.heartbeat()

    def alerts(self, count, batch=3):
        while count > 0:
            size = min(batch, count)
            body = "".join(json.dumps({"epoch": self.epoch, "n": self.last + 1 + i}) + "\n" for i in range(size))
            self.send({"event_type": "alerts", "first": self.last + 1, "count": size}, body.encode())
            self.last += size
            count -= size

    def close(self):
        self.socket.close()
        self.context.term()


class Subscribe(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for who in ("sensor", "a", "other"):
            subprocess.run([VEDETTE, "keygen", self.folder / who], check=True, capture_output=True)
        self.endpoint = f"tcp://127.0.0.1:{free_port()}"
        self.file = self.folder / "alerts.jsonl"
        self.state = self.folder / "alerts.jsonl.state"
        self.sensor = None
        self.process = None

    def tearDown(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        if self.sensor is not None:
            self.sensor.close()

    def sensor_starts(self, epoch, last=0):
        self.sensor = Sensor(self.folder, self.endpoint, epoch)
        self.sensor.last = last

    def sensor_ends(self):
        self.sensor.close()
        self.sensor = None

    def start(self, *options, view="a", server="sensor", joins=True):
        self.errors = open(self.folder / "errors", "w+", encoding="utf-8")
        self.addCleanup(self.errors.close)
        self.process = subprocess.Popen([VEDETTE, "subscribe", self.endpoint, "--server-key", self.folder / f"{server}.pub", "--key", self.folder / "a.key",
                                         "--view", view, "--out", self.file, *options], stderr=self.errors)
        if joins:
            self.sensor.wait()

    def said(self):
        return (self.folder / "errors").read_text(encoding="utf-8")

    def lines(self):
        return self.file.read_bytes().split(b"\n")[:-1] if self.file.exists() else []

    def numbers(self):
        return [(alert["epoch"], alert["n"]) for alert in (json.loads(line) for line in self.lines())]

    def expect(self, count):
        until(lambda: len(self.lines()) >= count, f"{count} lines, but {len(self.lines())}")
        self.assertEqual(len(self.lines()), count)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.sensor.wait(joined=False)

    def stop(self, status):
        """Once what was sent is handled: a heartbeat is the last message."""
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(timeout=LIMIT), status, self.said())
        if self.sensor is not None:
            self.sensor.wait(joined=False)
        return self.said()

    def test_a_hole_after_a_kill_is_told_to_the_alert(self):
        self.sensor_starts(7, last=5)
        self.start()
        self.sensor.alerts(20)
        self.expect(20)
        self.kill()  # within a second of the first line: the state is older than the file
        first = self.said()
        self.assertIn("5 alerts were sent before we joined", first)
        self.assertNotIn("gap", first)
        state = json.loads(self.state.read_text())
        self.assertLess(state["last"], 25, "nothing is tested: the state was written with the last line")
        self.sensor.alerts(15)  # 26 to 40: nobody is there
        self.start()
        self.sensor.alerts(5)
        self.expect(25)
        said = self.stop(4)
        self.assertIn("continuing after alert 25 of epoch 7", said)
        self.assertIn("gap: alerts 26 to 40 of epoch 7 are missing", said)
        self.assertIn("15 alerts missing in 1 gaps", said)
        self.assertEqual(self.numbers(), [(7, n) for n in [*range(6, 26), *range(41, 46)]])
        # Nothing happened while nobody was there: nothing is told, and the gap is not told again.
        self.start()
        self.sensor.alerts(1)
        self.expect(26)
        self.assertIn("0 alerts missing in 0 gaps", self.stop(0))

    def test_a_line_that_was_cut_short_is_missing(self):
        self.sensor_starts(7)
        self.start()
        self.sensor.alerts(6)
        self.expect(6)
        self.kill()
        whole = self.file.read_bytes()
        self.file.write_bytes(whole[:-5])  # as a full disk or a crash leaves it
        for _ in range(2):  # and is counted once, also by a run that ends before anything comes
            self.start()
            self.sensor.alerts(1)
            until(lambda: b'"n": %d}\n' % self.sensor.last in self.file.read_bytes(), "the next alert")
            self.kill()
        self.start()
        self.sensor.alerts(1)
        until(lambda: b'"n": 9}\n' in self.file.read_bytes(), "the last alert")
        self.assertIn("0 alerts missing in 0 gaps", self.stop(0))
        self.assertEqual([line for line in self.lines() if line.endswith(b"}")], [line for n in (1, 2, 3, 4, 5, 7, 8, 9) for line in [b'{"epoch": 7, "n": %d}' % n]])

    def test_a_line_that_was_cut_short_is_told(self):
        self.sensor_starts(7)
        self.start()
        self.sensor.alerts(6)
        self.expect(6)
        self.kill()
        self.file.write_bytes(self.file.read_bytes()[:-5])
        self.start()
        self.sensor.alerts(1)
        until(lambda: b'"n": 7}\n' in self.file.read_bytes(), "the next alert")
        said = self.stop(4)
        self.assertIn("gap: alerts 6 to 6 of epoch 7", said)
        self.assertIn("its last line was cut short", said)

    def test_the_sensor_restarted_meanwhile(self):
        self.sensor_starts(7)
        self.start()
        self.sensor.alerts(6)
        self.expect(6)
        self.stop(0)
        self.sensor_ends()
        self.sensor_starts(9, last=3)
        self.start()
        self.sensor.alerts(2)
        self.expect(8)
        said = self.stop(4)
        self.assertIn("while we were away, epoch 7 ended: whether alerts followed its number 6 is not known", said)
        self.assertIn("gap: alerts 1 to 3 of epoch 9 are missing", said)
        self.assertIn("1 epochs ended that we did not see completely", said)
        self.assertIn("3 alerts missing in 1 gaps", said)

    def test_an_epoch_that_was_seen_whole_is_complete(self):
        self.sensor_starts(7)
        self.start()
        self.sensor.alerts(4)
        self.sensor.heartbeat("end")
        self.expect(4)
        until(lambda: json.loads(self.state.read_text())["ended"], "the end in the state")
        self.kill()
        self.sensor_ends()
        self.sensor_starts(8)
        self.start()
        self.sensor.alerts(4)
        self.expect(8)
        said = self.stop(0)
        self.assertNotIn("not known", said)

    def test_the_file_was_moved_cut_or_removed(self):
        def rotated():
            self.file.rename(self.folder / "alerts.jsonl.1")
            self.file.write_text("")

        changes = {"is gone": self.file.unlink, "is another file": rotated, "was truncated": lambda: os.truncate(self.file, 0)}
        self.sensor_starts(7)
        for number, (words, change) in enumerate(changes.items()):
            self.start()
            self.sensor.alerts(5)
            until(lambda: b'"n": %d}' % self.sensor.last in self.file.read_bytes(), "the alerts")
            self.stop(0)
            change()
            self.sensor.alerts(2)
            self.start()
            self.sensor.alerts(1)
            until(lambda: b'"n": %d}' % self.sensor.last in self.file.read_bytes(), "the next alert")
            said = self.stop(4)
            self.assertIn(f"{self.file} {words}", said)
            self.assertIn(f"continuing after alert {8 * number + 5} of epoch 7", said)
            self.assertNotIn("killed", said)
            self.assertIn("2 alerts missing in 1 gaps", said)

    def test_a_state_that_does_not_belong_here(self):
        self.sensor_starts(7)
        self.start()
        self.sensor.alerts(2)
        self.expect(2)
        self.stop(0)
        state = json.loads(self.state.read_text())
        for change, words in (({"view": "b"}, "belongs to view `b`, but this is `a`"), ({"server_key": "x" * 40}, "belongs to the sensor with the key xxxx"),
                              ({"epoch": 0}, "is damaged"), ({"epoch": "x"}, "is damaged"), (None, "not a state that this program wrote")):
            self.state.write_text(json.dumps({**state, **change}) if change is not None else '{"vedette')
            self.sensor.alerts(1)
            self.start()
            self.sensor.alerts(1)
            until(lambda: b'"n": %d}' % self.sensor.last in self.file.read_bytes(), "the next alert")
            said = self.stop(4)
            self.assertIn(words, said)
            self.assertIn("whether alerts are missing since the last run is not known", said)
            self.assertIn("0 alerts missing", said)

    def test_a_file_without_a_state(self):
        self.file.write_text('{"epoch": 1, "n": 1}\n')
        self.sensor_starts(7)
        self.start()
        self.sensor.alerts(1)
        self.expect(2)
        self.assertIn("there is no", self.stop(0))

    def test_after_its_number_it_stops_and_the_rest_is_a_hole(self):
        self.sensor_starts(7)
        self.start("--count", "4")
        self.sensor.alerts(9)
        self.assertEqual(self.process.wait(timeout=LIMIT), 0, self.said())
        self.sensor.wait(joined=False)
        self.start()
        self.sensor.alerts(1)
        self.expect(5)
        self.assertIn("gap: alerts 5 to 9 of epoch 7", self.stop(4))

    def test_one_file_has_one_writer(self):
        self.sensor_starts(7)
        self.start()
        second = subprocess.run(self.process.args, capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(second.returncode, 2, second.stderr)
        self.assertIn("another process is appending to it", second.stderr)

    def test_no_state_beside_what_is_no_file(self):
        self.sensor_starts(7)
        self.file = pathlib.Path("/dev/null")
        self.start()
        self.sensor.alerts(1)
        time.sleep(0.2)
        self.stop(0)
        self.assertFalse(pathlib.Path("/dev/null.state").exists())

    # pyzmq knocks every 100 to 200 ms. A back-off that doubles came back up to as late as the sensor had been away.
    def test_it_is_back_soon(self):
        self.sensor_starts(7)
        self.start()
        waits = []
        for epoch in (8, 9, 10):
            self.sensor_ends()
            time.sleep(2)
            self.sensor_starts(epoch)
            begin = time.monotonic()
            self.sensor.wait()
            waits.append(time.monotonic() - begin)
        print("back after", ", ".join(f"{wait:.2f} s" for wait in waits))
        self.assertLess(sorted(waits)[1], 0.7, "on a machine with other work")
        self.stop(4)

    def test_the_example_tells_of_an_epoch_without_end(self):
        self.sensor_starts(7)
        with open(self.folder / "errors", "w", encoding="utf-8") as errors, open(self.file, "wb") as out:
            command = ["/usr/bin/python3", SOURCE / "docs/subscribe.py", self.endpoint, self.folder / "sensor.pub", self.folder / "a.key", "a"]
            self.process = subprocess.Popen(command, stdout=out, stderr=errors)
        self.sensor.wait()
        self.sensor.alerts(6)
        self.expect(6)
        self.sensor_ends()
        self.sensor_starts(8, last=2)
        self.sensor.wait()
        self.sensor.alerts(1)
        self.expect(7)
        self.sensor.heartbeat("end")
        self.assertEqual(self.process.wait(timeout=LIMIT), 0)
        self.assertEqual(self.said(), "epoch 7 had no end: whether alerts came after number 6 is not known\n"
                                      "gap: alerts 1 to 2 are missing\nthe feed has ended, after alert 3\n")

    # A real publisher: a replay that waits for more packets, killed.
    def test_a_replay_that_is_killed_and_run_again(self):
        config = self.folder / "sensor.yaml"
        config.write_text(f"sensor: {{name: s}}\nfeed:\n  endpoint: {self.endpoint}\n  secret_key: sensor.key\n  partners:\n    - {{name: a, public_key: a.pub, originators: [\"*\"], max_tlp: red}}\n")
        replay = [VEDETTE, "replay", "--indicators", SOURCE / "pcaps/indicators", "--no-geo", "--publish", config, "--partner-wait", "30", "--out", "/dev/null"]
        first = subprocess.Popen([*replay, "--follow", SOURCE / "pcaps/01-dropper-download.pcap"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start(joins=False)
        until(lambda: len(self.lines()) > 0, "an alert of the first run")
        first.kill()
        first.wait()
        before = len(self.lines())
        second = subprocess.run([*replay, SOURCE / "pcaps/01-dropper-download.pcap"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=LIMIT)
        self.assertEqual(second.returncode, 0, second.stderr)
        until(lambda: "end of the feed" in self.said(), "the end of the second run")
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.process.wait(timeout=LIMIT), 4, self.said())
        whole = len((SOURCE / "pcaps/01-dropper-download.expected.jsonl").read_text().splitlines())
        self.assertEqual(len(self.lines()) - before, whole)
        self.assertRegex(self.said(), r"the previous epoch had no end: whether alerts followed its number \d+ is not known")
        self.assertIn("0 alerts missing in 0 gaps", self.said())


sys.argv[1:] = []
unittest.main()
