"""Texts that are kept to a schema or a grammar: jsonschema says whether they are valid; a slow reference, ONNX Runtime's
logits and Python's own idea of what may follow, says whether each token was the best of those allowed."""
import json
import os
import random

import jsonschema
import numpy as np
import pytest
from tokenizers import Tokenizer

from conftest import FABLE
from test_onnx_runtime import Decoder

CASES = int(os.environ.get("ENM_CONSTRAINED_CASES", 200))
PROMPTS = ["Once upon a time", "The king said:", "Answer: "]


def draw_string(dice):
    match dice.randrange(6):
        case 0:
            low = dice.randrange(4)
            return {"type": "string", "minLength": low, "maxLength": low + dice.randrange(12)}
        case 1:
            return {"type": "string", "pattern": dice.choice([
                "^[a-z]{2,8}$", "^(foo|ba[rz])-\\d{1,3}$", "^[A-Z][^\\d\"]{0,9}$", "^\\w+( \\w+){0,2}$", "^[αβγ]{1,3}\\.$", "^.{3}x?$"])}
        case 2:
            return {"type": "string", "format": dice.choice(["date", "time", "date-time", "uuid", "ipv4", "email"])}
        case 3:
            return {"enum": dice.sample(["red", "green \"x\"", "blü", "", "a\\b", "red fish"], dice.randint(1, 4))}
        case _:
            return {"type": "string", "maxLength": dice.randint(0, 20)}


def draw_number(dice):
    low = dice.randint(-2000, 2000)
    high = low + dice.choice([0, 1, 7, 90, 3000])
    match dice.randrange(5):
        case 0:
            return {"type": "integer", "minimum": low, "maximum": high}
        case 1:
            return {"type": "integer", dice.choice(["exclusiveMinimum", "exclusiveMaximum", "minimum"]): low}
        case 2:
            return {"type": "number", "minimum": low, "maximum": high}
        case 3:
            return {"type": "number", "exclusiveMinimum": low / 100, "maximum": (high + 5) / 100}
        case _:
            return {"type": dice.choice(["integer", "number"])}


def draw_object(dice, depth):
    names = dice.sample(["name", "age", "a b", "ü", "x", "na", "items"], dice.randint(0, 4))
    schema = {"type": "object", "properties": {name: draw(dice, depth + 1) for name in names}}
    schema["required"] = dice.sample(names, dice.randint(0, len(names)))
    if dice.random() < 0.3:
        schema["additionalProperties"] = dice.choice([False, draw(dice, depth + 1)])
    return schema


def draw_array(dice, depth):
    low = dice.randrange(3)
    schema = {"type": "array", "items": draw(dice, depth + 1), "minItems": low, "maxItems": low + dice.randrange(4)}
    if dice.random() < 0.3:
        schema["prefixItems"] = [draw(dice, depth + 1) for _ in range(dice.randint(1, 2))]
    return schema


def draw(dice, depth=0):
    kind = dice.randrange(10)
    if depth < 3 and kind < 3:
        return draw_object(dice, depth)
    if depth < 3 and kind < 5:
        return draw_array(dice, depth)
    match kind:
        case 5:
            return draw_number(dice)
        case 6:
            return {"anyOf": [draw(dice, depth + 1), draw(dice, depth + 1)]}
        case 7:
            return dice.choice([{"type": "boolean"}, {"type": "null"}, {"const": {"k": [1, "x"]}}, {"type": ["null", "integer"]}])
        case 8:
            return {"allOf": [{"type": "integer", "minimum": dice.randint(-50, 0)}, {"maximum": dice.randint(0, 50)}]}
        case _:
            return draw_string(dice)


def draw_root(dice):
    schema = draw_object(dice, 0) if dice.random() < 0.7 else draw(dice)
    if dice.random() < 0.2:  # a list of itself
        schema = {"$defs": {"node": {"type": "object", "properties": {"value": schema, "next": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}},
                                     "required": ["value", "next"]}}, "$ref": "#/$defs/node"}
    return schema


def test_documents_are_valid(json_of, tmp_path):
    """The answers of seeded schemas, greedy and drawn at temperatures up to 1.5: what ends by itself is valid, most of them do."""
    ended = 0
    path = tmp_path / "schema.json"
    for seed in range(CASES):
        dice = random.Random(seed)
        schema = draw_root(dice)
        path.write_text(json.dumps(schema))
        sampling = ["--temperature", dice.choice([0, 1, 1.5]), "--seed", seed, "--top-p", dice.choice([1, 0.95])]
        answer = json_of("run", FABLE, dice.choice(PROMPTS), "-n", 160, "--json-schema", path, *sampling)
        if answer["finish_reason"] == "stop":
            ended += 1
            jsonschema.validate(json.loads(answer["text"]), schema, format_checker=jsonschema.FormatChecker())
    assert ended >= CASES / 2


class Finite:
    """A language by the list of its texts."""

    def __init__(self, texts):
        self.texts = [text.encode() for text in texts]

    def begins(self, prefix):
        return any(text.startswith(prefix) for text in self.texts)

    def has(self, text):
        return text in self.texts


class Brackets:
    """Balanced brackets, at most `deepest` deep."""

    def __init__(self, deepest):
        self.deepest = deepest

    def depth(self, text):
        depth = 0
        for place, byte in enumerate(text):
            depth += {ord("("): 1, ord(")"): -1}.get(byte, -1000)
            if depth < 0 or depth > self.deepest or (depth == 0 and place + 1 < len(text)):
                return None
        return depth

    def begins(self, prefix):
        return self.depth(prefix) is not None

    def has(self, text):
        return text != b"" and self.depth(text) == 0


