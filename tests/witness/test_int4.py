"""fable-8m in INT4: our logits beside ONNX Runtime's, int8 activations beside floats, perplexities."""
import numpy as np
import pytest
from tokenizers import Tokenizer

from conftest import FABLE
from test_onnx_runtime import Decoder

PROMPTS = ["Once upon a time", "The king said", "There was a little girl who", "“Wolf,” she"]
SYMMETRIC = ("--head-bits", "8", "--embedding-bits", "4")


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(FABLE / "tokenizer.json"))


@pytest.fixture
def logits(run_graph):
    """logits(folder, ids) -> [positions, vocabulary] by our executor."""

    def run(folder, ids):
        witness = Decoder(folder)  # for the names and shapes of the empty cache
        feeds = {"input_ids": np.array([ids], np.int64), "attention_mask": np.ones((1, len(ids)), np.int64), **witness.empty}
        return run_graph(folder / "model.onnx", feeds)["logits"][0]

    return run


@pytest.mark.parametrize("flags", [(), ("--asymmetric",), SYMMETRIC, (*SYMMETRIC, "--asymmetric")], ids=" ".join)
def test_logits_equal_onnx_runtimes(flags, artifacts, logits, tokenizer, heldout, json_of):
    folder = artifacts("--accuracy-level", "0", *flags)
    witness = Decoder(folder)
    text = tokenizer.encode(heldout.read_text(encoding="utf-8"), add_special_tokens=False).ids[:256]
    for ids in [*(tokenizer.encode(prompt).ids for prompt in PROMPTS), text]:
        np.testing.assert_allclose(logits(folder, ids), witness.step(ids)[0], atol=1e-3)
    for prompt in PROMPTS[:2]:
        ours = json_of("run", folder, prompt, "--max-tokens", 64)["text"]
        assert ours == tokenizer.decode(witness.greedy(tokenizer.encode(prompt).ids, 64))


def test_int8_activations_change_little(artifacts, logits, tokenizer, heldout):
    floats, int8 = artifacts("--accuracy-level", "0"), artifacts("--accuracy-level", "4")
    ids = tokenizer.encode(heldout.read_text(encoding="utf-8"), add_special_tokens=False).ids
    divergence, same = [], []
    for window in range(8):
        part = ids[window * 512:(window + 1) * 512]
        logs = []
        for folder in (floats, int8):
            x = logits(folder, part).astype(np.float64)
            x -= x.max(-1, keepdims=True)
            logs.append(x - np.log(np.exp(x).sum(-1, keepdims=True)))
        divergence.append((np.exp(logs[0]) * (logs[0] - logs[1])).sum(-1))
        same.append(logs[0].argmax(-1) == logs[1].argmax(-1))
    print(f"level 4 against 0: mean KL {np.mean(divergence):.2e}, top-1 {100 * np.mean(same):.2f} %")
    assert np.mean(divergence) <= 1e-3
    assert np.mean(same) >= 0.98


@pytest.mark.parametrize("flags, figure", [((), 23.212), (("--asymmetric",), 22.957)], ids=["symmetric", "asymmetric"])
def test_small_heads_and_tables_cost_what_the_reference_pays(flags, figure, artifacts, json_of, heldout):
    """ONNX Runtime's quantizer with an 8-bit head and a 4-bit embedding, over all 79 windows."""
    ours = json_of("eval", artifacts("--accuracy-level", "0", *SYMMETRIC, *flags), "--perplexity", heldout)
    assert ours["windows"] == 79
    print(f"perplexity {ours['perplexity']:.3f}, reference {figure}")
    assert ours["perplexity"] <= 1.001 * figure
