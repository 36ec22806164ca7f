"""Operators that make, move and count elements."""
import numpy as np
from onnx import numpy_helper

from .maker import F32, F64, I32, I64, MOVABLE, NUMBERS, operator


@operator("Concat")
def concat(m, op):
    dtype = m.pick(MOVABLE)
    x = m.operand(dtype, rank=m.integer(1, 4))
    axis = m.axis(m.of(x).ndim)
    parts = [x]
    for _ in range(m.integer(0, 4)):
        shape = list(m.of(x).shape)
        shape[axis] = m.integer(0, 4)
        parts.append(m.operand(dtype, shape))
    m.node(op, list(m.dice.permutation(parts)), axis=axis)


@operator("Constant")
def constant(m, op):
    value = m.data(m.pick(MOVABLE), m.shape())
    forms = [{"value": numpy_helper.from_array(value)}, {"value_float": 0.5}, {"value_int": m.integer(-9, 9)},
             {"value_floats": m.data(F32, (m.integer(1, 5),)).tolist()}, {"value_ints": m.data(I64, (m.integer(1, 5),)).tolist()}]
    m.node(op, [], damages=False, **m.pick(forms))


@operator("ConstantOfShape")
def constant_of_shape(m, op):
    m.node(op, [m.integers(m.shape())], **m.some(70, value=numpy_helper.from_array(m.data(m.pick(MOVABLE), (1,)))))


@operator("Range")
def span(m, op):
    dtype = m.pick([F32, I32, I64, F64])
    start, delta = m.integer(-20, 20), m.integer(1, 4) * m.pick([-1, 1])
    ends = [start, start + delta * m.integer(-2, 12) + m.integer(-1, 1), delta]
    m.node(op, [m.constant(np.array(end, dtype)) for end in ends])


@operator("Expand")
def expand(m, op):
    shape = m.shape()
    x = m.operand(m.pick(MOVABLE), m.broadcastable(shape))
    m.node(op, [x, m.integers([1 if m.chance(15) else n for n in shape])])


@operator("Flatten")
def flatten(m, op):
    x = m.operand(m.pick(MOVABLE))
    rank = m.of(x).ndim
    m.node(op, [x], **m.some(70, axis=m.integer(-rank, rank)))


@operator("Gather")
def gather(m, op):
    data = m.operand(m.pick(MOVABLE), m.shape(m.integer(1, 4)), odd=True)
    axis = m.axis(m.of(data).ndim)
    length = m.of(data).shape[axis]
    indices = m.data(m.pick([I32, I64]), m.shape(m.integer(0, 2)) if length else (0,), -length, max(length - 1, 0))
    m.node(op, [data, m.leaf(indices)], **m.some(100 if axis else 50, axis=axis))


@operator("Identity")
def identity(m, op):
    m.node(op, [m.operand(m.pick(MOVABLE))])


@operator("NonZero")
def nonzero(m, op):
    """Not of a scalar, for which ONNX says [0, n] and ONNX Runtime gives [1, n]."""
    x = m.operand(m.pick((*NUMBERS, np.bool_)), m.shape(m.integer(1, 4)), exact=True)
    found = m.node(op, [x], damages=False)[0]
    if m.chance(40):
        m.node(m.pick(["Transpose", "Shape", "Identity"]), [found])
    m.unplanned.update([found, *m.last])  # what reads them is planned at their largest size: few operators can be


@operator("Reshape")
def reshape(m, op):
    x = m.operand(m.pick(MOVABLE))
    dims = list(m.of(x).shape)
    target = [int(n) for n in m.dice.permutation(dims)]
    if len(target) > 1 and m.chance(50):
        target[:2] = [target[0] * target[1]]
    if m.chance(30):
        target.insert(m.integer(0, len(target)), 1)
    if target and m.chance(40):
        target[m.integer(0, len(target) - 1)] = -1
    if target and dims and target[0] == dims[0] and m.chance(40):
        target[0] = 0
    m.node(op, [x, m.integers(target)], **(m.flags("allowzero") if m.opset >= 14 and m.chance(20) else {}))


@operator("Shape")
def shape_of(m, op):
    ends = {name: m.integer(-6, 6) for name in ("start", "end") if m.opset >= 15 and m.chance(40)}
    m.node(op, [m.operand(m.pick(MOVABLE))], **ends)


@operator("Slice")
def cut(m, op):
    x = m.operand(m.pick(MOVABLE), rank=m.integer(1, 4))
    dims = m.of(x).shape
    axes = m.some_axes(len(dims)) if m.chance(70) else list(range(m.integer(0, len(dims))))
    kind = m.pick([I32, I64])
    far = np.iinfo(kind)
    steps = [m.pick([1, 1, 2, -1, -2, 3, 9, -9]) for _ in axes]
    near = lambda: [m.integer(-dims[a] - 1, dims[a] + 1) for a in axes]
    # ONNX Runtime takes the largest number for 0 where it ends a slice that goes backwards: none is drawn.
    ends = [m.pick([end, far.min, far.max if step > 0 else end]) for end, step in zip(near(), steps)]
    lists = [[m.pick([start, far.min, far.max]) for start in near()], ends, axes, steps]
    count = 2 if axes == list(range(len(axes))) and m.chance(50) else m.pick([3, 4])
    m.node(op, [x, *(m.constant(np.array(one, kind)) for one in lists[:count])])


@operator("Split")
def split(m, op):
    x = m.operand(m.pick(MOVABLE), rank=m.integer(1, 4))
    axis = m.axis(m.of(x).ndim)
    whole = m.of(x).shape[axis]
    parts = m.integer(1, 4)
    if m.chance(50):
        cuts = sorted(m.integer(0, whole) for _ in range(parts - 1))
        m.node(op, [x, m.integers(np.diff([0, *cuts, whole]))], parts, axis=axis)
    elif m.opset >= 18:
        m.node(op, [x], parts, axis=axis, num_outputs=parts)
    else:
        m.node(op, [x], m.pick([n for n in range(1, 5) if whole % n == 0]), axis=axis)


@operator("Squeeze")
def squeeze(m, op):
    dims = [1 if m.chance(50) else n for n in m.shape()]
    axes = [a - len(dims) if m.chance(40) else a for a, n in enumerate(dims) if n == 1 and m.chance(60)]
    m.node(op, [m.operand(m.pick(MOVABLE), dims), *([m.integers(axes)] if m.chance(70) else [])])


@operator("Unsqueeze")
def unsqueeze(m, op):
    x = m.operand(m.pick(MOVABLE), m.shape(m.integer(0, 4)))
    count = m.integer(1, 2)
    rank = m.of(x).ndim + count
    axes = [int(a) - rank if m.chance(40) else int(a) for a in m.dice.permutation(rank)[:count]]
    m.node(op, [x, m.integers(axes)])


@operator("Transpose")
def transpose(m, op):
    x = m.operand(m.pick(MOVABLE))
    rank = m.of(x).ndim
    m.node(op, [x], **m.some(80 if rank else 0, perm=m.dice.permutation(rank).tolist()))
