#!/usr/bin/python3
"""faults.py VEDETTE SOURCE

What is right of the captures in tests/data/faults, with any number of workers: what a stranger, or a broken sender, put in does
not hide what the ends accepted, values are those of the request's target, and what is complete before a cut is a value.
"""
import json
import pathlib
import subprocess
import sys

vedette, faults = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve() / "tests/data/faults"

CERTIFICATE_SHA1 = "83f7f58dd486f34526f1ee3362350797f22aef1c"
REQUESTS = {f"http.uri\t/e{number:03}" for number in range(20)} | {"http.host\tevil.example"}
# What has to be seen, and the kinds of which nothing else may be.
RIGHT = {
    "streams/base.pcap": (REQUESTS, ["http.uri", "http.host"]),
    "streams/syn.pcap": (REQUESTS, ["http.uri", "http.host"]),
    "streams/ahead.pcap": (REQUESTS, ["http.uri", "http.host"]),
    "traffic/ack-padding-as-payload.pcap": (
        {"tls.sni\tackpad.example", "tls.sni\tmid.example", "http.host\tfirst.example", "http.host\tsecond.example",
         "http.uri\t/", "http.uri\t/evil", f"tls.cert.sha1\t{CERTIFICATE_SHA1}"},
        ["tls.sni", "http.host", "http.uri", "tls.cert.sha1"]),
    "traffic/synack-other-sequence.pcap": (
        {"tls.sni\tsynack.example", "http.host\tsynack.example", f"tls.cert.sha1\t{CERTIFICATE_SHA1}"},
        ["tls.sni", "http.host", "tls.cert.sha1"]),
    "traffic/clienthello-second-segment-lost.pcap": ({"tls.sni\tpqlost.example"}, ["tls.sni", "tls.ja3", "tls.ja4"]),
    "traffic/request-target-authority.pcap": (
        {"http.host\tevil1.example", "http.host\tevil2.example", "http.host\tsame.example", "http.host\t20.1.2.3",
         "http.uri\t/a/gate.php?x=1"}, ["http.host"]),
    "traffic/request-without-host.pcap": (
        {"http.url\thttp://20.1.2.3/x.sh", "http.url\thttp://20.1.2.3/y.sh", "http.url\thttp://20.1.2.3:8080/z.sh"}, ["http.url"]),
    "traffic/xff-address.pcap": ({"http.xff\t20.1.2.3", "http.xff\t10.0.0.1"}, ["http.xff"]),
}
# These have to be seen too, whatever their value.
PRESENT = {
    "traffic/ack-padding-as-payload.pcap": ["tls.ja3", "tls.ja3s", "tls.ja4"],
    "traffic/synack-other-sequence.pcap": ["tls.ja3", "tls.ja3s", "tls.ja4"],
}
# The rows of NAME.csv that are hit (value, place), and the figures that standard error has to show.
HITS = {
    "traffic/request-target-authority": {
        ("evil1.example", "http.host"), ("evil2.example", "http.host"), ("/a/gate.php?x=1", "http.uri"),
        ("^/a/gate\\.php$", "http.uri"), ("20.1.2.3", "http.host")},
    "traffic/request-without-host": {
        ("http://20.1.2.3/x.sh", "http.url"), ("http://20.1.2.3/y.sh", "http.url"), ("http://20.1.2.3:8080/z.sh", "http.url")},
    "traffic/xff-address": {("20.1.2.3", "http.xff")},
}
RULES = {"traffic/xff-address": {"address-behind-proxy"}, "traffic/request-target-authority": {"request-through-proxy"}}
FIGURES = {"traffic/vxlan-leaves-no-trace.pcap": "not looked into: vxlan 1"}
PATTERNS = {"streams/base.pcap": ["content:GET /e003"],
            "traffic/synack-other-sequence.pcap": ["content:EVIL-FIRST", "content:EVIL-LATER"]}


def run(*arguments):
    result = subprocess.run([vedette, *arguments], capture_output=True, text=True, timeout=60, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))}: status {result.returncode}\n{result.stderr}")
    return result.stdout.splitlines()


wrong = []
for name, (right, complete) in RIGHT.items():
    for workers in ("1", "3"):
        seen = set(run("observe", "--quiet", "--workers", workers, faults / name))
        kinds = {line.split("\t")[0] for line in seen}
        extra = {line for line in seen if line.split("\t")[0] in complete} - right
        for what, lines in (("not seen", right - seen), ("seen, and is in no stream", extra),
                            ("no value of", set(PRESENT.get(name, [])) - kinds)):
            if lines:
                wrong.append(f"{name}, {workers} workers: {what}: {', '.join(sorted(lines))}")
for name, patterns in PATTERNS.items():
    match = [word for pattern in patterns for word in ("--match", pattern)]
    alerts = [json.loads(line) for line in run("replay", "--quiet", "--no-geo", *match, faults / name)]
    found = {"content:" + alert["indicator"]["value"].lower() for alert in alerts}
    if found != {pattern.lower() for pattern in patterns}:
        wrong.append(f"{name}: found {sorted(found)} instead of {patterns}")
for name, right in HITS.items():
    alerts = [json.loads(line) for line in run("replay", "--quiet", "--no-geo", "--indicators", faults / f"{name}.csv",
                                               faults / f"{name}.pcap")]
    found = {(alert["indicator"]["value"], alert["indicator"]["matched_in"]) for alert in alerts}
    if found != right:
        wrong.append(f"{name}: hit {sorted(found)} instead of {sorted(right)}")
    rules = {alert["roles"]["rule"] for alert in alerts}
    if rules != RULES.get(name, rules):
        wrong.append(f"{name}: rules {sorted(rules)}")
for name, line in FIGURES.items():
    result = subprocess.run([vedette, "observe", faults / name], capture_output=True, text=True, timeout=60, check=False)
    if line not in {" ".join(shown.split()) for shown in result.stderr.splitlines()}:
        wrong.append(f"{name}: no line {line!r} in\n{result.stderr}")
if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(RIGHT)} captures as they should be")
