"""What carve.py and tests/corpus/run_carve share: whether a carved flow shows what the whole capture showed of it."""
import collections
import json
import pathlib
import re
import subprocess

# The place in the capture, and what is made of it.
AFTER_PCAP = "2106-02-07T06:28:16"
PLACE = ("flow_id", "pcap_filename", "pcap_cnt", "alert_id")


def read(path):
    with open(path, encoding="utf8") as file:
        return [json.loads(line) for line in file]


def packets_by_libpcap(path, expression=""):
    """How many packets libpcap reads, by its own tcpdump."""
    command = ["tcpdump", "--count", "-nr", str(path), *([expression] if expression else [])]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return int(result.stdout.split()[0])


def stamps_jump(path):
    """Whether successive packets lie more than a day apart, forwards or backwards, by tcpdump. What time it is, is then told by the
    frames around (sensor/pipeline/capture_clock.h): a flow on its own can have another time, and end elsewhere."""
    result = subprocess.run(["tcpdump", "-tt", "-nr", str(path)], capture_output=True, check=False, timeout=120)
    stamps = [float(line.split(None, 1)[0]) for line in result.stdout.splitlines() if re.match(rb"\d+\.\d+ ", line)]
    return any(abs(later - earlier) > 86400 for earlier, later in zip(stamps, stamps[1:]))


def without_place(alert):
    bare = {key: value for key, value in alert.items() if key not in PLACE}
    bare["evidence"] = {key: value for key, value in alert["evidence"].items() if key != "capture"}
    return json.dumps(bare, sort_keys=True)


def finding(alert):
    """What was found between which hosts, whenever and whichever way."""
    hits = sorted((hit["source"], hit["id"]) for hit in (alert["indicator"], *alert.get("also", [])))
    return (alert["indicator"]["matched_in"], alert["indicator"]["matched_value"], alert["proto"],
            *sorted((alert["src_ip"], alert["dest_ip"])), *hits)


def differences(flow_alerts, other_alerts, replayed, has_fragments, times_apart):
    """Replaying a carved flow gives the alerts of that flow, no more and no less. A fragment belongs to two flows, that of its
    datagram and that of fragments without ports: whoever has it sees a part of the other one as well, and finds there what the whole
    capture showed between these hosts. With `times_apart` only what was found is compared, not when."""
    if times_apart:
        expected, got = {finding(alert): alert for alert in flow_alerts}, {finding(alert): alert for alert in replayed}
        for key in expected.keys() - got.keys():
            yield "missing", without_place(expected[key])
        for key in got.keys() - expected.keys() - set(map(finding, other_alerts)):
            yield "not expected", without_place(got[key])
        return
    expected = collections.Counter(map(without_place, flow_alerts))
    got = collections.Counter(map(without_place, replayed))
    for alert in (expected - got).elements():
        yield "missing", alert
    companions = set(map(finding, other_alerts)) if has_fragments else set()
    for alert in (got - expected).elements():
        if finding(json.loads(alert)) not in companions:
            yield "not expected", alert


def check_carved(vedette, match, alerts, folder, max_files=None, times_apart=False):
    """Yields what is wrong with FOLDER, that `replay --carve` of `match` (options) filled while it wrote these alerts. `times_apart`:
    of a capture of which stamps_jump."""
    folder = pathlib.Path(folder)
    index = read(folder / "index.jsonl")
    by_flow = collections.defaultdict(list)
    for alert in alerts:
        by_flow[alert["flow_id"]].append(alert)
    named = sorted(name for entry in index for name in entry["captures"])
    present = sorted(path.name for path in folder.iterdir() if path.name != "index.jsonl")
    if named != present:
        yield f"the index names {named}, the folder holds {present}"
    if sorted(entry["flow_id"] for entry in index) != sorted(
            flow for flow, of_flow in by_flow.items() if "capture" in of_flow[0]["evidence"]):
        yield "the index does not list the flows that the alerts name"
    for number, entry in enumerate(index):
        flow_alerts = by_flow[entry["flow_id"]]
        if entry["alerts"] != len(flow_alerts):
            yield f"{entry['flow_id']}: {entry['alerts']} alerts in the index, {len(flow_alerts)} in truth"
        for alert in flow_alerts:
            if alert["evidence"].get("capture") != f"{entry['flow_id']}.pcap" or alert["evidence"]["capture"] not in entry["captures"]:
                yield f"{entry['flow_id']}: an alert names {alert['evidence'].get('capture')}"
        if max_files is not None and number >= max_files:
            continue
        files = [folder / name for name in entry["captures"]]
        count = sum(map(packets_by_libpcap, files))
        if not count or count != entry["packets"] or count != sum(source["packets"] for source in entry["sources"]) + entry.get("packets_of_more_sources", 0):
            yield f"{entry['flow_id']}: libpcap reads {count} packets, the index says {entry['packets']}"
        if len(files) > 1:
            continue  # of several link types: neither holds all of it
        if entry["last_time"] >= AFTER_PCAP:
            continue  # documented: pcap has no such times
        result = subprocess.run([vedette, "replay", "--no-geo", "--quiet", "--workers", "1", *match, str(files[0])],
                                capture_output=True, text=True, timeout=120)
        if result.returncode != 0:
            yield f"{files[0].name}: replay ended with {result.returncode}: {result.stderr}"
            continue
        others = [alert for alert in alerts if alert["flow_id"] != entry["flow_id"]]
        for what, alert in differences(flow_alerts, others, list(map(json.loads, result.stdout.splitlines())), "fragments" in entry, times_apart):
            yield f"{files[0].name}: {what}: {alert}"
