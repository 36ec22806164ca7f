"""How a random valid node of each operator is made. A generator takes a Maker and adds its node, mostly on what earlier nodes gave."""
from functools import partial

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper, numpy_helper

from differential_graph import F16, F32, F64, I8, I32, I64, MOVABLE, MS, NUMBERS, U8

SUMS = (F32, I32, I64, F64)


# One operand, or some that broadcast.

def unary(op, m, dtype=F32):
    m.node(op, [m.operand(dtype, odd=True)])


def gelu_like(op, m, domain=MS, **attributes):
    """Not far in the left tail, where each implementation keeps other digits."""
    m.node(op, [m.operand(F32, fresh=True, low=-2)], domain=domain, **attributes)


def away_from_zero(op, m):
    """Where small differences of small numbers would be large; ONNX Runtime's sigmoid has but 4 digits of tiny results."""
    x = m.data(F32, m.shape(), 0.25, 4) if op != "Reciprocal" or m.chance(50) else -m.data(F32, m.shape(), 1, 4)
    m.node(op, [m.leaf(x)])


def gelu(m):
    gelu_like("Gelu", m, "", **({"approximate": m.pick(["none", "tanh"])} if m.chance(60) else {}))


def biased(op, m, optional):
    x = m.operand(F32, rank=m.integer(1, 4), fresh=True, low=-1)
    bias = [] if optional and m.chance(40) else [m.operand(F32, m.of(x).shape[-1:], fresh=True, low=-1)]
    m.node(op, [x, *bias], domain=MS)


def quick_gelu(m):
    gelu_like("QuickGelu", m, **({"alpha": m.pick([1.0, 1.702, -0.5])} if m.chance(60) else {}))


def pair(m, dtype, **how):
    """Two operands that broadcast, in either order."""
    a = m.operand(dtype, odd=True, **how)
    shape = m.of(a).shape
    both = [a, m.operand(dtype, m.broadcastable([m.integer(1, 4) if n == 1 else n for n in shape]), odd=True, **how)]
    return both[::-1] if m.chance(50) else both


def binary(op, m, dtypes=NUMBERS, **how):
    m.node(op, pair(m, m.pick(dtypes), **how))


def divide(m):
    """Never an integer by 0, nor the least one by -1: those end ONNX Runtime's process."""
    dtype = m.pick(NUMBERS)
    a = m.operand(dtype)
    b = m.data(dtype, m.broadcastable(m.of(a).shape), 1, 4)
    positive = dtype == U8 or m.chance(50) or (dtype in (I8, I32, I64) and (m.of(a) == np.iinfo(dtype).min).any())
    m.node("Div", [a, m.leaf(b if positive else -b)], damages=dtype in (F32, F64))


def power(m):
    dtype = m.pick(SUMS)
    a = m.data(dtype, m.shape(), 1, 4)
    b = m.data(dtype, m.broadcastable(a.shape), 0, 3) if m.chance(70) else np.array(m.pick([2, 3]), dtype)
    m.node("Pow", [m.leaf(a), m.leaf(b)])


def many(op, m):
    dtype = m.pick(NUMBERS)
    x = m.operand(dtype, odd=True)
    m.node(op, [x, *(m.operand(dtype, m.broadcastable(m.of(x).shape), odd=True) for _ in range(m.integer(0, 3)))])


def where(m):
    dtype = m.pick(MOVABLE)
    x = m.operand(dtype)
    shape = m.of(x).shape
    m.node("Where", [m.operand(np.bool_, m.broadcastable(shape)), x, m.operand(dtype, m.broadcastable(shape))])


def clip(m):
    dtype = m.pick(NUMBERS)
    low, high = (m.leaf(m.data(dtype, (), *ends)) for ends in ((-3, 0), (1, 3)))
    m.node("Clip", [m.operand(dtype, odd=True), *m.pick([[], [low], [None, high], [low, high]])])


def cast(m):
    kinds = (*NUMBERS, np.bool_, F16)
    to = helper.np_dtype_to_tensor_dtype(np.dtype(m.pick(kinds)))
    if m.chance(10):  # a type that numpy has not: only as a constant
        x = m.constant(m.data(F32, m.shape(), 0, 100).astype(ml_dtypes.bfloat16))
    else:
        x = m.operand(m.pick(kinds), exact=True, low=0, high=100)
    m.node("Cast", [x], to=to)


