#!/usr/bin/python3
"""partner_feed.py VEDETTE SOURCE

What a partner receives from `vedette replay --publish`, over the real feed, as pyzmq sees it byte by byte: nothing of it depends on
indicators that the partner may not know; it says how an alert has to be handled; and it tells what the sensor could not see.
"""
import json
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import zmq
import zmq.auth

VEDETTE, SOURCE = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve()
PCAPS = SOURCE / "pcaps"
LIMIT = 60  # seconds; no wait is longer
HEADER = "type,value,in,id,source,originator,tlp,sharing_group,recipients\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def dns_query(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)
    udp = struct.pack(">4H", 40000, 53, 8 + len(message), 0) + message
    ip = struct.pack(">2B3H2BH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([10, 1, 2, 3]), bytes([10, 1, 2, 4])) + udp
    return bytes(12) + b"\x08\x00" + ip


def pcap(frames, cut=0):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for number, frame in enumerate(frames):
        kept = frame[: len(frame) - cut]
        out += struct.pack("<4I", 1795428000 + number, 0, len(kept), len(frame)) + kept
    return out


class Feed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for who in ("sensor", "a"):
            subprocess.run([VEDETTE, "keygen", self.folder / who], check=True, capture_output=True)

    def write(self, name, data):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def publish(self, captures, indicators, *options, partner="originators: [cert-a], max_tlp: green"):
        """(lines, header of the end, the operator's alerts)"""
        port = free_port()
        config = self.write("sensor.yaml", f"sensor: {{name: site-7}}\nfeed:\n  endpoint: tcp://127.0.0.1:{port}\n  secret_key: sensor.key\n"
                            f"  partners:\n    - {{name: a, public_key: a.pub, {partner}}}\n")
        out = self.folder / "operator.jsonl"
        replay = subprocess.Popen([VEDETTE, "replay", *captures, "--indicators", *indicators, "--no-geo", "--no-cache", "--publish", config,
                                   "--partner-wait", "30", "--out", out, "--summary", self.folder / "summary.json", *options],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        context = zmq.Context()
        receiver = context.socket(zmq.SUB)
        receiver.curve_publickey, receiver.curve_secretkey = zmq.auth.load_certificate(self.folder / "a.key")
        receiver.curve_serverkey, _ = zmq.auth.load_certificate(self.folder / "sensor.pub")
        receiver.rcvtimeo = LIMIT * 1000
        receiver.linger = 0
        receiver.subscribe("a/")
        receiver.connect(f"tcp://127.0.0.1:{port}")
        lines = b""
        try:
            while True:
                _, header, body = receiver.recv_multipart()
                header = json.loads(header)
                lines += body
                if header["event_type"] == "end":
                    break
        finally:
            receiver.close()
            context.term()
            _, said = replay.communicate(timeout=LIMIT)
        self.assertEqual(replay.returncode, 0, said)
        return lines, header, [json.loads(line) for line in out.read_text().splitlines()]

    # The kind of fault: a member that depends on the whole set, so that a partner can guess rows of others and see which guess is right.
    def test_nothing_depends_on_what_a_partner_may_not_know(self):
        own = "".join([
            HEADER,
            "domain,softupdate-mirror.example,,a-1,misp,cert-a,green,,\n",
            "ip,202.12.29.80,,a-2,misp,cert-a,green,,\n",
            "content,MSIE 6.0; updater,http.user_agent,a-3,misp,cert-a,green,,\n",
            "regex,[a-z]+[.]example,tls.sni,a-4,misp,cert-a,green,,\n",
            "domain,winsvc-sync.test,,a-5,misp,cert-a,green,,\n",
            "cidr,202.0.0.0/8,,a-6,misp,cert-a,green,,\n",
            "hostname,cdn.assets-delivery.invalid,tls.sni,a-7,misp,cert-a,green,,\n",
        ])
        observed = subprocess.run([VEDETTE, "observe", PCAPS], check=True, capture_output=True, text=True).stdout
        types = {"tls.ja3": "ja3", "tls.ja3s": "ja3s", "tls.ja4": "ja4", "tls.cert.sha1": "cert.sha1", "tls.cert.sha256": "cert.sha256",
                 "http.uri": "uri", "http.url": "url", "ip": "ip", "dns.query": "hostname"}
        rows = [line.split("\t") for line in observed.splitlines()]
        others = HEADER + "".join(f'{types[name]},"{value}",,b-{number},secret,cert-b,red,,\n' for number, (name, value) in enumerate(rows)
                                  if name in types and '"' not in value and "\\" not in value)
        others += 'content,GET,payload http.xff http.uri,b-c,secret,cert-b,red,,\nregex,[0-9]+,http.xff tls.cert.name,b-r,secret,cert-b,red,,\n'
        self.assertGreaterEqual(len({line.split(",")[0] for line in others.splitlines()[1:]}), 9, others[:500])
        mine = self.write("mine/a.csv", own)
        alone, end_alone, operator_alone = self.publish([PCAPS], [mine])
        beside, end_beside, operator_beside = self.publish([PCAPS], [self.write("all/0.csv", others), mine])
        self.assertGreater(len(alone.splitlines()), 10)
        self.assertTrue(b'"tls":{' in alone, "no context of TLS is compared")
        self.assertGreater(len(operator_beside), len(operator_alone))
        self.assertEqual(alone.splitlines(), beside.splitlines())
        self.assertEqual(end_alone["loss"], end_beside["loss"])
        for line in alone.splitlines():
            self.assertEqual(json.loads(line)["sensor"].keys(), {"name", "version"})
        digests = {alert["sensor"]["indicators_digest"] for alert in operator_alone + operator_beside}
        self.assertEqual(len(digests), 2, "the operator's own output names the set")

    def test_an_alert_says_how_it_is_to_be_handled(self):
        rows = HEADER + ('domain,shared.example.net,,a-1,misp-feed-7,cert-a,green,ops-closed,"[""a"",""other-cert""]"\n'
                         "hostname,shared.example.net,,a-2,misp-feed-7,cert-a,green,,\n")
        lines, _, operator = self.publish([self.write("t.pcap", pcap([dns_query("shared.example.net")]))], [self.write("i.csv", rows)],
                                          partner="originators: [cert-a], max_tlp: green, sharing_groups: [ops-closed]")
        [alert] = [json.loads(line) for line in lines.splitlines()]
        self.assertEqual(alert["host"], "site-7")
        handling = ("originator", "sharing_group", "recipients_named")
        self.assertEqual({name: alert["indicator"].get(name) for name in handling},
                         {"originator": "cert-a", "sharing_group": "ops-closed", "recipients_named": True})
        self.assertEqual({name: alert["also"][0].get(name) for name in handling},
                         {"originator": "cert-a", "sharing_group": None, "recipients_named": None})
        self.assertNotIn(b"other-cert", lines)
        self.assertEqual(alert["alert"]["signature"], "Shared indicator: domain in dns.query, listed by misp-feed-7")
        self.assertEqual(alert["alert"]["signature_id"], 4011)
        self.assertEqual({name: operator[0]["indicator"].get(name) for name in handling},
                         {name: alert["indicator"].get(name) for name in handling})

    def test_a_replay_tells_what_it_could_not_see(self):
        whole = dns_query("mine.example.net")
        no_ip = bytes(12) + b"\x08\x00" + b"\x45"
        capture = self.write("t.pcap", pcap([whole, no_ip, no_ip]))
        cut = self.write("u.pcap", pcap([whole] * 5, cut=10))
        rows = self.write("i.csv", HEADER + "domain,mine.example.net,,a-1,misp,cert-a,green,,\n")
        for workers in ("1", "3"):
            lines, end, _ = self.publish([capture, cut], [rows], "--workers", workers)
            self.assertEqual(end["last"], len(lines.splitlines()))
            figures = json.loads((self.folder / "summary.json").read_text())["figures"]
            names = [name for name in re.findall(r"^\| `(vedette_\w+)`", (SOURCE / "docs/feed.md").read_text(), re.MULTILINE)]
            self.assertEqual(len(names), 6)
            for name in names:
                expected = figures[name]
                if isinstance(expected, dict):
                    expected = {label: count for label, count in expected.items() if count and label not in ("ether_type_other", "fragment_held")}
                if not expected:
                    self.assertNotIn(name, end["loss"])
                    continue
                self.assertEqual(end["loss"].get(name), expected, name)
            self.assertEqual(sum(end["loss"]["vedette_packets_not_decoded_total"].values()), 2)
            self.assertEqual(end["loss"]["vedette_packets_truncated_total"], 5)


sys.argv[1:] = []
unittest.main()
