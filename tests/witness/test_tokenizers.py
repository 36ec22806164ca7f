"""Ids, offsets and decoded text equal Hugging Face tokenizers': every code point, generated lines, real files, trained tokenizers, every step by itself.
ENM_TEXT_FILE and ENM_TOKENIZER_FOLDERS name a text and folders with a tokenizer.json for long runs."""
import json
import os
import pathlib
import random

import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

import tokenizer_cases as cases
from conftest import FABLE

LINES = cases.generated_lines(cases.CASES, 1)
FEW = LINES[:300]


@pytest.fixture
def compare(program, tmp_path):
    """compare(settings or folder, texts): what differs is shown."""

    def run(source, texts, special=True, pair=None, flags=(), prepare=lambda witness: None):
        folder = source
        if isinstance(source, dict):
            folder = tmp_path
            (folder / "tokenizer.json").write_text(json.dumps(source), encoding="utf-8")
        witness = Tokenizer.from_file(str(folder / "tokenizer.json"))
        if not flags:
            witness.no_truncation()
            witness.no_padding()
        prepare(witness)
        (tmp_path / "lines.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
        more = ["--special"] if special else []
        more += [] if pair is None else ["--pair", pair]
        got = json.loads(program("--json", "tokenize", folder, "--file", tmp_path / "lines.jsonl", "--decode", *more, *flags).stdout)
        inputs = texts if pair is None else [(text, pair) for text in texts]
        # One by one: a batch is padded to its longest.
        expected = [witness.encode(*(text if pair else (text,)), add_special_tokens=special) for text in inputs]
        decoded = witness.decode_batch([each.ids for each in expected])
        wrong = []
        for at, (text, each, line) in enumerate(zip(texts, expected, decoded, strict=True)):
            ours = (got["ids"][at], [tuple(offset) for offset in got["offsets"][at]], got["text"][at])
            if ours != (each.ids, each.offsets, line) or (pair and got["type_ids"][at] != each.type_ids):
                wrong.append((text, ours, (each.ids, each.offsets, line)))
        assert wrong[:3] == []

    return run


def real_folders():
    return ["fable", "minilm", *os.environ.get("ENM_TOKENIZER_FOLDERS", "").split()]


@pytest.fixture(params=real_folders())
def folder(request):
    if request.param == "fable":
        return FABLE
    return request.getfixturevalue("minilm") if request.param == "minilm" else pathlib.Path(request.param)


@pytest.mark.parametrize("special", [False, True])
def test_generated_lines(folder, special, compare):
    compare(folder, LINES, special=special)


def test_every_code_point(folder, compare):
    compare(folder, cases.every_code_point())


def test_text_file(folder, compare):
    path = os.environ.get("ENM_TEXT_FILE", str(FABLE / "README.md"))
    compare(folder, pathlib.Path(path).read_text(encoding="utf-8").splitlines(keepends=True))


def test_long_words(folder, compare):
    dice = random.Random(3)
    compare(folder, ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=10**5)), "é" * 10**4 + " x", "中" * 10**4, "a" * 10**5, " " * 10**5, "1" * 10**4])


def test_bytes_that_are_no_text(program, tmp_path):
    """They count as U+FFFD, as a lossy decoder makes them."""
    dice = random.Random(4)
    lines = [bytes(dice.choice(b"ab \xff\xe4\xb8\xad\xf0\x9f\x98\x80\xc0\xed\xa0") for _ in range(dice.randint(1, 30))) for _ in range(500)]
    (tmp_path / "lines.txt").write_bytes(b"\n".join(lines) + b"\n")
    got = json.loads(program("--json", "tokenize", FABLE, "--file", tmp_path / "lines.txt").stdout)
    witness = Tokenizer.from_file(str(FABLE / "tokenizer.json"))
    expected = witness.encode_batch([line.decode(errors="replace") for line in lines], add_special_tokens=False)
    assert got["ids"] == [each.ids for each in expected]


@pytest.mark.parametrize("make", cases.TRAINED, ids=lambda make: make.__name__)
def test_trained(make, compare):
    settings = make()
    compare(settings, LINES)
    compare(settings, FEW[:100], pair="The other: 中 text")


