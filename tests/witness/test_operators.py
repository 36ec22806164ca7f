"""Operators on random shapes and values, computed by ONNX Runtime and by our executor."""
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

MS = "com.microsoft"
ROUNDS = 4


def make(op, feeds, outputs=1, constants=(), domain="", opset=17, types=None, **attributes):
    """A model of one node; `constants` are those of its inputs that are initializers. None: not given."""
    node = helper.make_node(op, [name or "" for name in feeds], [f"y{i}" for i in range(outputs)], "node", domain=domain, **attributes)
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
              for name, value in feeds.items() if name and name not in constants]
    makes = types or [TensorProto.UNDEFINED] * outputs
    graph = helper.make_graph([node], "one", inputs, [helper.make_tensor_value_info(f"y{i}", kind, None) for i, kind in enumerate(makes)],
                              [numpy_helper.from_array(feeds[name], name) for name in constants])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS, 1)], ir_version=10)


@pytest.fixture
def agree(run_graph):
    """agree(op, feeds, ...): both runtimes, same shapes, types and, within `atol`, values."""

    def check(op, feeds, atol=0.0, **kwargs):
        model = make(op, feeds, **kwargs)
        given = {name: value for name, value in feeds.items() if name and name not in kwargs.get("constants", ())}
        options = ort.SessionOptions()
        options.log_severity_level = 3
        expected = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, given)
        got = run_graph(model, given)
        for i, theirs in enumerate(expected):
            ours = got[f"y{i}"]
            assert ours.dtype == theirs.dtype and ours.shape == np.shape(theirs), (op, ours.shape, np.shape(theirs))
            np.testing.assert_allclose(ours, theirs, rtol=atol, atol=atol, err_msg=op)

    return check


def f32(dice, *shape):
    return dice.normal(0, 2, shape).astype(np.float32)


FLOAT, INT32, BOOL, INT64, UINT8, INT8 = (TensorProto.FLOAT, TensorProto.INT32, TensorProto.BOOL, TensorProto.INT64, TensorProto.UINT8,
                                          TensorProto.INT8)


@pytest.fixture(params=range(ROUNDS))
def dice(request):
    return np.random.default_rng(request.param)


def some_shape(dice, rank=None, most=7):
    return tuple(int(n) for n in dice.integers(1, most, rank or dice.integers(1, 5)))


def broadcastable(dice, shape):
    """`shape` with some axes 1 and some leading ones gone."""
    out = [1 if dice.random() < 0.4 else n for n in shape]
    return tuple(out[dice.integers(0, len(out)):])


@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
@pytest.mark.parametrize("kind", [np.float32, np.int64, np.int32])
def test_comparisons(op, kind, dice, agree):
    shape = some_shape(dice)
    pair = [shape, broadcastable(dice, shape)]
    if dice.random() < 0.5:
        pair.reverse()
    feeds = {name: dice.integers(-3, 3, size).astype(kind) for name, size in zip("ab", pair)}
    agree(op, feeds, types=[BOOL])


@pytest.mark.parametrize("op", ["And", "Or", "Not"])
def test_logic(op, dice, agree):
    shape = some_shape(dice)
    feeds = {"a": dice.random(shape) < 0.5, "b": dice.random(broadcastable(dice, shape)) < 0.5}
    agree(op, {"a": feeds["a"]} if op == "Not" else feeds, types=[BOOL])


@pytest.mark.parametrize("kind, onnx_kind", [(np.float32, FLOAT), (np.int64, INT64), (np.uint8, UINT8)])
def test_where(kind, onnx_kind, dice, agree):
    shape = some_shape(dice)
    feeds = {"c": dice.random(broadcastable(dice, shape)) < 0.5, "a": dice.integers(0, 9, shape).astype(kind),
             "b": dice.integers(0, 9, broadcastable(dice, shape)).astype(kind)}
    agree("Where", feeds, types=[onnx_kind])


def test_expand(dice, agree):
    shape = some_shape(dice)
    feeds = {"x": f32(dice, *broadcastable(dice, shape)), "shape": np.array(shape, np.int64)}
    agree("Expand", feeds, constants=("shape",), types=[FLOAT])


def test_range(dice, agree):
    for kind, onnx_kind in ((np.int64, INT64), (np.float32, FLOAT)):
        start, delta = dice.integers(-20, 20), dice.integers(1, 5) * dice.choice([-1, 1])
        ends = {"start": start, "limit": start + delta * dice.integers(0, 30), "delta": delta}
        feeds = {name: np.array(value, kind) for name, value in ends.items()}
        agree("Range", feeds, constants=tuple(feeds), types=[onnx_kind])


