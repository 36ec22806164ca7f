#!/usr/bin/env python3
"""make_files.py FOLDER: writes models that mean harm, a folder each, and cases.json, which says what becomes of them:
[{"name", "folder", "verb": of the program, "text": what it is asked with, "says": a pattern of its error, or null, "special": whether
files in it are links or pipes, which a tab does not know}]."""
import json
import os
import pathlib
import re
import shutil
import sys

from onnx import TensorProto, helper

from graphs import DECODERS, EMBEDDERS, F32, I64, TABLE, WIDTH, embedder, f32, n, value

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LETTERS = {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}


def bpe(vocab=LETTERS, merges=(), **more):
    return {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False}, "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": vocab, "merges": list(merges)}, "truncation": {"max_length": 8}, **more}


def wordpiece(vocab, **more):
    return {"normalizer": {"type": "BertNormalizer", "lowercase": True, "clean_text": True, "handle_chinese_chars": True, "strip_accents": None},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "vocab": vocab, "unk_token": "a", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
            "truncation": {"max_length": 8}, **more}


TOKENIZER = json.dumps(bpe())


class Corpus:
    def __init__(self, folder):
        self.folder = folder
        self.cases = []

    def add(self, name, says, files, verb="embed", text="abc"):
        """The files are bytes, texts, documents for JSON, models, or functions that make the file at a path."""
        place = self.folder / re.sub(r"\W+", "-", name)
        place.mkdir(parents=True)
        for file, content in {"tokenizer.json": TOKENIZER, **files}.items():
            if callable(content):
                content(place / file)
            elif hasattr(content, "SerializeToString"):
                (place / file).write_bytes(content.SerializeToString())
            elif isinstance(content, (bytes, str)):
                (place / file).write_bytes(content if isinstance(content, bytes) else content.encode())
            else:
                (place / file).write_text(json.dumps(content))
        special = any(path.is_symlink() or not path.is_file() for path in place.iterdir())
        self.cases.append({"name": name, "folder": place.name, "verb": verb, "text": text, "says": says, "special": special})


def tensor(name, dims, kind=F32, raw=b"", external=()):
    made = TensorProto(name=name, data_type=kind, dims=dims)
    if external:
        made.data_location = TensorProto.EXTERNAL
        for key, text in external:
            made.external_data.add(key=key, value=text)
    else:
        made.raw_data = raw
    return made


def with_constant(one):
    return embedder([n("Add", "pooled c")], c=one)


def changed(change):
    """The good embedder after change(model)."""
    made = embedder()
    change(made)
    return made


