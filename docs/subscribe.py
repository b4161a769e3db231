#!/usr/bin/env python3
# Receives a Vedette feed: subscribe.py ENDPOINT SERVER.pub OWN.key VIEW
import json, sys, zmq, zmq.auth

endpoint, server_file, own_file, view = sys.argv[1:]
socket = zmq.Context.instance().socket(zmq.SUB)
socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(own_file)
socket.curve_serverkey, _ = zmq.auth.load_certificate(server_file)
socket.subscribe(view + "/")
socket.connect(endpoint)
epoch, expected, ended = None, None, False
while not ended:  # a replay is complete; write `while True` to follow a live sensor
    _, header, lines = socket.recv_multipart()
    header = json.loads(header)
    event = header["event_type"]
    if event not in ("alerts", "heartbeat", "end"):
        continue  # belongs to a later version
    first = header["first"] if event == "alerts" else header["last"] + 1
    if epoch != header["epoch"]:  # the sensor has restarted and counts from 1, or we have just joined
        if epoch and not ended:
            print(f"epoch {epoch} had no end: whether alerts came after number {expected - 1} is not known", file=sys.stderr)
        epoch, expected = header["epoch"], 1 if epoch else first
    if first > expected:
        print(f"gap: alerts {expected} to {first - 1} are missing", file=sys.stderr)
    expected, ended = first + header.get("count", 0), event == "end"
    print(lines.decode(), end="", flush=True)
print(f"the feed has ended, after alert {header['last']}", file=sys.stderr)