# Moving elements.

def concat(m):
    dtype = m.pick(MOVABLE)
    x = m.operand(dtype, rank=m.integer(1, 4))
    axis = m.axis(m.of(x).ndim)
    parts = [x]
    for _ in range(m.integer(0, 4)):
        shape = list(m.of(x).shape)
        shape[axis] = m.integer(0, 4)
        parts.append(m.operand(dtype, shape))
    m.node("Concat", list(m.dice.permutation(parts)), axis=axis)


def constant(m):
    numbers = m.data(F32, (m.integer(0, 5),)).tolist()
    value = m.data(m.pick(MOVABLE), m.shape())
    m.node("Constant", [], **m.pick([
        {"value": numpy_helper.from_array(value)}, {"value_float": 0.5}, {"value_int": m.integer(-9, 9)}, {"value_floats": numbers or [1.5]},
        {"value_ints": m.data(I64, (m.integer(1, 5),)).tolist()}]), damages=False)


def constant_of_shape(m):
    filler = {"value": numpy_helper.from_array(m.data(m.pick(MOVABLE), (1,)))} if m.chance(70) else {}
    m.node("ConstantOfShape", [m.integers(m.shape())], **filler)


def cumulate(m):
    x = m.operand(m.pick(SUMS), rank=m.integer(1, 4))
    axis = np.full(m.pick([(), (1,)]), m.axis(m.of(x).ndim), m.pick([I32, I64]))
    m.node("CumSum", [x, m.leaf(axis)], **flags(m, "exclusive", "reverse"))


def flags(m, *names):
    return {name: m.integer(0, 1) for name in names if m.chance(60)}


def expand(m):
    shape = m.shape()
    x = m.operand(m.pick(MOVABLE), m.broadcastable(shape))
    shape = [1 if m.chance(15) else n for n in shape]
    m.node("Expand", [x, m.integers(shape)])


def flatten(m):
    x = m.operand(m.pick(MOVABLE))
    rank = m.of(x).ndim
    m.node("Flatten", [x], **({"axis": m.integer(-rank, rank)} if m.chance(70) else {}))


def gather(m):
    data = m.operand(m.pick(MOVABLE), m.shape(m.integer(1, 4)), odd=True)
    axis = m.axis(m.of(data).ndim)
    length = m.of(data).shape[axis]
    indices = m.data(m.pick([I32, I64]), m.shape(m.integer(0, 2)) if length else (0,), -length, max(length - 1, 0))
    m.node("Gather", [data, m.leaf(indices)], **({"axis": axis} if axis or m.chance(50) else {}))


def identity(m):
    m.node("Identity", [m.operand(m.pick(MOVABLE))])


def nonzero(m):
    # Of a scalar ONNX says [0, n] and ONNX Runtime gives [1, n]: none is drawn.
    found = m.node("NonZero", [m.operand(m.pick((*NUMBERS, np.bool_)), m.shape(m.integer(1, 4)), exact=True)])[0]
    if m.chance(40):
        m.node(m.pick(["Transpose", "Shape", "Identity"]), [found])
    m.unplanned.update(m.nodes[-1].output, [found])  # what reads it is planned at its largest size: few operators can be


def span(m):
    dtype = m.pick([F32, I32, I64, F64])
    start, delta = m.integer(-20, 20), m.integer(1, 4) * m.pick([-1, 1])
    ends = [start, start + delta * m.integer(-2, 12) + m.integer(-1, 1), delta]
    m.node("Range", [m.leaf(np.array(end, dtype), True) for end in ends])


def reshape(m):
    x = m.operand(m.pick(MOVABLE))
    dims = list(m.of(x).shape)
    target = [int(n) for n in m.dice.permutation(dims)]
    if len(target) > 1 and m.chance(50):
        target[:2] = [target[0] * target[1]]
    target[m.integer(0, len(target)):0] = [1] if m.chance(30) else []
    if target and m.chance(40):
        target[m.integer(0, len(target) - 1)] = -1
    if target and dims and target[0] == dims[0] and m.chance(40):
        target[0] = 0
    m.node("Reshape", [x, m.integers(target)], **(flags(m, "allowzero") if m.opset >= 14 and m.chance(20) else {}))


