"""Decoders whose graph joins past and present by Concat, as exporters write them that know no GroupQueryAttention: fable-8m
rewritten so, beside ONNX Runtime on the same file."""
import shutil

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from tokenizers import Tokenizer

from conftest import FABLE
from test_onnx_runtime import Decoder


class Plain:
    """Nodes of the ai.onnx operators that do what a GroupQueryAttention with rotary tables does."""

    def __init__(self, graph):
        self.graph, self.nodes = graph, []

    def add(self, op, *inputs, name=None, domain="", **attributes):
        name = name or f"plain.{len(self.nodes)}.{op}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"node.{name}", domain=domain, **attributes))
        return name

    def constant(self, value, dtype=np.int64):
        name = f"plain.constant.{len(self.graph.initializer)}"
        self.graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def mask(self):
        """[count, total]: whether the query at a row may see the key at a column; and the queries' positions [1, count]."""
        count = self.add("Gather", self.add("Shape", "input_ids"), self.constant(1), axis=0)
        total = self.add("Gather", self.add("Shape", "attention_mask"), self.constant(1), axis=0)
        keys = self.add("Range", self.constant(0), total, self.constant(1))
        queries = self.add("Range", self.add("Sub", total, count), total, self.constant(1))
        allowed = self.add("LessOrEqual", self.add("Unsqueeze", keys, self.constant([0])),
                           self.add("Unsqueeze", queries, self.constant([1])))
        return allowed, self.add("Unsqueeze", queries, self.constant([0]))

    def heads(self, value, count, size):
        return self.add("Transpose", self.add("Reshape", value, self.constant([0, 0, count, size])), perm=[0, 2, 1, 3])

    def attention(self, node, mask, positions, head_dim):
        query, key, value, past_key, past_value, _, _, cos, sin = node.input[:9]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        count, kv_count = attributes["num_heads"], attributes["kv_num_heads"]
        table = next(t for t in self.graph.initializer if t.name == cos)
        turn = lambda x: self.add("RotaryEmbedding", x, positions, cos, sin, domain="com.microsoft",
                                  rotary_embedding_dim=2 * table.dims[1], num_heads=x_heads[x])
        x_heads = {query: count, key: kv_count}
        q = self.heads(turn(query), count, head_dim)
        k = self.add("Concat", past_key, self.heads(turn(key), kv_count, head_dim), name=node.output[1], axis=2)
        v = self.add("Concat", past_value, self.heads(value, kv_count, head_dim), name=node.output[2], axis=2)
        scores = self.add("MatMul", q, self.add("Transpose", k, perm=[0, 1, 3, 2]))
        scores = self.add("Mul", scores, self.constant(attributes.get("scale") or head_dim ** -0.5, np.float32))
        seen = self.add("Where", mask, scores, self.constant(-1e30, np.float32))
        mixed = self.add("MatMul", self.add("Softmax", seen, axis=-1), v)
        rows = self.add("Transpose", mixed, perm=[0, 2, 1, 3])
        self.add("Reshape", rows, self.constant([0, 0, count * head_dim]), name=node.output[0])


@pytest.fixture(scope="module")
def joined(artifacts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("joined")
    source = artifacts()
    shutil.copytree(source, folder, dirs_exist_ok=True)
    model = onnx.load(source / "model.onnx")
    del model.metadata_props[:]  # what the model is must be found in the graph
    plain = Plain(model.graph)
    mask, positions = plain.mask()
    head_dim = next(i for i in model.graph.input if i.name.startswith("past")).type.tensor_type.shape.dim[3].dim_value
    replaced = 0
    for node in model.graph.node:
        if node.op_type == "GroupQueryAttention":
            plain.attention(node, mask, positions, head_dim)
            replaced += 1
        else:
            plain.nodes.append(node)
    assert replaced > 1
    del model.graph.node[:]
    model.graph.node.extend(plain.nodes)
    (folder / "model.onnx").unlink()
    onnx.save(model, folder / "model.onnx")
    return folder


def test_texts_and_perplexity_agree(joined, artifacts, json_of, heldout):
    witness = Decoder(joined)
    tokenizer = Tokenizer.from_file(str(FABLE / "tokenizer.json"))
    for prompt in ["Once upon a time", "The king said", "“Wolf,” she " * 80]:
        ours = json_of("run", joined, prompt, "--max-tokens", 48)
        assert ours["text"] == tokenizer.decode(witness.greedy(tokenizer.encode(prompt).ids, 48))
    ids = tokenizer.encode(heldout.read_text(encoding="utf-8"), add_special_tokens=False).ids
    ours = json_of("eval", joined, "--perplexity", heldout, "--windows", 4)["perplexity"]
    assert ours == pytest.approx(witness.perplexity(ids, 4), rel=1e-5)
    assert ours == pytest.approx(json_of("eval", artifacts(), "--perplexity", heldout, "--windows", 4)["perplexity"], rel=1e-5)


def test_several_sequences_are_refused_by_name(joined, program):
    done = program("bench", joined, "--batch", 2, check=False)
    assert done.returncode != 0 and "joins its cache by itself" in done.stderr
