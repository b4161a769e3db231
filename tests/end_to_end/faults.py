#!/usr/bin/python3
"""faults.py VEDETTE SOURCE

What is right of the captures in tests/data/faults, with any number of workers: what a stranger, or a broken sender, put in does
not hide what the ends accepted, values are those of the request's target, and what is complete before a cut is a value.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

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

# Alerts of each list with its capture: the rows that hit, by line. The others are refused, and named by --problems.
LISTS = {
    "lists/I01-iprep-cidr.txt": (set(), {2, 3, 4}),
    "lists/I01b-acl-cidr.txt": ({1, 2, 3, 4, 5}, {6, 7, 8, 9}),
    "lists/I02-ranges.txt": ({2, 3, 4, 5}, {6, 7}),
    "lists/I03-dash-range-as-name.txt": ({1}, {2, 3}),
    "lists/I04-url-table-with-a-comma.txt": (set(), {1, 2, 3}),
    "lists/I06-not-urls.txt": (set(), {1, 2, 3, 4, 5, 6}),
    "lists/I07-host-only-url.txt": ({2}, set()),
    "lists/I09-never-expires.csv": ({2, 3}, set()),
    "lists/I11-dot-segments.txt": ({1}, set()),
    "traffic/defanged-dead-rows.txt": ({1, 2, 3, 5, 8}, {4, 6, 7, 9}),
}


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
for name, (hit, refused) in LISTS.items():
    with tempfile.TemporaryDirectory() as folder:
        problems = pathlib.Path(folder) / "problems"
        result = subprocess.run([vedette, "replay", "--quiet", "--no-geo", "--indicators", faults / name, "--problems", problems,
                                 (faults / name).with_suffix(".pcap")], capture_output=True, text=True, timeout=60, check=False)
        found = {int(json.loads(line)["indicator"]["id"].rsplit(":", 1)[1]) for line in result.stdout.splitlines()}
        listed = {int(line[len(f"{faults / name}:"):].split(":", 1)[0]) for line in problems.read_text().splitlines()}
        if (found & set(range(10)), listed, result.returncode) != (hit, refused, 0 if hit else 2):
            wrong.append(f"{name}: lines {sorted(found)} hit, {sorted(listed)} are refused, status {result.returncode}: {result.stderr}")
if wrong:
    sys.exit("\n".join(wrong))
print(f"{len(RIGHT)} captures and {len(LISTS)} lists as they should be")
