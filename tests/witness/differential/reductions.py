"""Sums, norms and whatever else reads whole lines of its operand."""
import numpy as np

from .maker import F32, F64, I32, I64, MS, NUMBERS, operator

SUMMED = (F32, I32, I64, F64)
AXES_ARE_AN_INPUT_SINCE = {"ReduceSum": 13, "ReduceMean": 18, "ReduceMax": 18}


@operator("ReduceSum", "ReduceMean", "ReduceMax")
def reduce(m, op):
    x = m.operand(m.pick(NUMBERS if op == "ReduceMax" else SUMMED))
    axes = m.some_axes(m.of(x).ndim)
    flags = m.flags("keepdims")
    if m.opset >= AXES_ARE_AN_INPUT_SINCE[op]:
        flags |= m.flags("noop_with_empty_axes") if m.chance(40) else {}
        m.node(op, [x, *([m.integers(axes)] if m.chance(80) else [])], **flags)
    else:
        m.node(op, [x], **flags, **m.some(100 if axes else 0, axes=axes))


@operator("CumSum")
def cumulate(m, op):
    x = m.operand(m.pick(SUMMED), rank=m.integer(1, 4))
    axis = np.full(m.pick([(), (1,)]), m.axis(m.of(x).ndim), m.pick([I32, I64]))
    m.node(op, [x, m.leaf(axis)], **m.flags("exclusive", "reverse"))


@operator("Softmax")
def softmax(m, op):
    x = m.operand(F32, m.shape(m.integer(1, 4), 20))
    m.node(op, [x], **m.some(70, axis=m.axis(m.of(x).ndim)))


@operator("LpNormalization")
def lp_normalization(m, op):
    x = m.operand(F32, m.shape(m.integer(1, 4), 20), low=1)
    m.node(op, [x], **m.some(70, axis=m.axis(m.of(x).ndim)), **m.some(60, p=m.integer(1, 2)))


def normal_rows(m, rank):
    """No constants, which have no deviation to divide by."""
    shape = tuple(max(n, 2) for n in m.shape(rank, 20))
    return m.leaf((m.dice.normal(0, 2, shape) + m.dice.normal()).astype(F32)), shape


def epsilon(m):
    return m.some(50, epsilon=m.pick([1e-5, 1e-3, 1e-12]))


def trimmed(asked):
    """Without the outputs at the end that nobody asks for."""
    return asked[:max(i for i, wanted in enumerate(asked) if wanted) + 1]


@operator("LayerNormalization", since=17)
def layer_norm(m, op):
    x, shape = normal_rows(m, m.integer(1, 4))
    axis = m.axis(len(shape))
    vectors = [m.operand(F32, shape[axis:]) for _ in range(m.integer(1, 2))]
    m.node(op, [x, *vectors], trimmed([True, m.chance(15), m.chance(15)]), **m.some(100 if shape[axis:] != shape[-1:] else 50, axis=axis),
           **epsilon(m))


@operator("SimplifiedLayerNormalization")
def simplified_layer_norm(m, op):
    x, shape = normal_rows(m, m.integer(1, 4))
    axis = m.axis(len(shape))
    # ONNX Runtime takes the second output's dims for others where several axes are normalized: it is not asked for then.
    asked = trimmed([True, m.chance(15) and shape[axis:] == shape[-1:]])
    m.node(op, [x, m.operand(F32, shape[axis:])], asked, axis=axis, **epsilon(m))


@operator("SkipLayerNormalization", "SkipSimplifiedLayerNormalization", domain=MS)
def skip_layer_norm(m, op):
    x, shape = normal_rows(m, m.integer(2, 3))
    vector = lambda: m.operand(F32, shape[-1:])
    skip = m.pick([shape, shape, (1, *shape[1:]), shape[1:]]) if len(shape) == 3 else shape
    optional = [vector() if m.chance(60) else None for _ in range(2 if op == "SkipLayerNormalization" else 1)]
    m.node(op, [x, m.operand(F32, skip), vector(), *optional], trimmed([True, False, False, m.chance(50)]), domain=MS, **epsilon(m))
