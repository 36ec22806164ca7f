#!/usr/bin/env python3
"""Holds every #include against the rooms' CMake files.

A room may include only rooms of a strictly lower rank that it names in DEPS (or that those name in
theirs), and only the third-party headers that belong to the libraries it names. `throw`, `try` and
`catch` may stand only in rooms marked EXCEPTIONS.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Header prefix -> what a room must name in THIRD_PARTY (or TEST_THIRD_PARTY) to include it.
THIRD_PARTY = {
    "rapidjson/": "headers:rapidjson",
    "nlohmann/": "nlohmann_json",
    "openssl/": "OpenSSL",
    "curl/": "CURL",
    "sqlite3.h": "SQLite",
    "boost/": "Boost",
    "yaml-cpp/": "yaml-cpp",
    "CLI/": "CLI11",
    "benchmark/": "benchmark",
}
TEST_ONLY = ("gtest/", "gmock/")
KEYWORDS = re.compile(
    r"\b(RANK|SOURCES|NATIVE|WASM|TESTS|DEPS|THIRD_PARTY|TEST_THIRD_PARTY|EXCEPTIONS|NATIVE_ONLY)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)


def strip_comments(text):
    return re.sub(r"#[^\n]*", "", text)


def read_rooms():
    rooms = {}
    for file in list(ROOT.glob("*/CMakeLists.txt")) + list(ROOT.glob("enm/**/CMakeLists.txt")):
        for body in re.findall(r"enm_room\(([^)]*)\)", strip_comments(file.read_text())):
            name = body.split()[0]
            fields = {}
            parts = KEYWORDS.split(body)
            for key, value in zip(parts[1::2], parts[2::2]):
                fields[key] = value.split()
            rooms[name] = {
                "folder": file.parent.relative_to(ROOT).as_posix(),
                "rank": int(fields["RANK"][0]),
                "deps": fields.get("DEPS", []),
                "third_party": fields.get("THIRD_PARTY", []),
                "test_third_party": fields.get("TEST_THIRD_PARTY", []),
                "exceptions": "EXCEPTIONS" in fields,
            }
    return rooms


def room_of(path, rooms):
    best = None
    for name, room in rooms.items():
        if path.startswith(room["folder"] + "/"):
            if best is None or len(room["folder"]) > len(rooms[best]["folder"]):
                best = name
    return best


def reachable(name, rooms):
    seen, todo = set(), [name]
    while todo:
        for dep in rooms[todo.pop()]["deps"]:
            if dep in rooms and dep not in seen:
                seen.add(dep)
                todo.append(dep)
    return seen


def check_file(path, name, rooms):
    room, text, problems = rooms[name], (ROOT / path).read_text(), []
    is_test = "_test." in path or "test_" in pathlib.Path(path).name
    for header in INCLUDE.findall(text):
        target = room_of(header, rooms)
        if target is not None and target != name:
            if rooms[target]["rank"] >= room["rank"]:
                problems.append(f"{path}: rank {room['rank']} includes {header} of rank {rooms[target]['rank']}")
            elif target not in reachable(name, rooms):
                problems.append(f"{path}: includes {header}, but {name} does not name {target} in DEPS")
        for prefix, library in THIRD_PARTY.items():
            allowed = room["third_party"] + (room["test_third_party"] if is_test else [])
            if header.startswith(prefix) and not any(one.startswith(library) for one in allowed):
                problems.append(f"{path}: includes <{header}>, but {name} does not name {library}")
        if header.startswith(TEST_ONLY) and not is_test:
            problems.append(f"{path}: includes <{header}> outside a test")
    if not room["exceptions"] and not is_test:
        code = re.sub(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"', "", text)
        for word in re.findall(r"\b(throw|try|catch)\b\s*[({;]|\bthrow\b", code):
            problems.append(f"{path}: '{word or 'throw'}' in a room without EXCEPTIONS")
    return problems


def main():
    rooms = read_rooms()
    problems = []
    for name, room in rooms.items():
        for dep in room["deps"]:
            if dep in rooms and rooms[dep]["rank"] >= room["rank"]:
                problems.append(f"{room['folder']}: DEPS names {dep}, whose rank is not lower")
        for file in sorted((ROOT / room["folder"]).rglob("*")):
            path = file.relative_to(ROOT).as_posix()
            if file.suffix in (".h", ".cc", ".inc") and room_of(path, rooms) == name:
                problems += check_file(path, name, rooms)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
