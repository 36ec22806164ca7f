#!/usr/bin/env python3
"""Writes the table of operators in docs/design/ops.md from their rows.

    tools/op_documents.py [--check]    with --check: exit 1 if the table is not what would be written
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNNER = ROOT / "build" / "bin" / "graph_runner"
PAGE = ROOT / "docs" / "design" / "ops.md"
BEGIN, END = "<!-- operators: make documents -->\n", "<!-- end of operators -->\n"


def operands(row):
    words = []
    for one in row:
        marks = [word.replace("_", " ") for word in ("optional", "variadic", "constant", "decides_shape", "cache") if one.get(word)]
        kinds = one["types"].split(" or ")
        kind = " ".join(kinds) if len(kinds) < 7 else f"{len(kinds)} types"
        words.append(f"{one['name']}: {kind}" + (f" ({', '.join(marks)})" if marks else ""))
    return "; ".join(words) or "none"


def table(rows):
    lines = ["| operator | opsets | inputs | outputs | traits | gradient | GPU |", "|---|---|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row["domain"], row["name"])):
        name = ".".join(filter(None, (row["domain"], row["name"])))
        until = row["until"] or ""
        lines.append(f"| {name} | {row['since']}-{until} | {operands(row['inputs'])} | {operands(row['outputs'])} | "
                     f"{', '.join(row['traits'])} | {'yes' if row['gradient'] else ''} | {'yes' if row['gpu'] else ''} |")
    return "\n".join(lines) + "\n"


def main():
    rows = json.loads(subprocess.run([RUNNER, "--rows"], capture_output=True, text=True, check=True).stdout)
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    written = before + BEGIN + "\n" + table(rows) + "\n" + END + after
    if "--check" in sys.argv:
        if written != page:
            sys.exit("docs/design/ops.md is stale: make documents")
        return
    PAGE.write_text(written)


if __name__ == "__main__":
    main()