@pytest.mark.parametrize("name", cases.NORMALIZERS)
def test_normalizer(name, compare):
    compare(cases.word_level(normalizer=cases.NORMALIZERS[name]), FEW)


@pytest.mark.parametrize("name", cases.PRE_TOKENIZERS)
def test_pre_tokenizer(name, compare):
    compare(cases.word_level(pre_tokenizer=cases.PRE_TOKENIZERS[name]), FEW)


def test_unicode_scripts(compare):
    """On characters that Unicode 9 has: the reference knows no younger ones."""
    old = [line for line in LINES if not any(chr(code) in line for code in (0x61D, 0x560, 0x588, 0x5EF, 0x557))][:300]
    compare(cases.word_level(pre_tokenizer=pre_tokenizers.UnicodeScripts()), old)


@pytest.mark.parametrize("pattern", cases.PATTERNS)
def test_pattern(pattern, compare):
    dice = random.Random(5)
    texts = ["".join(dice.choices("abcdxyzABÉé1 \n'.-]{中あ", k=dice.randint(1, 40))) for _ in range(200)]
    for invert in (False, True):
        compare(cases.word_level(pre_tokenizer=pre_tokenizers.Split(Regex(pattern), "isolated", invert=invert)), FEW[:100] + texts)


DECODERS = {
    "none": None, "byte level": decoders.ByteLevel(), "wordpiece": decoders.WordPiece(), "wordpiece plain": decoders.WordPiece(prefix="a", cleanup=False),
    "metaspace": decoders.Metaspace(replacement="a"), "bpe": decoders.BPEDecoder(suffix="b"), "fuse": decoders.Fuse(), "ctc": decoders.CTC(pad_token="a", word_delimiter_token="|"),
    "replace": decoders.Sequence([decoders.Replace(Regex("[ab]+"), "<>"), decoders.Replace("c", "")]),
    "bytes": decoders.Sequence([decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]),
    "strip": decoders.Sequence([decoders.Fuse(), decoders.Strip("a", 2, 1), decoders.Replace(Regex("b|$"), "!")]),
    "after bytes": decoders.Sequence([decoders.ByteLevel(), decoders.Strip("a", 1, 0), decoders.WordPiece()])}


