#!/usr/bin/env python3
"""write_table.py LOG PAGE

Puts the last full run of each fuzz target, from deploy/fuzz's log, between the two marks of PAGE, and names the targets that
had none.
"""

import csv
import pathlib
import re
import sys

FULL_SECONDS = 600
BEGIN, END = "<!-- last full runs: written by deploy/fuzz --table -->\n", "<!-- end -->\n"
COLUMNS = {
    "target": "target",
    "date": "ended (UTC)",
    "commit": "commit",
    "seconds": "s",
    "cpu_s": "CPU s",
    "executions": "inputs run",
    "coverage": "edges",
    "features": "features",
    "new_units": "new inputs",
    "slowest_s": "slowest, s",
    "peak_mb": "peak, MB",
    "findings": "finding",
}


def main():
    with open(sys.argv[1], newline="") as log:
        runs = [run for run in csv.DictReader(log, delimiter="\t")
                if int(run["seconds"]) >= FULL_SECONDS or run["findings"] != "none"]
    last = {run["target"]: run for run in runs}
    table = "| " + " | ".join(COLUMNS.values()) + " |\n" + "|---" * len(COLUMNS) + "|\n"
    for target in sorted(last):
        table += "| " + " | ".join(last[target][column] for column in COLUMNS) + " |\n"
    targets = re.findall(r"^vedette_fuzz\(fuzz_(\w+)", (pathlib.Path(__file__).parent / "CMakeLists.txt").read_text(), re.M)
    targets += [source.stem for source in (pathlib.Path(__file__).parent / "parsers").glob("*.cc")]
    missing = sorted(set(targets) - set(last))
    if missing:
        table += "\nWithout a full run so far: " + " ".join(f"`{target}`" for target in missing) + ".\n"
    page = pathlib.Path(sys.argv[2])
    text = page.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    page.write_text(text[:begin] + "\n" + table + "\n" + text[end:])
    print(f"{len(last)} targets")


if __name__ == "__main__":
    main()
