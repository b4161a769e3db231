#!/usr/bin/python3
"""golden.py VEDETTE PCAPS [--update]

Replays every capture in PCAPS against PCAPS/indicators, and against the rows of NAME.indicators.csv beside it where
there are some, with 1, 2 and 3 workers and compares the alerts, byte by byte, with NAME.expected.jsonl; then the whole
folder as one capture, which has to be the same for any number of workers, and with its patterns compiled or from the
cache, and `observe` of each. No geolocation: its data has a date. --update writes the expected files from one worker's
answer: look at the difference before committing it.
"""
import pathlib
import subprocess
import sys
import tempfile

WORKERS = (1, 2, 3)
CAPTURES = (".pcap", ".pcapng")
REPLAY = ("replay", "--indicators", "indicators", "--no-geo")


def run(vedette, folder, *arguments):
    result = subprocess.run([vedette, *arguments], cwd=folder, capture_output=True, timeout=100)
    if result.returncode != 0:
        sys.exit(f"vedette {' '.join(arguments)} ended with {result.returncode}:\n{result.stderr.decode(errors='replace')}")
    return result.stdout


def replay(vedette, folder, capture, workers):
    own = capture.rsplit(".", 1)[0] + ".indicators.csv"
    more = ("--indicators", own) if (folder / own).exists() else ()
    return run(vedette, folder, *REPLAY, *more, "--no-cache", "--workers", str(workers), capture)


def replay_cached(vedette, folder, capture):
    """Twice with a cache: the second time its patterns have to come from there."""
    with tempfile.TemporaryDirectory() as cache:
        answers = []
        for origin in ("compiled in", "from the cache in"):
            command = [vedette, *REPLAY, "--cache", cache + "/made", capture]
            result = subprocess.run(command, cwd=folder, capture_output=True, timeout=100)
            if result.returncode != 0 or origin.encode() not in result.stderr:
                sys.exit(f"replay --cache: no `{origin}` in\n{result.stderr.decode(errors='replace')}")
            answers.append(result.stdout)
    return answers


def first_difference(a, b):
    for number, (left, right) in enumerate(zip(a.splitlines(), b.splitlines()), 1):
        if left != right:
            return f"line {number}:\n  expected {left[:2000]}\n  got      {right[:2000]}"
    return f"{len(a.splitlines())} lines expected, {len(b.splitlines())} got"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    vedette, folder, update = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]), "--update" in sys.argv
    captures = sorted(p.name for p in folder.iterdir() if p.suffix in CAPTURES)
    if not captures:
        sys.exit(f"{folder}: holds no captures")
    failed, alerts = 0, 0
    for capture in captures:
        expected_file = folder / (capture.rsplit(".", 1)[0] + ".expected.jsonl")
        if update:
            expected_file.write_bytes(replay(vedette, folder, capture, 1))
        expected = expected_file.read_bytes() if expected_file.exists() else None
        if expected is None:
            print(f"{capture}: {expected_file.name} is missing")
            failed += 1
            continue
        for workers in WORKERS:
            got = replay(vedette, folder, capture, workers)
            if got != expected:
                print(f"{capture}, {workers} workers: {first_difference(expected, got)}")
                failed += 1
        alerts += len(expected.splitlines())
    whole = [replay(vedette, folder, ".", workers) for workers in WORKERS] + replay_cached(vedette, folder, ".")
    observed = [run(vedette, folder, "observe", "--workers", str(workers), ".") for workers in WORKERS]
    for what, answers in (("replay of the folder", whole), ("observe of the folder", observed)):
        for number, answer in enumerate(answers[1:], 2):
            if answer != answers[0]:
                print(f"{what}, answer {number}: {first_difference(answers[0], answer)}")
                failed += 1
    if alerts == 0 or not observed[0]:
        print("the captures show nothing, so nothing was tested")
        failed += 1
    print(f"{len(captures)} captures, {alerts} alerts expected, {failed} differences")
    sys.exit(1 if failed else 0)


main()
