#!/usr/bin/env python3
"""check_links.py [ROOT]

Fails on a relative link in a Markdown page whose target does not exist, or whose #section no heading of the target has.
Prints each finding as FILE:LINE: what.
"""
import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$")
SKIPPED = {"build", ".git"}


def lines_outside_code(path):
    in_code = False
    for number, line in enumerate(path.read_text(encoding="utf8").splitlines(), 1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        elif not in_code:
            yield number, line


def anchors(path):
    """The names that GitHub and GitLab give to the page's headings."""
    for _, line in lines_outside_code(path):
        if match := HEADING.match(line):
            yield re.sub(r"[^\w\- ]", "", match.group(1).lower()).replace(" ", "-")


def check_page(root, page):
    for number, line in lines_outside_code(page):
        for link in LINK.findall(re.sub(r"`[^`]*`", "", line)):
            if re.match(r"[a-z]+:", link):
                continue
            name, _, section = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            where = f"{page.relative_to(root)}:{number}: {link}"
            if not target.exists():
                yield f"{where}: there is no such file"
            elif section and target.suffix == ".md" and section not in anchors(target):
                yield f"{where}: {target.name} has no such heading"


def main(root):
    pages = [page for page in sorted(root.rglob("*.md")) if not SKIPPED & set(page.relative_to(root).parts)]
    findings = [finding for page in pages for finding in check_page(root, page)]
    for finding in findings:
        print(finding)
    print(f"{len(pages)} pages, {len(findings)} broken links")
    return 1 if findings or not pages else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()))
