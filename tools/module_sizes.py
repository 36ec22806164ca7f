#!/usr/bin/env python3
"""Where the bytes of the WebAssembly core go, by room, from the linker's maps: the table in docs/design/wasm.md.

    tools/module_sizes.py          rewrites the table
    tools/module_sizes.py --files  prints the sizes of files instead, largest first
"""
import collections
import gzip
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "design" / "wasm.md"
BEGIN, END = "<!-- sizes: make documents -->\n", "<!-- end of sizes -->\n"
MODULES = {"simd128": ROOT / "build/wasm/bin/edge-net-models-simd128.wasm",
           "relaxed": ROOT / "build/wasm-relaxed/bin/edge-net-models-relaxed.wasm"}

# Address, offset and size in hexadecimal, then a piece indented by 9: object:(symbol)
PIECE = re.compile(r"\s+\S+\s+[0-9a-f]+\s+([0-9a-f]+) {9}(\S.*):\(")
SECTION = re.compile(r"\s+\S+\s+[0-9a-f]+\s+[0-9a-f]+ ([A-Z]+)$")


def source(piece):
    """The file of ours that an object was compiled from, or the library that it comes from."""
    ours = re.search(r"lib(enm_\w+)\.a\((.*)\.obj\)|([^/]+)\.dir/(.*)\.obj", piece)
    if ours:
        room = (ours[1] or ours[3]).removeprefix("enm_").split("_")[0]
        return room, ours[2] or ours[4]
    library = re.search(r"lib([\w+]+)[^/]*\.a\((.*)\.o\)", piece)
    return (library[1], library[2]) if library else ("linker", piece)


def pieces(module):
    section = ""
    for line in pathlib.Path(f"{module}.map").read_text().splitlines():
        if found := SECTION.match(line):
            section = found[1]
        elif (found := PIECE.match(line)) and section in ("CODE", "DATA"):
            yield *source(found[2]), int(found[1], 16)


def table():
    rooms = collections.defaultdict(collections.Counter)
    for name, module in MODULES.items():
        for room, _, size in pieces(module):
            rooms[room][name] += size
        data = module.read_bytes()
        rooms["whole module"][name] = len(data)
        rooms["gzipped"][name] = len(gzip.compress(data, 9))
    order = sorted(rooms, key=lambda room: (room in ("whole module", "gzipped"), room == "gzipped", -rooms[room]["simd128"]))
    lines = ["| bytes | simd128 | relaxed |", "|---|---|---|"]
    lines += [f"| {room} | {rooms[room]['simd128']:,} | {rooms[room]['relaxed']:,} |" for room in order]
    return "\n".join(lines) + "\n"


def main():
    if "--files" in sys.argv:
        files = collections.Counter()
        for room, file, size in pieces(MODULES["simd128"]):
            files[f"{room}/{file}"] += size
        for file, size in files.most_common():
            print(f"{size:8,} {file}")
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + "\n" + table() + "\n" + END + after)


if __name__ == "__main__":
    main()
