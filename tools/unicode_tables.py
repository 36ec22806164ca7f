#!/usr/bin/env python3
"""tools/unicode_tables.py UNICODE_DIR OUTPUT: the character properties that tokenizers ask for, as C++ tables, from Debian's
unicode-data.

Categories, cases and scripts are Unicode 15's. What Hugging Face tokenizers take from older tables stands still there, so two
ages are kept: characters younger than Unicode 8 are marked, because BERT's marks, punctuation and control characters are those of
Unicode 8; normalization forms and combining classes are Unicode 9's.

Mappings and scripts are streams of bytes that unicode.cc unpacks: numbers in base 128, high bit for "more follows", signed ones
zigzag."""
import pathlib
import sys

CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
YOUNG = 32
FROZEN_AGE, NORMALIZATION_AGE = 8.0, 9.0
LIMIT = 0x110000


def read_ranges(file):
    """(first, last, value) of the lines "XXXX..YYYY ; value"."""
    for line in file.read_text().splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) >= 2:
            ends = [int(end, 16) for end in fields[0].split("..")]
            yield ends[0], ends[-1], fields[1]


def read_characters(folder):
    first = None
    for line in (folder / "UnicodeData.txt").read_text().splitlines():
        fields = line.split(";")
        code = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            first = code
            continue
        yield code if first is None else first, code, fields
        first = None


class Stream:
    def __init__(self):
        self.bytes = []

    def number(self, value):
        while value >= 128:
            self.bytes.append(value & 127 | 128)
            value >>= 7
        self.bytes.append(value)

    def signed(self, value):
        self.number(2 * value if value >= 0 else -2 * value - 1)

    def define(self, name):
        return f"constexpr uint8_t {name}[] = {{{','.join(map(str, self.bytes))}}};\n"


def runs(values, skip):
    """(first, last, value) of neighbours with the same value."""
    first = 0
    for code in range(1, LIMIT + 1):
        if code == LIMIT or values[code] != values[first]:
            if values[first] != skip:
                yield first, code - 1, values[first]
            first = code


def ranges_stream(values, skip):
    """gap from the end of the range before, length - 1, value"""
    out, behind = Stream(), 0
    for first, last, value in runs(values, skip):
        out.number(first - behind)
        out.number(last - first)
        out.number(value)
        behind = last + 1
    return out


def lower_stream(lower):
    """Runs of characters a step apart whose mappings are equally far away: gap, (count - 1) * 2 + (step - 1), distance."""
    out, behind, codes = Stream(), 0, sorted(lower)
    at = 0
    while at < len(codes):
        first = codes[at]
        distance, count, step = lower[first] - first, 1, 1
        for step in (1, 2):
            count = 1
            while lower.get(first + count * step, -1) - first - count * step == distance:
                count += 1
            if count > 1:
                break
        out.number(first - behind)
        out.number((count - 1) * 2 + (step - 1 if count > 1 else 0))
        out.signed(distance)
        inside = set(range(first, first + count * step, step))
        behind = first + 1  # runs of step 2 may interleave
        codes = [code for code in codes[at:] if code not in inside]
        at = 0
    return out


def decomposition_stream(parts, compatible, composes):
    """Runs of characters of one step of decomposition: gap, kind = count of parts * 4 + compatible * 2 + composes, for a single part
    also the length of the run - 1 of which each character's part is one further; then parts, each relative to the last first one."""
    out, behind, last, codes = Stream(), 0, 0, sorted(parts)
    at = 0
    while at < len(codes):
        code = codes[at]
        to = parts[code]
        kind = len(to) * 4 + (code in compatible) * 2 + (code in composes)
        out.number(code - behind)
        out.number(kind)
        count = 1
        if len(to) == 1:
            while (parts.get(code + count) == [to[0] + count] and (code + count in compatible) == (code in compatible)):
                count += 1
            out.number(count - 1)
        base = last
        for part in to:
            out.signed(part - base)
            base = part
        last = to[0]
        behind = code + count
        at += count
    return out


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    category = [CATEGORIES.index("Cn")] * LIMIT
    age = [99.0] * LIMIT
    scripts, names = [0] * LIMIT, [""]
    classes = [0] * LIMIT
    lower, parts, compatible = {}, {}, set()
    for first, last, value in read_ranges(folder / "DerivedAge.txt"):
        age[first:last + 1] = [float(value)] * (last + 1 - first)
    for first, last, fields in read_characters(folder):
        category[first:last + 1] = [CATEGORIES.index(fields[2])] * (last + 1 - first)
        if fields[13]:
            lower[first] = int(fields[13], 16)
        if age[first] > NORMALIZATION_AGE:
            continue
        classes[first] = int(fields[3])
        if fields[5]:
            parts[first] = [int(part, 16) for part in fields[5].split() if not part.startswith("<")]
            if fields[5].startswith("<"):
                compatible.add(first)
    for first, last, value in read_ranges(folder / "Scripts.txt"):
        if value not in names:
            names.append(value)
        scripts[first:last + 1] = [names.index(value)] * (last + 1 - first)
    excluded = {code for first, last, value in read_ranges(folder / "DerivedNormalizationProps.txt")
                if value == "Full_Composition_Exclusion" for code in range(first, last + 1)}
    composes = {code for code in parts if code not in compatible and code not in excluded}

    unassigned = CATEGORIES.index("Cn")
    marked = [category[code] + YOUNG * (age[code] > FROZEN_AGE and category[code] != unassigned) for code in range(LIMIT)]

    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        "// Made by tools/unicode_tables.py.\n"
        + ranges_stream(marked, unassigned).define("kCategories")
        + ranges_stream(classes, 0).define("kCombiningClasses")
        + lower_stream(lower).define("kLower")
        + decomposition_stream(parts, compatible, composes).define("kDecompositions")
        + ranges_stream(scripts, 0).define("kScripts")
        + f"constexpr char kScriptNames[] = \"{' '.join(names[1:])}\";\n")


if __name__ == "__main__":
    main()
