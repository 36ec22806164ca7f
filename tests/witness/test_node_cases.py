"""The onnx package's own cases for every operator that we have, run through the whole executor."""
import pathlib

import numpy as np
import onnx
import onnx.backend.test
import pytest
from onnx import TensorProto, numpy_helper

CASES = pathlib.Path(onnx.backend.test.__file__).parent / "data" / "node"
OPERATORS = set(
    "Abs Add And Cast Clip Concat Constant ConstantOfShape CumSum DequantizeLinear Div DynamicQuantizeLinear Equal Erf Exp Expand Flatten "
    "Gather Gelu Gemm Greater GreaterOrEqual Identity LayerNormalization Less LessOrEqual LpNormalization MatMul MatMulInteger Max Min Mul "
    "Neg Not Or Pow QuantizeLinear Range Reciprocal ReduceMax ReduceMean ReduceSum Relu Reshape RotaryEmbedding Shape Sigmoid Slice Softmax "
    "Split Sqrt Squeeze Sub Tanh Transpose Unsqueeze Where".split())
# What operators compute with; a case that has others is none of ours.
TYPES = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL}
# Case -> why it is not for us.
VECTORS = "products of vectors: no model has them"
MIXED = "operands of two types"
BLOCKED = "blocks of scales: MatMulNBits and GatherBlockQuantized are what models use"
SKIPPED = {"test_matmul_1d_1d": VECTORS, "test_matmul_1d_3d": VECTORS, "test_matmul_4d_1d": VECTORS,
           "test_pow_types_float32_int32": MIXED, "test_pow_types_float32_int64": MIXED,
           "test_pow_types_int32_float32": MIXED, "test_pow_types_int64_float32": MIXED,
           "test_l2normalization_axis_0": "a line of zeros is zeros, as in ONNX Runtime, and not NaN",
           "test_reduce_max_bool_inputs": "the largest of bools",
           "test_quantizelinear_blocked_asymmetric": BLOCKED, "test_quantizelinear_blocked_symmetric": BLOCKED,
           "test_dequantizelinear_blocked": BLOCKED}


def types(model):
    graph = model.graph
    declared = {value.type.tensor_type.elem_type for value in [*graph.input, *graph.output]}
    attributes = {a.t.data_type for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.TENSOR}
    return declared | attributes


def cases():
    for path in sorted(CASES.glob("*/model.onnx")):
        model = onnx.load(path)
        tensors = all(value.type.HasField("tensor_type") for value in [*model.graph.input, *model.graph.output])
        if tensors and {node.op_type for node in model.graph.node} <= OPERATORS and types(model) <= TYPES:
            yield pytest.param(path.parent, id=path.parent.name.removeprefix("test_"))


ALL = list(cases())
# Operators whose output's shape follows from the values of inputs: those must be known before the
# graph runs, as memory is planned then.
SHAPED_BY_INPUTS = {"Reshape", "Slice", "Split", "Expand", "Unsqueeze", "Squeeze", "ConstantOfShape", "Range", "ReduceSum", "ReduceMean", "ReduceMax"}


def tensors(folder, prefix):
    paths = sorted(folder.glob(f"{prefix}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    return [numpy_helper.to_array(onnx.load_tensor(str(path))) for path in paths]


def test_there_are_hundreds():
    covered = {node.op_type for case in ALL for node in onnx.load(case.values[0] / "model.onnx").graph.node}
    assert len(ALL) >= 300 and covered == OPERATORS


@pytest.mark.parametrize("case", ALL)
def test_case(case, run_graph):
    if case.name in SKIPPED:
        pytest.skip(SKIPPED[case.name])
    model = onnx.load(case / "model.onnx")
    # We read opsets 13 to 23; no operator here changed its meaning on this side of them.
    for opset in model.opset_import:
        opset.version = min(max(opset.version, 13), 23)
    data = case / "test_data_set_0"
    names = [value.name for value in model.graph.input]
    feeds = dict(zip(names, tensors(data, "input")))
    if {node.op_type for node in model.graph.node} & SHAPED_BY_INPUTS:
        known = names if model.graph.node[0].op_type in ("Range", "ConstantOfShape") else names[1:]
        model.graph.initializer.extend(numpy_helper.from_array(feeds.pop(name), name) for name in known)
        kept = [value for value in model.graph.input if value.name in feeds]
        del model.graph.input[:]
        model.graph.input.extend(kept)
    got = run_graph(model, feeds)
    for name, expected in zip([value.name for value in model.graph.output], tensors(data, "output")):
        assert got[name].dtype == expected.dtype and got[name].shape == expected.shape
        np.testing.assert_allclose(got[name], expected, rtol=1e-3, atol=1e-6)