def shape_of(m):
    x = m.operand(m.pick(MOVABLE))
    ends = {name: m.integer(-6, 6) for name in ("start", "end") if m.opset >= 15 and m.chance(40)}
    m.node("Shape", [x], **ends)


def cut(m):
    x = m.operand(m.pick(MOVABLE), rank=m.integer(1, 4))
    dims = m.of(x).shape
    axes = m.some_axes(len(dims)) if m.chance(70) else list(range(m.integer(0, len(dims))))
    kind = m.pick([I32, I64])
    steps = [m.pick([1, 1, 2, -1, -2, 3, 9, -9]) for _ in axes]
    near = lambda: [m.integer(-dims[a] - 1, dims[a] + 1) for a in axes]
    far = np.iinfo(kind)
    # ONNX Runtime takes the largest number for 0 where it ends a slice that goes backwards: none is drawn.
    ends = [m.pick([end, far.min, far.max if step > 0 else end]) for end, step in zip(near(), steps)]
    lists = [[m.pick([start, far.min, far.max]) for start in near()], ends, axes, steps]
    count = 2 if axes == list(range(len(axes))) and m.chance(50) else m.pick([3, 4])
    m.node("Slice", [x, *(m.leaf(np.array(one, kind), True) for one in lists[:count])])


def split(m):
    x = m.operand(m.pick(MOVABLE), rank=m.integer(1, 4))
    axis = m.axis(m.of(x).ndim)
    whole = m.of(x).shape[axis]
    parts = m.integer(1, 4)
    if m.chance(50):
        cuts = sorted(m.integer(0, whole) for _ in range(parts - 1))
        m.node("Split", [x, m.integers(np.diff([0, *cuts, whole]))], parts, axis=axis)
    elif m.opset >= 18:
        m.node("Split", [x], parts, axis=axis, num_outputs=parts)
    else:
        parts = m.pick([n for n in range(1, 5) if whole % n == 0])
        m.node("Split", [x], parts, axis=axis)


def squeeze(m):
    dims = [1 if m.chance(50) else n for n in m.shape()]
    x = m.operand(m.pick(MOVABLE), dims)
    axes = [a - len(dims) if m.chance(40) else a for a, n in enumerate(dims) if n == 1 and m.chance(60)]
    m.node("Squeeze", [x, *([m.integers(axes)] if m.chance(70) else [])])


def unsqueeze(m):
    x = m.operand(m.pick(MOVABLE), m.shape(m.integer(0, 4)))
    count = m.integer(1, 2)
    rank = m.of(x).ndim + count
    axes = [int(a) - rank if m.chance(40) else int(a) for a in m.dice.permutation(rank)[:count]]
    m.node("Unsqueeze", [x, m.integers(axes)])


def transpose(m):
    x = m.operand(m.pick(MOVABLE))
    perm = {"perm": m.dice.permutation(m.of(x).ndim).tolist()} if m.of(x).ndim and m.chance(80) else {}
    m.node("Transpose", [x], **perm)


# Sums and norms.

def reduce(op, m, dtypes, axes_input_since):
    x = m.operand(m.pick(dtypes), odd=op == "ReduceMax")
    axes = m.some_axes(m.of(x).ndim)
    given = flags(m, "keepdims")
    if m.opset >= axes_input_since:
        given |= flags(m, "noop_with_empty_axes") if m.chance(40) else {}
        m.node(op, [x, *([m.integers(axes)] if m.chance(80) else [])], **given)
    else:
        m.node(op, [x], **given, **({"axes": axes} if axes else {}))


def along(op, m, **attributes):
    """Along one axis of floats."""
    x = m.operand(F32, m.shape(m.integer(1, 4), 20), low=1, high=4) if op == "LpNormalization" else m.operand(F32, m.shape(m.integer(1, 4), 20))
    m.node(op, [x], **({"axis": m.axis(m.of(x).ndim)} if m.chance(70) else {}), **attributes)


def lp_normalization(m):
    along("LpNormalization", m, **({"p": m.integer(1, 2)} if m.chance(60) else {}))