def test_split(dice, agree):
    lengths = dice.integers(0, 5, 3)
    x = f32(dice, 3, int(lengths.sum()), 2)
    agree("Split", {"x": x, "split": lengths.astype(np.int64)}, constants=("split",), outputs=3, axis=1, types=[FLOAT] * 3)
    agree("Split", {"x": f32(dice, 7, 2)}, outputs=3, opset=18, num_outputs=3, types=[FLOAT] * 3)


def test_cumsum(dice, agree):
    for axis in (0, -1, 1):
        for exclusive in (0, 1):
            agree("CumSum", {"x": f32(dice, *some_shape(dice, 3)), "axis": np.array(axis, np.int64)}, 1e-5, constants=("axis",), types=[FLOAT],
                  exclusive=exclusive, reverse=int(dice.integers(0, 2)))


def test_softmax(dice, agree):
    for axis in (-1, 0, 1):
        agree("Softmax", {"x": f32(dice, *some_shape(dice, 3, 40))}, 1e-6, axis=axis, types=[FLOAT])


@pytest.mark.parametrize("constant", [True, False])
def test_gemm(constant, dice, agree):
    m, n, k = (int(x) for x in dice.integers(1, 40, 3))
    for turned in range(4):
        a, b = turned & 1, turned >> 1
        feeds = {"a": f32(dice, *((k, m) if a else (m, k))), "b": f32(dice, *((n, k) if b else (k, n))),
                 "c": f32(dice, *[(n,), (m, 1), (1, n), (m, n)][turned])}
        agree("Gemm", feeds, 1e-4, constants=("b",) if constant else (), transA=a, transB=b, alpha=0.5, beta=1.5, types=[FLOAT])
    agree("Gemm", {"a": f32(dice, m, k), "b": f32(dice, k, n)}, 1e-4, types=[FLOAT])


def test_clip_and_quick_gelu(dice, agree):
    x = f32(dice, *some_shape(dice))
    agree("Clip", {"x": x, "low": np.array(-0.5, np.float32), "high": np.array(1, np.float32)}, types=[FLOAT])
    agree("Clip", {"x": x, "low": np.array(-0.5, np.float32)}, types=[FLOAT])
    agree("QuickGelu", {"x": x}, 1e-6, domain=MS, alpha=1.702, types=[FLOAT])


def test_dynamic_quantize_linear(dice, agree):
    for shape in ((1,), (5, 33), (70, 512)):
        agree("DynamicQuantizeLinear", {"x": f32(dice, *shape) + dice.normal()}, outputs=3, types=[UINT8, FLOAT, UINT8])
    agree("DynamicQuantizeLinear", {"x": np.zeros((2, 3), np.float32)}, outputs=3, types=[UINT8, FLOAT, UINT8])


def test_quantize_and_dequantize_linear(dice, agree):
    x = f32(dice, 4, 5, 6) * 20
    for kind, onnx_kind, low in ((np.uint8, UINT8, 0), (np.int8, INT8, -128)):
        for size in ((), (5,)):
            scale = dice.uniform(0.05, 0.3, size).astype(np.float32)
            zero = dice.integers(low, low + 256, size).astype(kind)
            agree("QuantizeLinear", {"x": x, "s": scale, "z": zero}, axis=1, types=[onnx_kind])
            q = dice.integers(low, low + 256, (4, 5, 6)).astype(kind)
            agree("DequantizeLinear", {"x": q, "s": scale, "z": zero}, axis=1, types=[FLOAT])