def add_structures(corpus):
    """Files that are no graph, and graphs that are none."""
    bytes_of = embedder().SerializeToString()
    for part in range(20):
        corpus.add(f"cut after {part} parts of 20", "model.onnx: ", {"model.onnx": bytes_of[:len(bytes_of) * part // 20]})
    corpus.add("bytes of nothing", "model.onnx: ", {"model.onnx": bytes(range(256)) * 64})
    corpus.add("two graphs", "two graphs", {"model.onnx": bytes_of + bytes_of})

    def knot(made):
        nodes = made.graph.node
        nodes[2].CopyFrom(n("Add", "x loop"))
        nodes.insert(3, n("Neg", "z", "loop", "back"))

    structures = {
        "a cycle": (knot, 'Add \'bomb\' reads "loop", which nothing before it makes'),
        "a value made twice": (lambda m: m.graph.node.insert(3, n("Neg", "x")), "Neg 'bomb' makes \"z\" again"),
        "an input made again": (lambda m: m.graph.node.insert(0, n("Neg", "table", "input_ids")), "Neg 'bomb' makes \"input_ids\" again"),
        "a constant made again": (lambda m: m.graph.node.insert(0, n("Neg", "first", "table")), "Neg 'bomb' makes \"table\" again"),
        "a constant that stands twice": (lambda m: m.graph.initializer.append(m.graph.initializer[0]), '"table" stands twice'),
        "an attribute that stands twice": (lambda m: m.graph.node[1].attribute.append(m.graph.node[1].attribute[0]), "Gather 'pooled'.*\"axis\" stands twice"),
        "an output that nothing makes": (lambda m: m.graph.output.append(value("ghost", F32, 1)), 'nothing makes output "ghost"'),
        "an input of no type": (lambda m: m.graph.input[0].ClearField("type"), None),
        "an opset of the future": (lambda m: setattr(m.opset_import[0], "version", 2**62), f"opset {2**62}"),
        "no opset": (lambda m: m.ClearField("opset_import"), "no opset"),
        "a sparse constant": (lambda m: m.graph.sparse_initializer.add(), "sparse"),
        "a function": (lambda m: m.functions.add(), "functions"),
        "a node of no operator": (lambda m: m.graph.node[2].ClearField("op_type"), "has no operator"),
    }
    for name, (change, says) in structures.items():
        corpus.add(name, says, {"model.onnx": changed(change)})


def add_tensors(corpus):
    """Constants that say more than they have."""
    for name, says, one in [
        ("a constant that wraps", r'tensor "c": more than 2\^48', tensor("c", [2**32, 2**32])),
        ("a constant that is larger than the file", 'tensor "c" has 4 bytes', tensor("c", [2**30], raw=b"abcd")),
        ("a negative dimension", 'tensor "c": dimension -8', tensor("c", [-8])),
        ("forty dimensions", 'tensor "c" has 40 dimensions', tensor("c", [1] * 40, raw=b"abcd")),
        ("twelve dimensions", r'constant "c"|\'bomb\'', tensor("c", [1] * 12, raw=b"abcd")),
        ("an element of no type", 'tensor "c" has element type 77', tensor("c", [1], 77, b"abcd")),
        ("words", 'tensor "c" has element type 8', TensorProto(name="c", data_type=8, dims=[1], string_data=[b"x"])),
        ("words as bytes", 'tensor "c" has element type 8', tensor("c", [1], 8, b"abcd")),
    ]:
        corpus.add(name, says, {"model.onnx": with_constant(one)})
    where = {"data.bin": bytes(64)}
    for name, says, fields, files in [
        ("data above the folder", r"\.\./", {"location": "../data.bin"}, {}),
        ("data at the root", "/etc/passwd", {"location": "/etc/passwd"}, {}),
        ("data behind a link", "escape", {"location": "escape", "length": "32"}, {"escape": lambda path: path.symlink_to("/etc/passwd")}),
        ("data that is not there", "nowhere", {"location": "nowhere"}, {}),
        ("data in a folder", "box", {"location": "box"}, {"box": lambda path: path.mkdir()}),
        ("data in a pipe", "pipe", {"location": "pipe"}, {"pipe": os.mkfifo}),
        ("data without end", str(2**63), {"location": "data.bin", "length": str(2**63)}, where),
        ("data far away", str(2**63), {"location": "data.bin", "offset": str(2**63), "length": "32"}, where),
        ("data that wraps", str(2**64 - 16), {"location": "data.bin", "offset": str(2**64 - 16), "length": "32"}, where),
        ("data before the file", '"-1"', {"location": "data.bin", "offset": "-1"}, where),
        ("data beyond the file", "data.bin", {"location": "data.bin", "offset": "48"}, where),
        ("data nowhere", "external data", {"offset": "0"}, where),
    ]:
        corpus.add(name, f'tensor "c": .*{says}', {"model.onnx": with_constant(tensor("c", [WIDTH], external=fields.items())), **files})


def add_tokenizers(corpus):
    def add(name, says, tokenizer, text="abc"):
        corpus.add(name, says, {"model.onnx": embedder(), "tokenizer.json": tokenizer}, text=text)

    add("ids without end", r'token "b" has no id', bpe({"a": 0, "b": 2**31 - 1}))
    add("added ids without end", r'added_tokens: token "<x>" has no id', bpe(added_tokens=[{"id": 2**31 - 1, "content": "<x>"}]))
    add("ids beyond the table", "Gather 'rows': index 7", bpe({"a": 7, "b": 1, "c": 2}))
    add("the largest id alone", "Gather 'rows': index 16777215", bpe({"a": 2**24 - 1, "b": 1, "c": 2}))
    add("words nested without end", "nested deeper", "[" * 100_000)
    add("a tokenizer of nothing", "tokenizer.json", b"")
    add("a tokenizer in a pipe", "tokenizer.json", os.mkfifo)
    add("a token without end", "added_tokens: token", bpe(added_tokens=[{"id": 1, "content": "x" * 1_000_000}]))
    add("a template without end", "tokens around a text|pieces", bpe(post_processor={
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "a"}}] * 100_000, "special_tokens": {"a": {"ids": [0]}}}))
    add("a merge of strangers", "merge", bpe(merges=["a z"]))
    add("a million letters", None, bpe({"a": 0, "b": 1, "c": 2, "aa": 3, "aaaa": 4}, ["a a", "aa aa"]), "bc" + "a" * 1_000_000)
    add("a million letters in pieces of words", None, wordpiece({"a": 0, "##a": 1, "##aa": 2, "b": 3}), "a" * 1_000_000)
    add("a million words", None, wordpiece({"a": 0, "##a": 1, "b": 3}), "aab " * 250_000)


PHI = json.loads((ROOT / "models" / "fable-8m" / "config.json").read_text())
BERT = {"model_type": "bert", "hidden_size": 8, "intermediate_size": 8, "vocab_size": 5, "num_hidden_layers": 1, "num_attention_heads": 2,
        "max_position_embeddings": 8, "hidden_act": "gelu"}
LARGEST = 2**24  # that any number of a config.json may be


def safetensors(tensors, data=b""):
    header = json.dumps(tensors).encode()
    return len(header).to_bytes(8, "little") + header + data


def add_checkpoints(corpus):
    one = {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}
    sound = {"model.safetensors": safetensors(one, bytes(4))}
    for family, config in (("phi", PHI), ("bert", BERT)):
        verb = "run" if family == "phi" else "embed"
        for key in ("num_hidden_layers", "vocab_size", "max_position_embeddings", "hidden_size", "num_attention_heads", "intermediate_size"):
            for number in (2**62, LARGEST, 0, -1):
                corpus.add(f"{family} with {key} of {number}", f'{key}|tensor|parameter|"', {"config.json": {**config, key: number}, **sound}, verb)
    for name, says, bytes_of in [
        ("a header without end", "header", (2**62).to_bytes(8, "little") + b"{}"),
        ("a header that ends early", "header|safetensors", safetensors(one)[:20]),
        ("numbers beyond the file", '"x"', safetensors({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2**40]}}, bytes(4))),
        ("numbers that wrap", '"x"', safetensors({"x": {"dtype": "F32", "shape": [2**32, 2**32], "data_offsets": [0, 4]}}, bytes(4))),
    ]:
        corpus.add(name, says, {"config.json": PHI, "model.safetensors": bytes_of}, "run")


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    corpus = Corpus(folder)
    for name, (made, says) in EMBEDDERS.items():
        corpus.add(name, says, {"model.onnx": made})
    for name, (made, says) in DECODERS.items():
        corpus.add(name, says, {"model.onnx": made}, "run")
    add_structures(corpus)
    add_tensors(corpus)
    add_tokenizers(corpus)
    add_checkpoints(corpus)
    (folder / "cases.json").write_text(json.dumps(corpus.cases))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