def spread(m, shape):
    """Rows that are no constants: those have no deviation to divide by."""
    return m.leaf((m.dice.normal(0, 2, shape) + m.dice.normal()).astype(F32))


def layer_norm(op, m):
    shape = tuple(max(n, 2) for n in m.shape(m.integer(1, 4), 20))
    axis = m.axis(len(shape)) if m.chance(50) else -1
    x, row = spread(m, shape), shape[axis:]
    rest = [m.operand(F32, row) for _ in range(1 if op.startswith("S") else m.integer(1, 2))]
    asked = [True, *(m.chance(15) for _ in range(1 if op.startswith("S") else 2))]
    m.node(op, [x, *rest], trimmed(asked), **({"axis": axis} if axis != -1 else {}), **epsilon(m))


def epsilon(m):
    return {"epsilon": m.pick([1e-5, 1e-3, 1e-12])} if m.chance(50) else {}


def trimmed(asked):
    while not asked[-1]:
        asked = asked[:-1]
    return asked


def skip_norm(op, m, beta):
    shape = tuple(max(n, 2) for n in m.shape(m.integer(2, 3), 20))
    vector = lambda: m.operand(F32, shape[-1:])
    skip = m.pick([shape, shape, (1, *shape[1:]), shape[1:]]) if len(shape) == 3 else shape
    inputs = [spread(m, shape), m.operand(F32, skip), vector()]
    optional = [vector() if m.chance(60) else None for _ in range(2 if beta else 1)]
    m.node(op, [*inputs, *optional], trimmed([True, False, False, m.chance(50)]), domain=MS, **epsilon(m))


# Products.

def matmul(m):
    rows, inner, columns = (m.integer(1, 40) if m.chance(30) else m.integer(0 if m.chance(10) else 1, 5) for _ in range(3))
    stack = m.shape(m.integer(0, 2), 3)
    a, b = (*m.broadcastable(stack), rows, inner), (*m.broadcastable(stack), inner, columns)
    m.node("MatMul", [m.operand(F32, a), m.operand(F32, b)])


def gemm(m):
    rows, inner, columns = (m.integer(1, 40) if m.chance(30) else m.integer(1, 6) for _ in range(3))
    turned = flags(m, "transA", "transB")
    a = (inner, rows) if turned.get("transA") else (rows, inner)
    b = (columns, inner) if turned.get("transB") else (inner, columns)
    c = m.pick([(columns,), (rows, 1), (1, columns), (rows, columns), (), (1,)])
    factors = {name: m.pick([0.5, 2.0, -1.0, 0.0]) for name in ("alpha", "beta") if m.chance(40)}
    m.node("Gemm", [m.operand(F32, a), m.operand(F32, b), *([m.operand(F32, c)] if m.chance(60) else [])], **turned, **factors)


def byte_factors(m):
    """Bytes a [..., k] and b [k, n], and a function that draws a zero point. ONNX Runtime's sums of 8 bits saturate on some processors."""
    k, n = m.integer(1, 40), m.integer(1, 20)
    a_kind, b_kind = m.pick([U8, U8, I8]), m.pick([U8, I8])
    bits = lambda kind, shape: m.data(kind, shape, *((-64, 63) if kind == I8 else (0, 127)))
    a = m.leaf(bits(a_kind, (*m.shape(m.integer(1, 2), 5), k)))
    b = m.leaf(bits(b_kind, (k, n)))
    return a, b, n, lambda which, shape: m.leaf(m.data((a_kind, b_kind)[which], shape, 0, 60))


def matmul_integer(m):
    a, b, n, zero = byte_factors(m)
    m.node("MatMulInteger", [a, b, *m.pick([[], [zero(0, ())], [None, zero(1, ())], [zero(0, ()), zero(1, m.pick([(), (1,), (n,)]))]])])


def scales(m, shape):
    return m.leaf(m.dice.uniform(0.01, 0.05, shape).astype(F32))


def matmul_integer_to_float(m):
    a, b, n, zero = byte_factors(m)
    size = m.pick([(), (n,)])
    zeros = [zero(0, ()) if m.chance(60) else None, zero(1, size) if m.chance(60) else None]
    m.node("MatMulIntegerToFloat", [a, b, scales(m, ()), scales(m, size), *zeros, *([m.operand(F32, (n,))] if m.chance(50) else [])], domain=MS)


