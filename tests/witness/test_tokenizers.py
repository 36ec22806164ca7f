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


def added(content, **flags):
    return {"id": 99, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


PROCESSORS = {
    "bert": {"type": "BertProcessing", "cls": ["<s>", 5], "sep": ["</s>", 7]},
    "roberta": {"type": "RobertaProcessing", "cls": ["<s>", 5], "sep": ["</s>", 7], "trim_offsets": True, "add_prefix_space": True},
    "sequence": {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [5], "tokens": ["<s>"]}}}]},
}


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("flags", [{}, {"lstrip": True}, {"rstrip": True}, {"lstrip": True, "rstrip": True}])
def test_ids_are_equal_under_other_settings(processor, prefix, flags, program, tmp_path):
    settings = json.loads((FABLE / "tokenizer.json").read_text())
    settings["pre_tokenizer"]["add_prefix_space"] = prefix
    settings["post_processor"] = PROCESSORS[processor]
    settings["added_tokens"].append({**added("<mask>", **flags), "id": len(settings["model"]["vocab"])})
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings))
    witness = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    dice = random.Random(2)
    pieces = ["<mask>", " ", "  ", "\t", "\u3000", "\u00a0", "word", " Lily", "é", "<|endoftext|>", "'s", "7", "\u200b"]
    text = ["".join(dice.choice(pieces) for _ in range(dice.randint(0, 9))) for _ in range(2000)]
    (tmp_path / "lines.txt").write_bytes(("\n".join(text) + "\n").encode())
    got = program("tokenize", tmp_path, "--file", tmp_path / "lines.txt", "--special").stdout.splitlines()
    expected = witness.encode_batch(text, add_special_tokens=True)
    wrong = [(line, json.loads(ids), other.ids) for line, ids, other in zip(text, got, expected, strict=True) if json.loads(ids) != other.ids]
    assert wrong == []


def random_bpe(dice):
    """Merges of a few letters: many ways to one token, pairs that stand twice, ranks in no order."""
    settings = json.loads((FABLE / "tokenizer.json").read_text())
    tokens, merges = list("abĠ"), []
    for _ in range(dice.randint(1, 60)):
        merges.append([dice.choice(tokens), dice.choice(tokens)])
        tokens.append("".join(merges[-1]))
    dice.shuffle(merges)
    ids = dice.sample(range(3 * len(tokens)), len(tokens))
    settings["model"].update(vocab=dict(zip(tokens, ids)), merges=merges)
    settings["added_tokens"] = []
    return settings


def random_wordpiece(dice, minilm):
    settings = json.loads((minilm / "tokenizer.json").read_text())
    pieces = {dice.choice(["", "##"]) + "".join(dice.choice("abc中") for _ in range(dice.randint(0, 6))) for _ in range(40)}
    settings["model"].update(vocab={token: 3 * i for i, token in enumerate(["[UNK]", *sorted(pieces)])}, max_input_chars_per_word=200)
    settings.update(added_tokens=[], post_processor=None)
    return settings


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("kind", ["bpe", "wordpiece"])
def test_ids_are_equal_under_random_vocabularies(kind, seed, program, tmp_path, minilm):
    dice = random.Random(seed)
    settings = random_bpe(dice) if kind == "bpe" else random_wordpiece(dice, minilm)
    (tmp_path / "tokenizer.json").write_text(json.dumps(settings))
    witness = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    witness.no_truncation()
    witness.no_padding()
    letters = "ab" if kind == "bpe" else "abÇ中"
    text = [" ".join("".join(dice.choices(letters, k=int(2 ** (dice.random() * 11)))) for _ in range(4)) for _ in range(60)]
    (tmp_path / "lines.txt").write_bytes(("\n".join(text) + "\n").encode())
    got = program("tokenize", tmp_path, "--file", tmp_path / "lines.txt").stdout.splitlines()
    wrong = [line for line, ids in zip(text, got, strict=True) if json.loads(ids) != witness.encode(line).ids]
    assert wrong == []