def integer_operands(dice, b_kind):
    m, n, k = (int(x) for x in dice.integers(1, 80, 3))
    low = -128 if b_kind == np.int8 else 0
    # 7 bits of weights: ONNX Runtime without VNNI would saturate beyond.
    b = dice.integers(low // 2, low // 2 + 128, (k, n)).astype(b_kind)
    return m, n, k, dice.integers(0, 256, (2, m, k)).astype(np.uint8), b


@pytest.mark.parametrize("b_kind", [np.int8, np.uint8])
@pytest.mark.parametrize("constant", [True, False])
def test_matmul_integer(b_kind, constant, dice, agree):
    m, n, k, a, b = integer_operands(dice, b_kind)
    constants = ("b",) if constant else ()
    agree("MatMulInteger", {"a": a, "b": b}, constants=constants, types=[INT32])
    zero = np.array(dice.integers(0, 256), np.uint8)
    agree("MatMulInteger", {"a": a, "b": b, "az": zero}, constants=constants, types=[INT32])
    for size in ((), (n,)):
        zeros = dice.integers(0, 100, size).astype(b_kind)
        agree("MatMulInteger", {"a": a, "b": b, "az": zero, "bz": zeros}, constants=constants + (("bz",) if constant else ()), types=[INT32])


@pytest.mark.parametrize("b_kind", [np.int8, np.uint8])
def test_scaled_integer_products(b_kind, dice, agree):
    m, n, k, a, b = integer_operands(dice, b_kind)
    scale = dice.uniform(0.01, 0.02, n).astype(np.float32)
    zeros = dice.integers(0, 100, n).astype(b_kind)
    bias = f32(dice, n)
    agree("MatMulIntegerToFloat", {"a": a, "b": b, "as": np.array(0.03, np.float32), "bs": scale, "az": np.array(7, np.uint8), "bz": zeros,
                                   "bias": bias}, 1e-4, constants=("b", "bs", "bz", "bias"), domain=MS, types=[FLOAT])
    x = f32(dice, m, k)
    agree("DynamicQuantizeMatMul", {"a": x, "b": b, "bs": scale, "bz": zeros, "bias": bias}, 1e-4, constants=("b", "bs", "bz", "bias"),
          domain=MS, types=[FLOAT])


@pytest.mark.parametrize("interleaved", [0, 1])
def test_rotary_embedding(interleaved, dice, agree):
    batch, sequence, heads, head_dim, most = 2, int(dice.integers(1, 6)), 3, 16, 32
    angles = dice.uniform(0, 6, (most, head_dim // 2))
    caches = {"cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}
    positions = {"each": dice.integers(0, most, (batch, sequence)), "first": np.array([5])}
    for x in (f32(dice, batch, sequence, heads * head_dim), f32(dice, batch, heads, sequence, head_dim)):
        for ids in positions.values():
            agree("RotaryEmbedding", {"x": x, "ids": ids.astype(np.int64), **caches}, 1e-5, domain=MS, interleaved=interleaved, types=[FLOAT])
    half = {name: table[:, :head_dim // 4] for name, table in caches.items()}
    agree("RotaryEmbedding", {"x": x, "ids": positions["each"].astype(np.int64), **half}, 1e-5, domain=MS, interleaved=interleaved,
          num_heads=heads, rotary_embedding_dim=head_dim // 2, types=[FLOAT])


@pytest.mark.parametrize("bits", [4, 8])
def test_gather_block_quantized(bits, dice, agree):
    rows, width, block = 11, 64, 32
    data = dice.integers(0, 256, (rows, width * bits // 8)).astype(np.uint8)
    scales = dice.uniform(0.1, 1, (rows, width // block)).astype(np.float32)
    zeros = dice.integers(0, 256, (rows, (width // block * bits + 7) // 8)).astype(np.uint8)
    indices = dice.integers(0, rows, (2, 3)).astype(np.int64)
    feeds = {"data": data, "indices": indices, "scales": scales}
    for more in ({}, {"zeros": zeros}):
        agree("GatherBlockQuantized", {**feeds, **more}, 1e-6, constants=("data", "scales", *more), domain=MS, bits=bits, block_size=block,
              gather_axis=0, quantize_axis=1, types=[FLOAT])


def test_constants(dice, agree):
    value = numpy_helper.from_array(np.array([int(dice.integers(0, 99))], np.int64), "v")
    agree("ConstantOfShape", {"shape": np.array(some_shape(dice), np.int64)}, constants=("shape",), value=value, types=[INT64])
    agree("ConstantOfShape", {"shape": np.array([], np.int64)}, constants=("shape",), types=[FLOAT])


@pytest.mark.parametrize("op", ["Max", "Min"])
def test_any_number_of_operands(op, dice, agree):
    shape = some_shape(dice)
    count = int(dice.integers(1, 5))
    agree(op, {f"x{i}": f32(dice, *(shape if i == 0 else broadcastable(dice, shape))) for i in range(count)}, types=[FLOAT])


def test_layer_normalization_over_several_axes(dice, agree):
    shape = some_shape(dice, 4)
    for axis in (-1, 1, 2):
        row = shape[axis:]
        agree("LayerNormalization", {"x": f32(dice, *shape), "g": f32(dice, *row), "b": f32(dice, *row)}, 1e-4, axis=axis, types=[FLOAT])