def dynamic_matmul(m):
    a, b, n, zero = byte_factors(m)
    size = m.pick([(), (n,)])
    x = m.leaf(m.dice.normal(0, 2, m.of(a).shape).astype(F32))
    m.node("DynamicQuantizeMatMul", [x, b, scales(m, size), zero(1, size) if m.chance(60) else None,
                                     *([m.operand(F32, (n,))] if m.chance(50) else [])], domain=MS)


# Quantized numbers.

def off_ties(m, shape, step):
    """Floats that lie near whole multiples of `step`, never halfway between two."""
    return ((m.dice.integers(-90, 90, shape) + m.dice.uniform(-0.4, 0.4, shape)) * step).astype(F32)


def scale_form(m):
    """A shape, an axis (None: the default, 1) and the dims of a scale that fit each other."""
    shape = m.shape(m.integer(1, 4))
    if m.chance(40):
        return shape, None, m.pick([(), (1,)])
    axis = m.axis(len(shape)) if len(shape) < 2 or m.chance(60) else None
    return shape, axis, (shape[1 if axis is None else axis],)


def quantize(m):
    shape, axis, size = scale_form(m)
    kind = m.pick([U8, I8])
    scale = m.dice.uniform(0.05, 0.3, size).astype(F32)
    along_axis = (-1, *[1] * (len(shape) - 1 - (1 if axis is None else axis) % len(shape))) if size and len(size) and size != (1,) else ()
    x = off_ties(m, shape, scale.reshape(along_axis) if along_axis else scale)
    zero = [m.leaf(m.data(kind, size, 0, 100))] if m.chance(70) else []
    m.node("QuantizeLinear", [m.leaf(x), m.leaf(scale), *zero], **({} if axis is None else {"axis": axis}))


def dequantize(m):
    shape, axis, size = scale_form(m)
    kind = m.pick([U8, I8, I32])
    zero = [m.leaf(m.data(kind, size, 0, 0 if kind == I32 else 100))] if m.chance(70) else []
    m.node("DequantizeLinear", [m.operand(kind, shape), scales(m, size), *zero], **({} if axis is None else {"axis": axis}))


def dynamic_quantize(m):
    m.node("DynamicQuantizeLinear", [m.leaf(m.dice.normal(m.dice.normal(), 2, m.shape()).astype(F32))], 3)


def block_sizes(m):
    return m.pick([4, 8]), m.pick([16, 32, 64])


