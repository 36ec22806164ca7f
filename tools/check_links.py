#!/usr/bin/env python3
"""Every path that a document links to or names in backticks exists."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOP = {entry.name for entry in ROOT.iterdir()}
MADE = ("build/", "sdk/dist", "node_modules/", "examples/playground/dist")


def targets(text, folder):
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", link):
            yield link, (folder / link)
    for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text):
        if name.split("/")[0] in TOP and not name.startswith(MADE):
            yield name, (ROOT / name)


def main():
    files = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    problems = []
    for path in files.stdout.split():
        file = ROOT / path
        for name, target in targets(file.read_text(), file.parent):
            if not target.exists() and not str(name).startswith(MADE):
                problems.append(f"{path}: {name} does not exist")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
