"""FP16 files: inputs and outputs in floats, ONNX Runtime and our runtime agree, nothing overflows."""
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from conftest import FABLE, GOLDEN_SENTENCES
from test_int8 import cosine, in_onnx_runtime
from test_onnx_runtime import Decoder


def test_a_decoder_tells_the_same_stories(artifacts, json_of, heldout):
    halves, floats = artifacts("--quantize", "fp16"), artifacts()
    model = onnx.load(halves / "model.onnx")
    onnx.checker.check_model(str(halves / "model.onnx"))
    assert {io.type.tensor_type.elem_type for io in [*model.graph.input, *model.graph.output]} <= {TensorProto.FLOAT, TensorProto.INT64}
    tokenizer = Tokenizer.from_file(str(FABLE / "tokenizer.json"))
    witness, exact = Decoder(halves), Decoder(floats)
    ids = tokenizer.encode(heldout.read_text(encoding="utf-8"), add_special_tokens=False).ids[:512]
    theirs, reference = witness.step(ids)[0], exact.step(ids)[0]
    assert (theirs.argmax(-1) == reference.argmax(-1)).mean() >= 0.99
    for prompt in ["Once upon a time", "The king said", "There was a little girl who"]:
        assert json_of("run", halves, prompt, "-n", 32)["text"] == json_of("run", floats, prompt, "-n", 32)["text"]
    ours = json_of("eval", halves, "--perplexity", heldout, "--windows", 4)["perplexity"]
    assert ours == pytest.approx(json_of("eval", floats, "--perplexity", heldout, "--windows", 4)["perplexity"], rel=1e-3)


def test_an_encoder_keeps_its_vectors(minilm, program, json_of, tmp_path):
    program("import", minilm, "--output", tmp_path / "f32")
    done = program("optimize", minilm, "--output", tmp_path / "f16", "--quantize", "FP16")
    assert "pooling.least" in done.stderr  # 1e-9 is no half
    assert (tmp_path / "f16" / "model.onnx").stat().st_size <= 45_500_000
    exact = in_onnx_runtime(tmp_path / "f32", GOLDEN_SENTENCES)
    theirs = in_onnx_runtime(tmp_path / "f16", GOLDEN_SENTENCES)
    ours = np.array(json_of("embed", tmp_path / "f16", *GOLDEN_SENTENCES)["embeddings"])
    assert cosine(theirs, exact).min() >= 0.9999
    assert cosine(ours, exact).min() >= 0.9999


def test_what_halves_cannot_hold_stays_in_floats(program, tmp_path):
    """A bias of 1e5 and a weight of 1e-6s; the operators that read them compute in floats."""
    dice = np.random.default_rng(1)
    weights = {"huge": np.full(4, 1e5, np.float32), "tiny": dice.normal(0, 1e-6, (4, 4)).astype(np.float32),
               "plain": dice.normal(0, 1, (4, 4)).astype(np.float32)}
    nodes = [helper.make_node("MatMul", ["x", "plain"], ["a"], "first"), helper.make_node("Add", ["a", "huge"], ["b"], "second"),
             helper.make_node("MatMul", ["b", "tiny"], ["y"], "third")]
    shape = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 4])
    graph = helper.make_graph(nodes, "g", [shape("x")], [shape("y")], [numpy_helper.from_array(v, k) for k, v in weights.items()])
    (tmp_path / "in").mkdir()
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "in" / "model.onnx")
    done = program("optimize", tmp_path / "in" / "model.onnx", "--output", tmp_path / "out.onnx", "--quantize", "fp16")
    assert "huge: holds" in done.stderr and "tiny: 16 of its 16 values" in done.stderr and "plain" not in done.stderr
    model = onnx.load(tmp_path / "out.onnx")
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert types == {"huge": TensorProto.FLOAT, "tiny": TensorProto.FLOAT, "plain": TensorProto.FLOAT16}
    x = dice.normal(0, 1, (3, 4)).astype(np.float32)
    got = ort.InferenceSession(str(tmp_path / "out.onnx"), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    np.testing.assert_allclose(got, (x @ weights["plain"] + weights["huge"]) @ weights["tiny"], rtol=2e-3)