@pytest.mark.parametrize("name", DECODERS)
def test_decoder(name, program, tmp_path):
    dice = random.Random(6)
    tokens = ["[UNK]", *dict.fromkeys(["a", "b", "##c", " .", "n't", "do", "not", "Ġ", "Ä", "é", "<0xE4>", "<0xB8>", "<0xAD>", "<0x41>", "<0xff>", "aab", "|", " x ", "▁y", "中"])]
    tokenizer = Tokenizer(models.WordLevel({token: at for at, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\u0001", "removed")
    tokenizer.decoder = DECODERS[name]
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    texts = ["\u0001".join(dice.choices(tokens, k=dice.randint(2, 9))) for _ in range(300)]
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    got = json.loads(program("--json", "tokenize", tmp_path, "--file", tmp_path / "lines.jsonl", "--decode").stdout)
    assert got["text"] == [tokenizer.decode(ids) for ids in got["ids"]]


def added(content, **flags):
    return {"id": 99, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


PROCESSORS = {
    "bert": {"type": "BertProcessing", "cls": ["<s>", 5], "sep": ["</s>", 7]},
    "roberta": {"type": "RobertaProcessing", "cls": ["<s>", 5], "sep": ["</s>", 7], "trim_offsets": True, "add_prefix_space": True},
    "sequence": {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "B", "type_id": 3}}, {"SpecialToken": {"id": "<s>", "type_id": 1}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "special_tokens": {"<s>": {"id": "<s>", "ids": [5, 6], "tokens": ["<s>", "x"]}}}]},
    "bytes": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "none": None,
}


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("flags", [{}, {"lstrip": True}, {"rstrip": True, "single_word": True}, {"lstrip": True, "rstrip": True, "normalized": True}])
def test_added_tokens_and_post_processors(processor, prefix, flags, compare):
    settings = json.loads((FABLE / "tokenizer.json").read_text())
    settings["pre_tokenizer"]["add_prefix_space"] = prefix
    settings["post_processor"] = PROCESSORS[processor]
    settings["normalizer"] = {"type": "Lowercase"} if flags.get("normalized") else None
    for content, special in (("<mask>", True), ("Ab", False), ("WORD", True)):
        settings["added_tokens"].append({**added(content, **flags), "special": special, "id": len(settings["model"]["vocab"]) + len(settings["added_tokens"]) - 1})
    dice = random.Random(2)
    pieces = ["<mask>", " ", "  ", "\t", "\u3000", "\u00a0", "word", " Lily", "é", "<|endoftext|>", "'s", "7", "\u200b", "Ab", "ab", "_", "WORD"]
    text = ["".join(dice.choice(pieces) for _ in range(dice.randint(0, 9))) for _ in range(400)]
    compare(settings, text)
    compare(settings, text[:100], pair="Ab <mask> two")
    compare(settings, text[:100], pair=" 's ", special=False)


@pytest.mark.parametrize("direction", ["right", "left"])
@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second"])
def test_truncation_and_padding(direction, strategy, compare, minilm):
    settings = json.loads((minilm / "tokenizer.json").read_text())
    made = Tokenizer.from_str(json.dumps(settings))
    made.enable_truncation(9, strategy=strategy, direction=direction)
    made.enable_padding(length=12 if direction == "left" else None, pad_to_multiple_of=8, pad_id=3, pad_type_id=1, direction=direction)
    settings = json.loads(made.to_str())
    texts = ["one two three four five six seven eight nine ten", "one two three four five six seven eight nine ten eleven", "a b c d e f g h i j k l m"]
    flags = ["--truncate", "--pad"]
    if strategy != "only_second":
        compare(settings, [*texts, "short", "a b c d e f"] if strategy == "longest_first" else texts, flags=flags)
    compare(settings, texts, pair="x y z", flags=flags) if strategy != "only_second" else compare(settings, ["a", "b c"], pair=texts[1], flags=flags)
    if strategy == "longest_first":
        compare(settings, ["x", *texts], pair=texts[0], flags=flags)


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


def random_char_bpe(dice):
    """The same without bytes, so that words are cut where nothing merges."""
    settings = random_bpe(dice)
    settings.update(pre_tokenizer=None, decoder=None, post_processor=None)
    for token in ("c", "中"):
        settings["model"]["vocab"].setdefault(token, max(settings["model"]["vocab"].values()) + 1)
    return settings


def random_wordpiece(dice, minilm):
    settings = json.loads((minilm / "tokenizer.json").read_text())
    pieces = {dice.choice(["", "##"]) + "".join(dice.choice("abc中") for _ in range(dice.randint(0, 6))) for _ in range(40)}
    settings["model"].update(vocab={token: 3 * i for i, token in enumerate(["[UNK]", *sorted(pieces)])}, max_input_chars_per_word=200)
    settings.update(added_tokens=[], post_processor=None)
    return settings


def random_unigram(dice):
    pieces = {"".join(dice.choice("ab中Ç") for _ in range(dice.randint(1, 6))) for _ in range(40)}
    vocab = [["<unk>", 0.0], *([piece, -dice.choice([1.0, 1.5, 2.0, 7.25])] for piece in sorted(pieces))]
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None,
            "model": {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": False}}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kind", ["bpe", "char bpe", "wordpiece", "unigram"])
def test_random_vocabularies(kind, seed, compare, request):
    dice = random.Random(seed)
    settings = {"bpe": random_bpe, "char bpe": random_char_bpe, "unigram": random_unigram,
                "wordpiece": lambda dice: random_wordpiece(dice, request.getfixturevalue("minilm"))}[kind](dice)
    letters = {"bpe": "ab", "char bpe": "abc中é"}.get(kind, "abÇ中")
    joint = " " if kind != "unigram" else ""
    compare(settings, [joint.join("".join(dice.choices(letters, k=int(2 ** (dice.random() * 11)))) for _ in range(4)) for _ in range(60)])
