"""Live measurements of the benchmark: a veth pair between two network namespaces of its own; bench_sender at one end, the sensor
at the other. Nothing leaves the machine. Needs root."""
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

STAMP = re.compile(rb'"matched_value":"([0-9a-f]{16})\.stamp\.bench-traffic\.com"')
SETTLE_S = 0.4          # without a change in what the sensor received: all has come
LOSS_FREE_STEPS = 6     # halvings in the search for the highest rate without loss


class NotPossible(Exception):
    """Why something cannot be measured here."""


def call(*words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


class Lab:
    """Two namespaces, joined by interfaces `near` and `far`."""

    def __init__(self):
        if os.geteuid() != 0:
            raise NotPossible("live capture needs root, for network namespaces")
        if shutil.which("ip") is None:
            raise NotPossible("`ip` (iproute2) is missing")
        self.near, self.far = f"vb-near-{os.getpid()}", f"vb-far-{os.getpid()}"
        try:
            for name in (self.near, self.far):
                call("ip", "netns", "add", name)
                call("ip", "netns", "exec", name, "sh", "-c", "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 1 >$f; done")
            call("ip", "-n", self.near, "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", self.far)
            for name, device in ((self.near, "near"), (self.far, "far")):
                call("ip", "-n", name, "link", "set", "lo", "up")
                call("ip", "-n", name, "link", "set", device, "up")
        except subprocess.CalledProcessError as error:
            self.close()
            raise NotPossible(f"network namespaces cannot be used here: {error.stderr.strip()}") from error

    def close(self):
        for name in (self.near, self.far):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def send(self, sender, seconds, rate=0, stamps=0, traffic=()):
        words = ["ip", "netns", "exec", self.far, sender, "far", "--rate", str(rate), "--seconds", str(seconds),
                 "--stamps", str(stamps), *traffic]
        return json.loads(call(*words))


class Sensor:
    """A running `vedette run` at the lab's near end."""

    def __init__(self, lab, vedette, folder, indicators, capture, read_alerts=False):
        self.vedette, self.folder = vedette, folder
        state = os.path.join(folder, "state")
        os.makedirs(state, exist_ok=True)
        os.chmod(state, 0o777)
        os.chmod(folder, 0o755)
        self.config = os.path.join(folder, "sensor.yaml")
        with open(os.path.join(folder, "stamp.csv"), "w", encoding="ascii") as out:
            out.write("type,value,id\ndomain,stamp.bench-traffic.com,stamp\n")
        output = "output: '-'" if read_alerts else "output: state/alerts.jsonl"
        with open(self.config, "w", encoding="utf8") as out:
            out.write("sensor: {name: bench}\n"
                      f"capture: {{interface: near, user: nobody{capture}}}\n"
                      f"indicators: [{indicators}, stamp.csv]\n{output}\ncontrol: state/control.sock\ncanary: {{interval: off}}\n"
                      f"metrics: {{listen: off}}\n")
        self.log = open(os.path.join(folder, "sensor.log"), "w+b")
        self.started_ns = time.time_ns()
        self.process = subprocess.Popen(["ip", "netns", "exec", lab.near, vedette, "run", "--config", self.config],
                                        stdout=subprocess.PIPE if read_alerts else subprocess.DEVNULL, stderr=self.log)
        self.stamps = []  # (sent ns, read ns)
        self.reader = None
        if read_alerts:
            self.reader = threading.Thread(target=self._read)
            self.reader.start()

    def wait(self):
        """Until it captures; the seconds since its start."""
        while self.process.poll() is None and time.time_ns() - self.started_ns < 120e9:
            if b" running; " in self._said():
                return (time.time_ns() - self.started_ns) / 1e9
            time.sleep(0.005)
        said = self._said().decode("utf8", "replace").strip().splitlines()
        raise NotPossible("the sensor does not start: " + (said[-1] if said else "it says nothing"))

    def _said(self):
        with open(self.log.name, "rb") as log:
            return log.read()

    def _read(self):
        for line in self.process.stdout:
            now = time.time_ns()
            found = STAMP.search(line)
            if found:
                self.stamps.append((int(found[1], 16), now))

    def counts(self):
        """Packets received, and lost, since its start."""
        # Its exit status tells of alarms, which losses raise.
        words = [self.vedette, "status", "--json", "--config", self.config]
        figures = json.loads(subprocess.run(words, check=False, capture_output=True, text=True).stdout)["figures"]
        return (int(figures["vedette_packets_received_total"]), int(sum(figures["vedette_packets_dropped_total"].values())))

    def settled(self, wanted):
        """The counts once `wanted` packets have come, or no more do."""
        last, since = self.counts(), time.monotonic()
        while last[0] < wanted and time.monotonic() - since < SETTLE_S:
            time.sleep(0.1)
            now = self.counts()
            if now != last:
                last, since = now, time.monotonic()
        return last

    def cpu_ns(self):
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def memory_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.reader is not None:
            self.reader.join()
        self.log.close()


class Vedette:
    """What is measured of one way to capture."""

    def __init__(self, name, capture, lab, programs, folder, indicators):
        self.name, self.capture, self.lab, self.programs = name, capture, lab, programs
        self.folder, self.indicators = folder, indicators

    def start(self, **options):
        sensor = Sensor(self.lab, self.programs["vedette"], self.folder, self.indicators, self.capture, **options)
        try:
            sensor.wait()
        except NotPossible:
            sensor.close()
            raise
        return sensor


def trial(contender, sensor, rate, seconds, traffic):
    """Sends for some seconds; what became of the packets."""
    received, lost = sensor.counts()
    cpu = sensor.cpu_ns()
    sent = contender.lab.send(contender.programs["bench_sender"], seconds, rate=rate, traffic=traffic)
    after = sensor.settled(received + sent["sent"])
    spent = sensor.cpu_ns() - cpu
    out = {"sent": sent["sent"], "rate": sent["rate"], "received": after[0] - received, "lost": after[1] - lost,
           "cpu ns": spent / max(1, after[0] - received - (after[1] - lost))}
    out["unaccounted"] = out["sent"] - out["received"]
    return out


def highest_rate(contender, seconds, traffic, steps=LOSS_FREE_STEPS):
    """By bisection: the highest rate at which nothing was lost, and whether the sender was the limit."""
    sensor = contender.start()
    try:
        best = trial(contender, sensor, 0, seconds, traffic)
        by_sender = best["lost"] == 0 and best["unaccounted"] == 0
        low, high, unaccounted = 0.0, best["rate"], best["unaccounted"]
        found = best if by_sender else None
        for _ in range(0 if by_sender else steps):
            middle = (low + high) / 2
            one = trial(contender, sensor, middle, seconds, traffic)
            unaccounted += one["unaccounted"]
            if one["lost"] == 0 and one["unaccounted"] == 0:
                low, found = one["rate"], one
            else:
                high = middle
        return {"rate": found["rate"] if found else 0.0, "by_sender": by_sender, "unaccounted": unaccounted,
                "cpu ns": found["cpu ns"] if found else 0.0}
    finally:
        sensor.close()


def at_rate(contender, rate, seconds, traffic):
    """CPU time of the sensor per packet, what was lost, and how its memory grew."""
    sensor = contender.start()
    try:
        trial(contender, sensor, rate, min(1, seconds), traffic)  # warm
        memory = sensor.memory_bytes()
        out = trial(contender, sensor, rate, seconds, traffic)
        out["memory grew MB"] = (sensor.memory_bytes() - memory) / 1e6
        return out
    finally:
        sensor.close()


def latency(contender, rate, seconds, traffic, stamps=200):
    """From the sender's stamp to the alert on the sensor's standard output, seconds: median, 99 %, and how many of the stamps came."""
    sensor = contender.start(read_alerts=True)
    try:
        sent = contender.lab.send(contender.programs["bench_sender"], seconds, rate=rate, stamps=stamps, traffic=traffic)
        sensor.settled(sent["sent"])
        time.sleep(0.5)
    finally:
        sensor.close()
    waited = sorted((read - stamp) / 1e9 for stamp, read in sensor.stamps)
    if not waited:
        raise NotPossible("no stamp came back as an alert")
    return {"p50 ms": waited[len(waited) // 2] * 1e3, "p99 ms": waited[int(len(waited) * 0.99)] * 1e3,
            "stamps": sent["stamps"], "arrived": len(waited)}


def start_to_capture(contender, traffic):
    """Seconds from the start of the process to the first packet that it captured, and to its word that it runs. The second start of two,
    so that caches are warm."""
    for _ in range(2):
        sending = subprocess.Popen(["ip", "netns", "exec", contender.lab.far, contender.programs["bench_sender"], "far", "--rate", "2000",
                                    "--stamps", "1000", "--seconds", "8", *traffic], stdout=subprocess.DEVNULL)
        sensor = Sensor(contender.lab, contender.programs["vedette"], contender.folder, contender.indicators, contender.capture, read_alerts=True)
        try:
            said = sensor.wait()
            time.sleep(1)
        finally:
            sensor.close()
            sending.terminate()
            sending.wait()
    if not sensor.stamps:
        raise NotPossible("no stamp came back as an alert")
    return {"first packet s": (min(stamp for stamp, _ in sensor.stamps) - sensor.started_ns) / 1e9, "says so s": said}
