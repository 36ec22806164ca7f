"""Token ids equal Hugging Face tokenizers' on every code point and on 20,000 lines of mixed text."""
import json
import random

import pytest
from tokenizers import Tokenizer

from conftest import FABLE

POOLS = [range(32, 127), range(0xC0, 0x250), range(0x370, 0x500), range(0x600, 0x6FF), range(0x4E00, 0x4FFF),
         range(0xAC00, 0xAD00), range(0x1F300, 0x1F650), range(0x300, 0x330), range(0x900, 0x980),
         [9, 13, 0x20, 0xA0, 0x2003, 0x3000, 0x85, 0]]
JOINTS = [" ", "  ", "'s", "'ll", "<|endoftext|>", "[SEP]", "don't ", "\t", "\r"]


def lines():
    out = [f"a{chr(code)}b {chr(code)}" for code in range(0x110000) if code != 10 and not 0xD800 <= code < 0xE000]
    dice = random.Random(1)
    for _ in range(20_000):
        words = []
        for _ in range(dice.randint(1, 12)):
            pool = dice.choice(POOLS)
            words.append("".join(chr(dice.choice(pool)) for _ in range(dice.randint(1, 8))))
            if dice.random() < 0.6:
                words.append(dice.choice(JOINTS))
        out.append("".join(words))
    return out


@pytest.mark.parametrize("which", ["fable", "minilm"])
@pytest.mark.parametrize("special", [False, True])
def test_ids_are_equal(which, special, program, tmp_path, request):
    folder = FABLE if which == "fable" else request.getfixturevalue("minilm")
    witness = Tokenizer.from_file(str(folder / "tokenizer.json"))
    witness.no_truncation()
    witness.no_padding()
    text = lines()
    file = tmp_path / "lines.txt"
    file.write_bytes(("\n".join(text) + "\n").encode())
    flags = ["--special"] if special else []
    got = program("tokenize", folder, "--file", file, *flags).stdout.splitlines()
    assert len(got) == len(text)
    expected = witness.encode_batch(text, add_special_tokens=special)
    wrong = [line for line, ids, other in zip(text, got, expected) if json.loads(ids) != other.ids]
    assert wrong == []
