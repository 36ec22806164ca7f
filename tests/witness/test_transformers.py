"""What transformers and sentence-transformers said of the same weights (tests/golden/make_golden.py)."""
import json

import numpy as np
import onnx
import pytest

from conftest import FABLE, ROOT

GOLDEN = json.loads((ROOT / "tests" / "golden" / "transformers.json").read_text())


@pytest.mark.parametrize("case", GOLDEN["fable"], ids=lambda case: case["prompt"])
def test_greedy_text_is_equal(case, json_of):
    assert json_of("tokenize", FABLE, case["prompt"])["ids"] == case["ids"]
    assert json_of("run", FABLE, case["prompt"], "--max-tokens", 64)["text"] == case["text"]


def test_perplexity_is_equal(json_of, heldout):
    """22.013: transformers in fp32 on the same 79 windows."""
    assert json_of("eval", FABLE, "--perplexity", heldout)["perplexity"] == pytest.approx(22.013, abs=0.0006)


def test_sentence_vectors_are_equal(minilm, json_of):
    texts = [case["text"] for case in GOLDEN["minilm"]]
    ours = np.array(json_of("embed", minilm, *texts)["embeddings"])
    theirs = np.array([case["vector"] for case in GOLDEN["minilm"]])
    assert (ours * theirs).sum(1).min() >= 0.99999


@pytest.mark.parametrize("case", GOLDEN["fable"], ids=lambda case: case["prompt"])
def test_logits_are_equal(case, artifacts, run_graph):
    """The whole prompt at once, and token by token through the key-value cache."""
    path = artifacts() / "model.onnx"
    feeds = {f"past_key_values.{i}.{part}": np.zeros(shape, np.float32) for i, part, shape in empty_cache(path)}
    ids = case["ids"]
    whole = run_graph(path, {**feeds, "input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)})["logits"]
    np.testing.assert_allclose(whole[0, -1, ::64], case["logits"], atol=1e-3)
    for i, token in enumerate(ids):
        out = run_graph(path, {**feeds, "input_ids": np.array([[token]]), "attention_mask": np.ones((1, i + 1), np.int64)})
        feeds = {name.replace("present", "past_key_values"): value for name, value in out.items() if "present" in name}
    np.testing.assert_allclose(out["logits"][0, -1, ::64], case["logits"], atol=1e-3)


def empty_cache(path):
    """(layer, "key" or "value", shape) of a cache that holds nothing."""
    for value in onnx.load(path, load_external_data=False).graph.input:
        if value.name.startswith("past_key_values"):
            _, layer, part = value.name.split(".")
            dims = value.type.tensor_type.shape.dim
            yield layer, part, (1, dims[1].dim_value, 0, dims[3].dim_value)
