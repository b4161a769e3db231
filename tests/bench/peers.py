"""Other programs at the same work, where they are installed: Suricata (AF_PACKET, live) and Maltrail (replay of a capture). Their
indicators are those of a list of contract 5, translated: names and addresses."""
import base64
import csv
import os
import re
import resource
import shutil
import signal
import subprocess
import time

from live import NotPossible

SURICATA_YAML = """%YAML 1.1
---
vars: {{address-groups: {{HOME_NET: any, EXTERNAL_NET: any}}, port-groups: {{HTTP_PORTS: 80}}}}
default-log-dir: {folder}
outputs:
  - eve-log: {{enabled: yes, filetype: regular, filename: eve.json, types: [alert]}}
  - stats: {{enabled: yes, filename: stats.log, interval: 1, append: no}}
stats: {{enabled: yes, interval: 1}}
af-packet:
  - {{interface: near, threads: {threads}, cluster-id: 99, cluster-type: cluster_flow, defrag: yes, use-mmap: yes, tpacket-v3: yes, ring-size: 100000}}
unix-command: {{enabled: no}}
default-rule-path: {folder}
rule-files: [list.rules]
threading: {{set-cpu-affinity: no}}
app-layer: {{protocols: {{tls: {{enabled: yes}}, http: {{enabled: yes}}, dns: {{tcp: {{enabled: yes}}, udp: {{enabled: yes}}}}, quic: {{enabled: no}}}}}}
"""
SURICATA_RULES = """alert dns any any -> any any (msg:"name"; dns.query; dataset:isset,names,type string,load names.lst; sid:1;)
alert tls any any -> any any (msg:"name"; tls.sni; dataset:isset,names,type string,load names.lst; sid:2;)
alert http any any -> any any (msg:"name"; http.host; dataset:isset,names,type string,load names.lst; sid:3;)
alert ip any any -> any any (msg:"address"; ip.dst; dataset:isset,addresses,type ip,load addresses.lst; sid:4;)
alert ip any any -> any any (msg:"address"; ip.src; dataset:isset,addresses,type ip,load addresses.lst; sid:5;)
"""


def rows(path):
    with open(path, encoding="utf8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["type"], row["value"]


class Suricata:
    """As live.Vedette, for live.highest_rate."""

    def __init__(self, lab, programs, folder, indicators, threads=1):
        if shutil.which("suricata") is None:
            raise NotPossible("suricata is not installed: not compared")
        self.name, self.lab, self.programs, self.folder, self.threads = f"Suricata, {threads} thread(s)", lab, programs, folder, threads
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/names.lst", "w", encoding="ascii") as names, open(f"{folder}/addresses.lst", "w", encoding="ascii") as addresses:
            for kind, value in rows(indicators):
                if kind == "domain":
                    names.write(base64.b64encode(value.encode()).decode() + "\n")
                elif kind == "ip":
                    addresses.write(value + "\n")
        with open(f"{folder}/list.rules", "w", encoding="ascii") as rules:
            rules.write(SURICATA_RULES)
        with open(f"{folder}/suricata.yaml", "w", encoding="ascii") as config:
            config.write(SURICATA_YAML.format(folder=folder, threads=threads))

    def start(self, **_):
        return SuricataRun(self)


class SuricataRun:
    def __init__(self, setup):
        self.folder = setup.folder
        self.process = subprocess.Popen(["ip", "netns", "exec", setup.lab.near, "suricata", "-c", f"{setup.folder}/suricata.yaml", "--af-packet=near", "-l",
                                         setup.folder, "-k", "none"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while self.process.poll() is None and time.monotonic() < deadline and not self._stats():
            time.sleep(0.2)
        if self.process.poll() is not None or not self._stats():
            self.close()
            raise NotPossible("suricata does not start with the benchmark's configuration: not compared")

    def _stats(self):
        try:
            with open(f"{self.folder}/stats.log", encoding="utf8") as file:
                text = file.read()
        except OSError:
            return {}
        return {name: int(value) for name, value in re.findall(r"^(capture\.kernel_\w+)\s*\|\s*Total\s*\|\s*(\d+)", text.rpartition("Date:")[2], re.M)}

    def counts(self):
        stats = self._stats()
        return stats.get("capture.kernel_packets", 0), stats.get("capture.kernel_drops", 0)

    def settled(self, wanted):
        deadline = time.monotonic() + 5  # its figures come once a second
        while self.counts()[0] < wanted and time.monotonic() < deadline:
            time.sleep(0.2)
        return self.counts()

    def cpu_ns(self):
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def maltrail_seconds(capture, indicators, folder):
    """CPU seconds of maltrail-sensor over a capture, with names and addresses as its own trails."""
    program = shutil.which("maltrail-sensor") or shutil.which("maltrail")
    if program is None:
        raise NotPossible("maltrail is not installed: not compared")
    os.makedirs(folder, exist_ok=True)
    trails = f"{folder}/trails.csv"
    with open(trails, "w", encoding="utf8") as out:
        for _, value in rows(indicators):
            out.write(f"{value},bench,(static)\n")
    with open(f"{folder}/maltrail.conf", "w", encoding="ascii") as config:
        config.write(f"LOG_DIR {folder}\nPROCESS_COUNT 1\nUSE_FEED_UPDATES false\nTRAILS_FILE {trails}\nDISABLE_CHECK_SUDO true\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([program, "-c", f"{folder}/maltrail.conf", "-i", capture, "--no-updates"], capture_output=True, check=False, timeout=3600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise NotPossible("maltrail does not run with the benchmark's configuration: not compared")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
