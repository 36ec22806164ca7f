"""What transformers and sentence-transformers said of the same weights (tests/golden/make_golden.py)."""
import json

import numpy as np
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
