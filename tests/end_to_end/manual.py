#!/usr/bin/env python3
"""manual.py VEDETTE SOURCE_FOLDER

Man pages and shell completion, as `vedette manual` makes them: every page renders without a complaint, every command has a page
with hand-written parts, and every option that a command's help shows stands in its page and in the completion of bash, which is
asked as a shell asks it. zsh and fish read theirs where they are installed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

vedette, source = sys.argv[1], pathlib.Path(sys.argv[2])
complaints = []


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, **options)
    return done.returncode, done.stdout, done.stderr


def complain_if(wrong, what):
    if wrong:
        complaints.append(what)


def help_of(command):
    """Option names and sub-commands, from what a person is shown."""
    _, text, _ = run(vedette, *command, "--help")
    options, commands, section = [], [], ""
    for line in text.splitlines():
        if re.match(r"^\w+:$", line):
            section = line
        elif re.match(r"^  \S", line):
            if section == "Options:":
                options += [word for word in line.split()[0].split(",") if word.startswith("-")]
            elif section == "Subcommands:":
                commands.append(line.split()[0])
    return options, commands


def complete(*words):
    """What bash offers after these words; the last one is the beginning of the next."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vedette; printf "%s\\n" "${COMPREPLY[@]}"'
    status, out, err = run("bash", "-c", script, "bash", str(folder / "completion/vedette"), "vedette", *words)
    complain_if(status != 0 or err, f"completing {words}: {err}")
    return set(out.split())


def check_command(command):
    page = folder / "man1" / ("-".join(["vedette", *command[:1]]) + ".1")
    complain_if(not page.exists(), f"{page.name} is missing")
    if not page.exists():
        return 0
    # What a reader sees, one blank between words.
    _, shown, _ = run("man", "-l", str(page), env={**os.environ, "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"})
    options, commands = help_of(command)
    complain_if("--help" not in options, f"the help of {command} was not understood")
    offered = complete(*command, "-") | complete(*command, "")
    for option in options:
        complain_if(not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", shown), f"{page.name}: {option} is missing")
        complain_if(option not in offered, f"bash completion of {command}: {option} is missing")
    for sub in commands:
        complain_if(sub not in shown, f"{page.name}: {sub} is missing")
        complain_if(sub not in offered, f"bash completion of {command}: {sub} is missing")
    return len(options) + sum(check_command([*command, sub]) for sub in commands)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    status, _, err = run(vedette, "manual", name, "--sections", str(source / "docs/man"))
    complain_if(status != 0 or err, f"vedette manual: {err}")
    pages = sorted(folder.glob("man?/*"))
    linters = [tool for tool in ("mandoc", "man") if shutil.which(tool)]
    if "man" not in linters:
        print("SKIPPED: man is missing; deploy/dependencies test installs it")
        sys.exit(77)
    for page in pages:
        _, out, err = run("man", "--warnings", "-l", str(page), env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"})
        complain_if(err, f"man: {err}")
        complain_if("NAME" not in out or "DESCRIPTION" not in out, f"{page.name}: no NAME or no DESCRIPTION")
        if "mandoc" in linters:
            # mandoc is newer to roff than the pages need; style is a matter of taste.
            status, out, _ = run("mandoc", "-Tlint", "-Wwarning", str(page))
            complain_if(status != 0, out)
    num_options = check_command([])
    hand_written = {path.stem for path in (source / "docs/man").glob("*.roff")}
    made = {re.sub(r"\.\d$", "", page.name) for page in pages}
    complain_if(made - hand_written, f"docs/man has no hand-written part for {made - hand_written}")
    complain_if("manual" in complete(""), "the hidden command is offered")
    complain_if(complete("replay", "--format", "") != {"jsonl", "table", "csv"}, "the choices of --format are not offered")
    complain_if("replay" not in complete("re"), "vedette re<TAB> does not offer replay")
    shells = {"zsh": folder / "completion/_vedette", "fish": folder / "completion/vedette.fish"}
    for shell, script in shells.items():
        if shutil.which(shell):
            status, _, err = run(shell, "-n", str(script))
            complain_if(status != 0 or err, f"{shell} does not read {script.name}: {err}")

for complaint in complaints:
    print(complaint.strip())
if complaints:
    sys.exit(1)
print(f"PASSED: {len(pages)} pages render, {num_options} options stand in them and are completed (linted by {' and '.join(linters)})")
