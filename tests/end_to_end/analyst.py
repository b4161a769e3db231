#!/usr/bin/python3
"""analyst.py VEDETTE SOURCE

Runs every command of docs/analyst.md, in order, in a folder that holds pcaps/.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

vedette, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
blocks = re.findall(r"^```sh\n(.*?)^```", (source / "docs/analyst.md").read_text(encoding="utf8"), re.M | re.S)
if len(blocks) < 5:
    sys.exit("docs/analyst.md has lost its commands")
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "pcaps").symlink_to(source / "pcaps")
    script = "set -euo pipefail\n" + "\n".join(blocks)
    environment = {**os.environ, "PATH": f"{vedette.parent}:{os.environ['PATH']}"}
    result = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        sys.exit(f"status {result.returncode}\n{result.stdout}\n{result.stderr}")
    alerts = [json.loads(line) for line in (folder / "case.jsonl").read_text().splitlines()]
    again = [json.loads(line) for line in (folder / "again.jsonl").read_text().splitlines()]
    first = [alert for alert in alerts if alert["flow_id"] == alerts[0]["flow_id"]]
    assert [a["indicator"] for a in again] == [a["indicator"] for a in first] and first, "the carved flow says something else"
    for name in ("case.txt", "observed.tsv", "more.csv", "case.json"):
        assert (folder / name).stat().st_size > 0, f"{name} is empty"
    assert len((folder / "more.csv").read_text().splitlines()) > 1, "more.csv holds no alert"
    assert (folder / "found.jsonl").read_text() == "", "the benign capture is not"
    assert re.search(r"^\d+ packets received: \d+ decoded", result.stdout, re.M), result.stdout
print(f"{len(blocks)} blocks of docs/analyst.md run")