class Words:
    """Letters, from `least` to `most` of them, and a full stop."""

    def __init__(self, letters, least, most):
        self.letters, self.least, self.most = letters.encode(), least, most

    def begins(self, prefix):
        word, stop, rest = prefix.partition(b".")
        return len(word) <= self.most and rest == b"" and (stop == b"" or len(word) >= self.least) and all(b in self.letters for b in word)

    def has(self, text):
        return self.begins(text) and text.endswith(b".")


LANGUAGES = {
    "yes or no": ('root ::= " yes" | " no" | " not really" | " nothing at all"', Finite([" yes", " no", " not really", " nothing at all"])),
    "accents": ('root ::= (" né" | " naïve" | " 東京都"){2}', Finite([a + b for a in (" né", " naïve", " 東京都") for b in (" né", " naïve", " 東京都")])),
    "brackets": ('root ::= "(" (a)* ")"\na ::= "(" b* ")"\nb ::= "(" ")"', Brackets(3)),
    "a word of bounded length": ('root ::= [a-z ]{5,30} "."', Words(" abcdefghijklmnopqrstuvwxyz", 5, 30)),
    "short words": ('root ::= [a-z ]{2,4} "."', Words(" abcdefghijklmnopqrstuvwxyz", 2, 4)),
}


@pytest.fixture(scope="module")
def witness(artifacts):
    decoder = Decoder(artifacts())
    tokenizer = Tokenizer.from_file(str(FABLE / "tokenizer.json"))
    alphabet = bytes_of_letters()
    texts = {}
    for token, number in tokenizer.get_vocab().items():
        if number != 0 and all(letter in alphabet for letter in token):
            texts[number] = bytes(alphabet[letter] for letter in token)
    return decoder, tokenizer, texts


def bytes_of_letters():
    """GPT-2's letters and the bytes that they stand for."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(others)}


def best_allowed(decoder, texts, ids, language, count):
    logits, cache = decoder.step(ids)
    text = b""
    chosen = []
    while len(chosen) < count:
        allowed = [number for number, token in texts.items() if language.begins(text + token)]
        if language.has(text):
            allowed.append(0)
        best = max(allowed, key=lambda number: (logits[-1][number], -number))
        if best == 0:
            break
        text += texts[best]
        chosen.append(best)
        if language.has(text) and not any(language.begins(text + token) for token in texts.values()):
            break
        logits, cache = decoder.step([best], cache, len(ids) + len(chosen))
    return text, chosen


@pytest.mark.parametrize("name", LANGUAGES)
def test_each_token_is_the_best_of_those_allowed(name, witness, artifacts, json_of, tmp_path):
    grammar, language = LANGUAGES[name]
    decoder, tokenizer, texts = witness
    path = tmp_path / "grammar.gbnf"
    path.write_text(grammar)
    for prompt in PROMPTS:
        expected, chosen = best_allowed(decoder, texts, tokenizer.encode(prompt).ids, language, 24)
        ours = json_of("run", artifacts(), prompt, "-n", 24, "--grammar", path, "--logprobs", 0)
        assert [token["id"] for token in ours["logprobs"]] == chosen
        assert b"".join(bytes(token["bytes"]) for token in ours["logprobs"]) == expected


def test_draws_follow_the_renormalized_distribution(witness, artifacts, json_of, tmp_path):
    """The first tokens of 100 seeds against the softmax over those allowed: chi squared far below what another distribution gives."""
    decoder, tokenizer, texts = witness
    path = tmp_path / "grammar.gbnf"
    path.write_text('root ::= " the" | " a" | " there" | " in"')
    ids = {token: number for number, token in texts.items()}
    allowed = [number for number, token in texts.items() if any(w.startswith(token) for w in (b" the", b" a", b" there", b" in"))]
    logits = decoder.step(tokenizer.encode(PROMPTS[0]).ids)[0][-1][allowed].astype(np.float64)
    weights = np.exp(logits - logits.max())
    weights /= weights.sum()
    draws = 100
    counts = dict.fromkeys(allowed, 0)
    assert ids[b" the"] in counts
    for seed in range(draws):
        answer = json_of("run", artifacts(), PROMPTS[0], "-n", 1, "--temperature", 1, "--seed", seed, "--grammar", path, "--logprobs", 0)
        counts[answer["logprobs"][0]["id"]] += 1
    expected = weights * draws
    seen = expected >= 5
    statistic = sum((counts[number] - mean) ** 2 / mean for number, mean in zip(np.array(allowed)[seen], expected[seen]))
    assert statistic < 25 and sum(counts.values()) == draws  # at most 4 degrees of freedom: one in 10^4 beyond 25


def test_logprobs_are_the_models_own(witness, artifacts, json_of):
    decoder, tokenizer, _ = witness
    ids = tokenizer.encode(PROMPTS[0]).ids
    ours = json_of("run", artifacts(), PROMPTS[0], "-n", 12, "--temperature", 0.7, "--seed", 3, "--logprobs", 5)
    tokens = [token["id"] for token in ours["logprobs"]]
    assert len(tokens) == ours["tokens"] == 12
    logits = decoder.step(ids + tokens)[0][len(ids) - 1:-1].astype(np.float64)
    logprobs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    for row, token in zip(logprobs, ours["logprobs"], strict=True):
        assert token["logprob"] == pytest.approx(row[token["id"]], abs=1e-3)
        assert [top["id"] for top in token["top"]] == list(np.argsort(-row, kind="stable")[:5])
        assert [top["logprob"] for top in token["top"]] == pytest.approx(np.sort(row)[::-1][:5], abs=1e-3)
