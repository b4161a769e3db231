#!/usr/bin/python3
"""validate_alerts.py [--lenient] FILE…

Validates alerts against docs/alert.schema.json: JSON lines ("-" reads standard input; empty lines are skipped), or the
```json blocks of a Markdown page. Members that the schema does not describe are errors, unless --lenient (readers
accept them, what we write has none). The same name twice in an object is an error. Prints every problem as FILE:LINE:
where in the alert: what. Exit code 1 if there was one, or no alert
in any file.
"""
import argparse
import copy
import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "docs" / "alert.schema.json"
MAX_PROBLEMS = 50  # printed


def closed(schema):
    """The schema, where every object that has properties has no others."""
    schema = copy.deepcopy(schema)
    hit = schema["$defs"]["hit"]
    indicator = schema["properties"]["indicator"]
    indicator.pop("allOf")  # additionalProperties does not see through allOf
    indicator["properties"] = {**hit["properties"], **indicator["properties"]}
    indicator["required"] = hit["required"] + indicator["required"]
    indicator["type"] = "object"

    def close(node):
        if node.get("type") == "object" and "properties" in node:
            node.setdefault("additionalProperties", False)
        for child in node.get("properties", {}).values():
            close(child)
        if isinstance(node.get("items"), dict):
            close(node["items"])

    close(schema)
    for definition in schema["$defs"].values():
        close(definition)
    return schema


def no_duplicates(pairs):
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"the same name twice in an object: {', '.join(sorted(twice))}")
    return dict(pairs)


def documents(path):
    """(line number, text) of each alert in the file."""
    with (sys.stdin.buffer if path == "-" else open(path, "rb")) as file:
        lines = file.read().decode("utf-8", errors="strict").split("\n")
    if not path.endswith(".md"):
        yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())
        return
    block, begin = None, 0
    for number, line in enumerate(lines, 1):
        if block is None and line.strip() == "```json":
            block, begin = [], number + 1
        elif block is not None and line.strip() == "```":
            yield begin, "\n".join(block)
            block = None
        elif block is not None:
            block.append(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lenient", action="store_true")
    parser.add_argument("files", nargs="+", metavar="FILE")
    arguments = parser.parse_args()

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema if arguments.lenient else closed(schema))
    alerts, problems = 0, []
    for path in arguments.files:
        try:
            for number, text in documents(path):
                alerts += 1
                try:
                    alert = json.loads(text, object_pairs_hook=no_duplicates)
                except ValueError as error:
                    problems.append(f"{path}:{number}: {error}")
                    continue
                for error in validator.iter_errors(alert):
                    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
                    problems.append(f"{path}:{number}: {where or '.'}: {error.message[:300]}")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path}: {error}")
    if alerts == 0:
        problems.append(f"no alert in {', '.join(arguments.files)}")
    for problem in problems[:MAX_PROBLEMS]:
        print(problem)
    if len(problems) > MAX_PROBLEMS:
        print(f"and {len(problems) - MAX_PROBLEMS} more")
    print(f"{alerts} alerts, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