def matmul_nbits(m):
    bits, block = block_sizes(m)
    k, n = m.integer(1, 3) * block if m.chance(70) else m.integer(1, 100), m.integer(1, 24)
    blocks = -(-k // block)
    b = m.data(U8, (n, blocks, block * bits // 8), 0, 255)
    scale = m.dice.uniform(0.01, 0.1, m.pick([(n, blocks), (n * blocks,)])).astype(F32)
    zeros = m.data(U8, (n, -(-blocks * bits // 8)), 0, 255)
    zeros = m.constant(m.pick([zeros, zeros.reshape(-1)])) if m.chance(50) else None
    bias = [None, m.operand(F32, (n,))] if m.chance(40) else []
    m.node("MatMulNBits", [m.operand(F32, (*m.shape(m.integer(1, 2), 4), k)), m.constant(b), m.constant(scale), zeros, *bias], domain=MS,
           K=k, N=n, block_size=block, **({"bits": bits} if bits != 4 or m.chance(50) else {}), **({"accuracy_level": 0} if m.chance(30) else {}))


def gather_blocks(m):
    bits, block = block_sizes(m)
    rows, blocks = m.integer(1, 8), m.integer(1, 3)
    kind = m.pick([U8, U8, ml_dtypes.uint4, ml_dtypes.int4]) if bits == 4 else U8
    width = blocks * block if m.chance(70) else blocks * block - 8
    pack = lambda count: m.data(U8, (rows, -(-count * bits // 8)), 0, 255) if kind == U8 else m.data(I8, (rows, count), 0, 7).astype(kind)
    constants = kind != U8 or m.chance(70) or None
    data = m.leaf(pack(width), constants)
    zeros = [m.leaf(pack(blocks), constants)] if m.chance(50) else []
    indices = m.leaf(m.data(m.pick([I32, I64]), m.shape(m.integer(0, 2)), -rows, rows - 1))
    m.node("GatherBlockQuantized", [data, indices, m.leaf(m.dice.uniform(0.1, 1, (rows, blocks)).astype(F32)), *zeros], domain=MS, bits=bits,
           block_size=block, quantize_axis=m.pick([1, -1]), **({"gather_axis": 0} if m.chance(50) else {}))


# Attention.

def tables(m, rows, width):
    """cos and sin, constants or not alike."""
    angles = m.dice.uniform(0, 6, (*rows, width))
    constants = m.chance(50)
    return [m.leaf(f(angles).astype(F32), constants) for f in (np.cos, np.sin)]


def rotary(m, contrib):
    batch, sequence, heads, half = m.integer(1, 2), m.integer(1, 5), m.integer(1, 3), m.integer(1, 6)
    partial_head = m.chance(25)
    head_dim = half * 2 + (2 * m.integer(1, 3) if partial_head else 0)
    flat = m.chance(50)
    x = m.operand(F32, (batch, sequence, heads * head_dim) if flat else (batch, heads, sequence, head_dim))
    attributes = {"num_heads": heads} if partial_head or (flat and (not contrib or m.chance(50))) else {}
    attributes |= {"rotary_embedding_dim": half * 2} if partial_head else {}
    attributes |= flags(m, "interleaved")
    positions = m.leaf(m.data(I64, (batch, sequence), 0, 11))
    if contrib:
        first = m.leaf(np.array([m.integer(0, 12 - sequence)]))
        m.node("RotaryEmbedding", [x, m.pick([positions, first]), *tables(m, (12,), half)], domain=MS, **attributes)
    elif m.chance(70):
        m.node("RotaryEmbedding", [x, *tables(m, (12,), half), positions], **attributes)
    else:
        m.node("RotaryEmbedding", [x, *tables(m, (batch, sequence), half)], **attributes)


def multi_head(m):
    batch, sequence, keys, heads = m.integer(1, 2), m.integer(1, 6), m.integer(1, 6), m.integer(1, 3)
    hidden = heads * m.integer(1, 9)
    rows = lambda length: m.operand(F32, (batch, length, hidden))
    mask = m.data(I32, (batch, keys), 0, 1)
    mask[:, 0] = 1  # what a row without any key gives is not said
    masks = [None, m.leaf(mask)] if m.chance(40) else []
    m.node("MultiHeadAttention", [rows(sequence), rows(keys), rows(keys), *masks], domain=MS, num_heads=heads,
           **({"scale": 0.4} if m.chance(30) else {}))


def group_query(m):
    batch, kv_heads, group, head_dim = m.integer(1, 3), m.integer(1, 2), m.integer(1, 3), 16 * m.integer(1, 2)
    heads = kv_heads * group
    prompt = m.chance(40)
    sequence, past = (m.integer(1, 6), 0) if prompt else (1 if batch > 1 else m.integer(1, 4), m.integer(1, 9))
    total = sequence + past
    lengths = np.array([total] + [total if not prompt and sequence > 1 else m.integer(sequence if past else 1, total) for _ in range(batch - 1)])
    rows = lambda width: m.operand(F32, (batch, sequence, width * head_dim))
    cached = [m.operand(F32, (batch, kv_heads, past, head_dim)) if past or m.chance(50) else None] * 2
    rotates = m.chance(60)
    turned = tables(m, (16,), head_dim // 2) if rotates else [None, None]
    sink = [None, None, m.operand(F32, (heads,))] if m.chance(20) else []
    attributes = {"local_window_size": m.integer(1, 8)} if m.chance(30) else {}
    attributes |= {"softcap": 2.5} if m.chance(20) else {}
    attributes |= {"smooth_softmax": 1} if m.chance(15) and not sink else {}
    attributes |= {"scale": 0.4} if m.chance(20) else {}
    attributes |= {"do_rotary": 1, **flags(m, "rotary_interleaved")} if rotates else {}
    # Rows behind a shorter prompt mean nothing, nor those of present behind a sequence's tokens.
    new = np.arange(sequence)[None] < (lengths if prompt else np.full(batch, sequence))[:, None]
    kept = (np.arange(total)[None] < lengths[:, None])[:, None, :, None]
    m.node("GroupQueryAttention", [rows(heads), rows(kv_heads), rows(kv_heads), *cached, m.leaf((lengths - 1).astype(I32)),
                                   m.leaf(np.array(total, I32)), *turned, *sink], 3, domain=MS, num_heads=heads, kv_num_heads=kv_heads,
           masks={0: new[:, :, None], 1: kept, 2: kept}, **attributes)


# The first opset that has the operator, where it is not 13 or an older one.
SINCE = {"Gelu": 20, "LayerNormalization": 17, "RotaryEmbedding": 23}
GENERATORS = {
    **{("", op): partial(unary, op) for op in ("Exp", "Erf", "Relu", "Tanh", "Neg", "Abs")},
    **{("", op): partial(away_from_zero, op) for op in ("Sqrt", "Reciprocal", "Sigmoid")},
    **{("", op): partial(binary, op) for op in ("Add", "Sub", "Mul")},
    **{("", op): partial(binary, op, exact=True) for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")},
    **{("", op): partial(binary, op, dtypes=(np.bool_,)) for op in ("And", "Or")},
    **{("", op): partial(many, op) for op in ("Max", "Min")},
    **{("", "ReduceMax"): partial(reduce, "ReduceMax", dtypes=NUMBERS, axes_input_since=18),
       ("", "ReduceMean"): partial(reduce, "ReduceMean", dtypes=SUMS, axes_input_since=18),
       ("", "ReduceSum"): partial(reduce, "ReduceSum", dtypes=SUMS, axes_input_since=13)},
    ("", "Not"): partial(unary, "Not", dtype=np.bool_), ("", "Where"): where, ("", "Div"): divide, ("", "Pow"): power, ("", "Clip"): clip,
    ("", "Cast"): cast, ("", "Gelu"): gelu, ("", "Concat"): concat, ("", "Constant"): constant, ("", "ConstantOfShape"): constant_of_shape,
    ("", "CumSum"): cumulate, ("", "Expand"): expand, ("", "Flatten"): flatten, ("", "Gather"): gather, ("", "Identity"): identity,
    ("", "NonZero"): nonzero, ("", "Range"): span, ("", "Reshape"): reshape, ("", "Shape"): shape_of, ("", "Slice"): cut, ("", "Split"): split,
    ("", "Squeeze"): squeeze, ("", "Unsqueeze"): unsqueeze, ("", "Transpose"): transpose, ("", "Softmax"): partial(along, "Softmax"),
    ("", "LpNormalization"): lp_normalization, ("", "MatMul"): matmul, ("", "Gemm"): gemm, ("", "MatMulInteger"): matmul_integer,
    ("", "QuantizeLinear"): quantize, ("", "DequantizeLinear"): dequantize, ("", "DynamicQuantizeLinear"): dynamic_quantize,
    ("", "LayerNormalization"): partial(layer_norm, "LayerNormalization"),
    ("", "SimplifiedLayerNormalization"): partial(layer_norm, "SimplifiedLayerNormalization"),
    ("", "RotaryEmbedding"): partial(rotary, contrib=False),
    (MS, "BiasGelu"): partial(biased, "BiasGelu", optional=False), (MS, "FastGelu"): partial(biased, "FastGelu", optional=True),
    (MS, "Gelu"): partial(gelu_like, "Gelu"), (MS, "QuickGelu"): quick_gelu,
    (MS, "DynamicQuantizeMatMul"): dynamic_matmul, (MS, "MatMulIntegerToFloat"): matmul_integer_to_float, (MS, "MatMulNBits"): matmul_nbits,
    (MS, "GatherBlockQuantized"): gather_blocks, (MS, "RotaryEmbedding"): partial(rotary, contrib=True),
    (MS, "MultiHeadAttention"): multi_head, (MS, "GroupQueryAttention"): group_query,
    (MS, "SkipLayerNormalization"): partial(skip_norm, "SkipLayerNormalization", beta=True),
    (MS, "SkipSimplifiedLayerNormalization"): partial(skip_norm, "SkipSimplifiedLayerNormalization", beta=False),
}
