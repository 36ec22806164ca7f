"""ONNX Runtime on the files we write, beside our own runtime on the same files."""
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from tokenizers import Tokenizer

from conftest import FABLE

VARIANTS = [(), ("--accuracy-level", "0"), ("--accuracy-level", "0", "--external-data"), ("--accuracy-level", "0", "--asymmetric", "--head-bits", "4"),
            ("--accuracy-level", "0", "--block-size", "128", "--head-bits", "0", "--embedding-bits", "0")]


class Decoder:
    """fable-8m in ONNX Runtime, with its key-value cache."""

    def __init__(self, folder):
        self.session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        self.names = [out.name for out in self.session.get_outputs()]
        self.empty = {i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), np.float32)
                      for i in self.session.get_inputs() if i.name.startswith("past")}

    def step(self, ids, past=None, total=None):
        feeds = {"input_ids": np.array([ids], np.int64), **(past or self.empty),
                 "attention_mask": np.ones((1, total or len(ids)), np.int64)}
        out = dict(zip(self.names, self.session.run(None, feeds)))
        cache = {name.replace("present", "past_key_values"): value for name, value in out.items() if "present" in name}
        return out["logits"][0], cache

    def greedy(self, ids, count):
        logits, cache = self.step(ids)
        out = []
        for _ in range(count):
            token = int(np.argmax(logits[-1]))
            if token == 0:
                break
            out.append(token)
            logits, cache = self.step([token], cache, len(ids) + len(out))
        return out

    def perplexity(self, ids, windows):
        losses = []
        for window in range(windows):
            part = ids[window * 512:(window + 1) * 512]
            logits = self.step(part)[0][:-1].astype(np.float64)
            shifted = logits - logits.max(-1, keepdims=True)
            losses.append(np.log(np.exp(shifted).sum(-1)) - shifted[np.arange(511), part[1:]])
        return float(np.exp(np.mean(losses)))


@pytest.mark.parametrize("flags", VARIANTS, ids=lambda flags: " ".join(flags) or "f32")
def test_files_are_valid_and_agree(flags, artifacts, json_of, heldout):
    folder = artifacts(*flags)
    onnx.checker.check_model(str(folder / "model.onnx"))
    inferred = onnx.shape_inference.infer_shapes(onnx.load(folder / "model.onnx"), strict_mode=True)
    assert [out.name for out in inferred.graph.output][0] == "logits"

    witness = Decoder(folder)
    tokenizer = Tokenizer.from_file(str(FABLE / "tokenizer.json"))
    for prompt in ["Once upon a time", "The king said", "There was a little girl who", "“Wolf,” she"]:
        ours = json_of("run", folder, prompt, "--max-tokens", 64)
        expected = witness.greedy(tokenizer.encode(prompt).ids, 64)
        assert ours["text"] == tokenizer.decode(expected)
    ids = tokenizer.encode(heldout.read_text(encoding="utf-8"), add_special_tokens=False).ids
    ours = json_of("eval", folder, "--perplexity", heldout, "--windows", 6)
    assert ours["perplexity"] == pytest.approx(witness.perplexity(ids, 6), rel=1e-5)


def test_quantized_weights_beat_the_reference_quantizer(artifacts, json_of, heldout):
    """Figures of ONNX Runtime's own MatMulNBits quantizer with the same settings, over all 79 windows."""
    reference = {("--accuracy-level", "0", "--head-bits", "0", "--embedding-bits", "0"): 23.097,
                 ("--accuracy-level", "0", "--head-bits", "0", "--embedding-bits", "0", "--asymmetric"): 22.880}
    for flags, figure in reference.items():
        ours = json_of("eval", artifacts(*flags), "--perplexity", heldout)
        assert ours["windows"] == 79
        assert ours["perplexity"] <= 1.001 * figure


def test_int8_activations_cost_less_than_a_tenth_of_a_per_cent(artifacts, json_of, heldout):
    floats = json_of("eval", artifacts("--accuracy-level", "0"), "--perplexity", heldout)
    int8 = json_of("eval", artifacts("--accuracy-level", "4"), "--perplexity", heldout)
    assert int8["perplexity"] == pytest.approx(floats["perplexity"], rel=1e-3)


@pytest.mark.parametrize("level, tolerance", [("0", 1e-5), ("4", 3e-3)])
@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512vnni"])
def test_instruction_sets_agree(isa, level, tolerance, artifacts, json_of, program, heldout):
    """With int8 activations, one that lies between two integers may round either way when the float
    sums before it differ in their last bits: the products are exact, the perplexities close."""
    env = {"ENM_ISA": isa}
    folder = artifacts("--accuracy-level", level)
    if program("run", folder, "a", "-n", 1, check=False, env=env).returncode == 9:
        pytest.skip(f"this machine has no {isa}")
    ours = json_of("eval", folder, "--perplexity", heldout, "--windows", 2, env=env)
    best = json_of("eval", folder, "--perplexity", heldout, "--windows", 2)
    assert ours["perplexity"] == pytest.approx(best["perplexity"], rel=tolerance)


def test_embeddings_agree(minilm, program, json_of, tmp_path):
    program("import", minilm, "--output", tmp_path)
    texts = ["Hello world", "a much longer sentence, with punctuation; and more", "中文 and émile", "x"]
    ours = np.array(json_of("embed", tmp_path, *texts)["embeddings"])
    session = ort.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(minilm / "tokenizer.json"))
    tokenizer.no_padding()
    for text, vector in zip(texts, ours):
        ids = np.array([tokenizer.encode(text).ids])
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        np.testing.assert_allclose(vector, session.run(["sentence_embedding"], feeds)[0][0], atol=2e-6)
