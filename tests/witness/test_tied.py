"""A head and a table of one constant: the file holds the weight once, and means the same in ONNX Runtime and here."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

VOCAB, WIDTH = 96, 64


@pytest.fixture
def tied(tmp_path):
    rng = np.random.default_rng(3)
    table = numpy_helper.from_array(rng.standard_normal((VOCAB, WIDTH)).astype(np.float32), "table")
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["rows"], name="embed"),
             helper.make_node("Tanh", ["rows"], ["hidden"], name="hidden"),
             helper.make_node("Transpose", ["table"], ["turned"], name="turn", perm=[1, 0]),
             helper.make_node("MatMul", ["hidden", "turned"], ["logits"], name="head")]
    graph = helper.make_graph(nodes, "tied", [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", VOCAB])], [table])
    path = tmp_path / "tied.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("flags", [[], ["--asymmetric"], ["--block-size", "64"]])
def test_one_weight_serves_both(program, run_graph, tied, tmp_path, flags):
    out = tmp_path / "out.onnx"
    program("optimize", tied, "--output", out, "--accuracy-level", "0", *flags)
    model = onnx.load(out)
    largest = sorted((len(i.raw_data) for i in model.graph.initializer), reverse=True)
    assert largest[0] == VOCAB * WIDTH and sum(largest) < 1.4 * VOCAB * WIDTH
    ids = np.array([[3, 95, 0], [7, 7, 41]], np.int64)
    expected = ort.InferenceSession(str(out), providers=["CPUExecutionProvider"]).run(None, {"input_ids": ids})[0]
    np.testing.assert_allclose(run_graph(out, {"input_ids": ids})["logits"], expected, atol=2e-4)
    floats = ort.InferenceSession(str(tied), providers=["CPUExecutionProvider"]).run(None, {"input_ids": ids})[0]
    assert np.abs(expected - floats).max() < 0.5
