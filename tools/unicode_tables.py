#!/usr/bin/env python3
"""tools/unicode_tables.py UNICODE_DIR OUTPUT: the character properties that tokenizers ask for, as
C++ tables, from Debian's unicode-data (UnicodeData.txt, PropList.txt, DerivedAge.txt).

Letters and numbers are Unicode 15's, as GPT-2's pattern sees them today. Marks, punctuation and
control characters are Unicode 8's, where the tokenizers that BERT models were trained with stand
still: later characters are plain ones to them."""
import pathlib
import sys

LETTER, NUMBER, WHITE, MARK, PUNCTUATION, OTHER = 1, 2, 4, 8, 16, 32
FROZEN = MARK | PUNCTUATION | OTHER
FROZEN_AGE = 8.0
# Characters of Unicode 8 whose category has changed since.
FROZEN_FLAGS = {0x166d: PUNCTUATION, 0x1734: MARK, 0x1885: 0, 0x1886: 0, 0xa9bd: 0, 0x111c9: PUNCTUATION}
BLOCK = 256


def read_characters(folder):
    first = None
    for line in (folder / "UnicodeData.txt").read_text().splitlines():
        fields = line.split(";")
        code = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            first = code
            continue
        start = first if fields[1].endswith(", Last>") else code
        first = None
        yield start, code, fields


def flags_of(category):
    return (LETTER * category.startswith("L") | NUMBER * category.startswith("N") | MARK * (category == "Mn")
            | PUNCTUATION * category.startswith("P") | OTHER * category.startswith("C"))


def freeze(folder, flags):
    young = [True] * len(flags)
    for line in (folder / "DerivedAge.txt").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            span, age = line.split(";")
            ends = [int(end, 16) for end in span.strip().split("..")]
            for code in range(ends[0], ends[-1] + 1):
                young[code] = float(age) > FROZEN_AGE
    for code, is_young in enumerate(young):
        if is_young:
            flags[code] &= ~FROZEN
    for code, frozen in FROZEN_FLAGS.items():
        flags[code] = flags[code] & ~FROZEN | frozen


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    flags = [0] * 0x110000
    lower, parts = {}, {}
    for start, end, fields in read_characters(folder):
        for code in range(start, end + 1):
            flags[code] = flags_of(fields[2])
        if fields[13]:
            lower[start] = [int(fields[13], 16)]
        if fields[5] and not fields[5].startswith("<"):
            parts[start] = [int(part, 16) for part in fields[5].split()]
    lower[0x130] = [0x69, 0x307]  # the one unconditional mapping of SpecialCasing.txt to several
    for line in (folder / "PropList.txt").read_text().splitlines():
        if "; White_Space" in line:
            ends = [int(end, 16) for end in line.split(";")[0].strip().split("..")]
            for code in range(ends[0], ends[-1] + 1):
                flags[code] |= WHITE

    freeze(folder, flags)

    def decompose(code):
        return [each for part in parts[code] for each in decompose(part)] if code in parts else [code]

    full = {code: decompose(code) for code in parts}
    blocks, index = {}, []
    for at in range(0, 0x110000, BLOCK):
        index.append(blocks.setdefault(bytes(flags[at:at + BLOCK]), len(blocks)))

    def pairs(name, table):
        values, rows = [], []
        for code, mapped in sorted(table.items()):
            rows.append(f"{{{code},{len(values)},{len(mapped)}}}")
            values += mapped
        return (f"constexpr uint32_t {name}Values[] = {{{','.join(map(str, values))}}};\n"
                f"constexpr Mapping {name}[] = {{{','.join(rows)}}};\n")

    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(
        "// Made by tools/unicode_tables.py.\n"
        f"constexpr uint8_t kBlockOf[] = {{{','.join(map(str, index))}}};\n"
        f"constexpr uint8_t kBlocks[][{BLOCK}] = {{"
        + ",\n".join("{" + ",".join(map(str, block)) + "}" for block in blocks) + "};\n"
        + pairs("kLower", lower) + pairs("kDecomposition", full))


if __name__ == "__main__":
    main()
