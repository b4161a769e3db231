#!/usr/bin/env python3
"""check_includes.py [ROOT]

Fails on an include or a link against the direction parsers <- signatures <- exporter <- sensor, and on a library's
header outside the files that may know it. Prints each finding as FILE:LINE: what, and what is allowed instead.

  * A folder's files include only that folder and those it builds on; tests see all.
  * Includes are written from the root of the project: "parsers/base/bytes.h".
  * No folders, inner ones too, include each other, also not in a round of several.
  * Headers of the libraries below stand in .cc files of one folder only: whoever includes ours must not need theirs.
  * Targets link the same way; a folder's targets are those its CMakeLists.txt (and those below) define.
"""
import pathlib
import re
import sys

MAY_SEE = {
    "parsers": {"parsers"},
    "signatures": {"parsers", "signatures"},
    "exporter": {"parsers", "signatures", "exporter"},
    "sensor": {"parsers", "signatures", "exporter", "sensor"},
}
# Header as included, folder whose .cc files may include it, library.
LIBRARY_HEADERS = [
    (re.compile(r"^(hs|hs/.*|hs_\w+)\.h$"), "signatures", "Hyperscan"),
    (re.compile(r"^curl/"), "signatures", "libcurl"),
    (re.compile(r"^sodium(\.h|/)"), "signatures", "libsodium"),
    (re.compile(r"^(zmq|zmq_addon|zmq_utils)\.(h|hpp)$"), "exporter", "ZeroMQ"),
    (re.compile(r"^maxminddb(_config)?\.h$"), "exporter", "libmaxminddb"),
    (re.compile(r"^sqlite3(ext)?\.h$"), "exporter", "SQLite"),
]
LIBRARY_TARGETS = [
    (re.compile(r"HYPERSCAN|^hs(_runtime)?$", re.I), "signatures", "Hyperscan"),
    (re.compile(r"CURL|SODIUM", re.I), "signatures", "libcurl and libsodium"),
    (re.compile(r"zmq", re.I), "exporter", "ZeroMQ"),
    (re.compile(r"maxmind", re.I), "exporter", "libmaxminddb"),
    (re.compile(r"sqlite", re.I), "exporter", "SQLite"),
]
SOURCE_ENDINGS = {".h", ".hh", ".hpp", ".cc", ".cpp", ".c"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
DEFINE = re.compile(r"\badd_(?:library|executable)\s*\(\s*([\w.-]+)")
LINK = re.compile(r"\btarget_link_libraries\s*\(\s*([\w.-]+)\s+([^)]*)\)")
KEYWORDS = {"PUBLIC", "PRIVATE", "INTERFACE"}


def check_source(root, folder, path):
    name = path.relative_to(root)
    for number, line in enumerate(path.read_text(encoding="utf8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, header = match.group(1) == '"', match.group(2)
        first = header.split("/", 1)[0]
        if first in MAY_SEE and "/" in header:
            if first not in MAY_SEE[folder]:
                yield f"{name}:{number}: {folder}/ includes {header}; it may see only {', '.join(sorted(MAY_SEE[folder]))}"
        elif first == "tests" and "/" in header:
            yield f"{name}:{number}: includes {header}; what ships knows no tests"
        elif quoted:
            yield f'{name}:{number}: "{header}" is not written from the root; write "{folder}/…", or <…> for a library'
        for pattern, home, library in LIBRARY_HEADERS:
            if pattern.match(header) and (folder != home or path.suffix != ".cc"):
                yield f"{name}:{number}: {library}'s {header} belongs only into .cc files of {home}/"


def check_rounds(root):
    """Folders that include each other: each round once, with the includes that close it."""
    seen = {}  # folder -> folder it includes -> the first include
    for path in sorted(path for top in MAY_SEE for path in (root / top).rglob("*") if path.suffix in SOURCE_ENDINGS):
        folder = path.parent.relative_to(root).as_posix()
        for match in map(INCLUDE.match, path.read_text(encoding="utf8", errors="replace").splitlines()):
            other = match.group(2).rpartition("/")[0] if match and match.group(1) == '"' else folder
            if other != folder and other.split("/", 1)[0] in MAY_SEE:
                seen.setdefault(folder, {}).setdefault(other, f"{path.relative_to(root)} includes {match.group(2)}")
    finished = set()

    def walk(folder, way):
        if folder in way:
            round_ = way[way.index(folder):] + [folder]
            yield f"{' -> '.join(round_)}: folders that include each other: " + "; ".join(seen[a][b] for a, b in zip(round_, round_[1:]))
        elif folder not in finished:
            for other in sorted(seen.get(folder, ())):
                yield from walk(other, way + [folder])
            finished.add(folder)

    for folder in sorted(seen):
        yield from walk(folder, [])


def check_links(root):
    texts, home_of = [], {}
    for folder in MAY_SEE:
        for path in sorted((root / folder).rglob("CMakeLists.txt")):
            text = re.sub(r"#[^\n]*", "", path.read_text(encoding="utf8"))
            texts.append((folder, path, text))
            home_of.update((target, folder) for target in DEFINE.findall(text))
    for folder, path, text in texts:
        for match in LINK.finditer(text):
            where = f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}"
            for target in match.group(2).split():
                if target in KEYWORDS:
                    continue
                home = home_of.get(target)
                if home is not None and home not in MAY_SEE[folder]:
                    yield f"{where}: {match.group(1)} of {folder}/ links {target} of {home}/; it may link only {', '.join(sorted(MAY_SEE[folder]))}"
                for pattern, owner, library in LIBRARY_TARGETS:
                    if home is None and pattern.search(target) and folder != owner:
                        yield f"{where}: {match.group(1)} links {target}; {library} is linked only by {owner}/"


def main(root):
    missing = [folder for folder in MAY_SEE if not (root / folder).is_dir()]
    if missing:
        sys.exit(f"check_includes.py: {root} has no {', '.join(missing)}: not the root of the project")
    findings, files = [], 0
    for folder in MAY_SEE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SOURCE_ENDINGS:
                files += 1
                findings.extend(check_source(root, folder, path))
    findings.extend(check_rounds(root))
    findings.extend(check_links(root))
    for finding in findings:
        print(finding)
    print(f"{files} files, {len(findings)} against the direction")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()))
