#!/usr/bin/env python3
"""Files stay under 800 lines and functions under 60; what may be longer is named here with a reason."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAX_FILE, MAX_FUNCTION = 800, 60
LONG_FUNCTIONS = {}  # "path:name" -> why it is one piece


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return out.stdout.split()


def functions(text):
    """(name, lines) of brace blocks that start a function in the house's formatting."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines):
        if start is None:
            opened = re.match(r"^( {0,4})[A-Za-z].*\) *(const)? *(noexcept)? *(override)? *(-> .*)?\{$", line)
            if opened and not re.match(r"^ *(if|for|while|switch|else|do|namespace|extern|TEST)", line):
                start, indent = number, opened.group(1)
                name = re.search(r"([\w:~]+)\(", line)
                name = name.group(1) if name else line.strip()
        elif line.startswith(indent + "}") and len(line.rstrip(";,)")) == len(indent) + 1:
            yield name, number - start + 1
            start = None


def main():
    problems = []
    for path in tracked("*.cc", "*.h", "*.ts", "*.mjs", "*.py", "*.sh"):
        text = (ROOT / path).read_text()
        count = text.count("\n")
        if count > MAX_FILE:
            problems.append(f"{path}: {count} lines, at most {MAX_FILE}")
        if path.endswith((".cc", ".h")):
            for name, length in functions(text):
                if length > MAX_FUNCTION and f"{path}:{name}" not in LONG_FUNCTIONS:
                    problems.append(f"{path}: {name} has {length} lines, at most {MAX_FUNCTION}")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
