"""Operators whose every element depends on those that broadcast to it."""
import ml_dtypes
import numpy as np
from onnx import helper

from .maker import F16, F32, F64, I32, I64, MOVABLE, MS, NUMBERS, U8, operator


@operator("Exp", "Erf", "Relu", "Tanh", "Neg", "Abs")
def unary(m, op):
    m.node(op, [m.operand(F32, odd=True)])


@operator("Not")
def invert(m, op):
    m.node(op, [m.operand(np.bool_)])


@operator("Sqrt", "Reciprocal", "Sigmoid")
def away_from_zero(m, op):
    """Where small differences of small numbers would be large; ONNX Runtime's sigmoid has but 4 digits of tiny results."""
    x = m.data(F32, m.shape(), 0.25, 4)
    m.node(op, [m.leaf(-x if op == "Reciprocal" and m.chance(50) else x)])


def above_the_tail(m, shape=None, low=-2):
    """Not far to the left, where each implementation of Gelu keeps other digits."""
    return m.operand(F32, shape, fresh=True, low=low)


@operator("Gelu", since=20)
def gelu(m, op):
    m.node(op, [above_the_tail(m)], **m.some(60, approximate=m.pick(["none", "tanh"])))


@operator("Gelu", domain=MS)
def contrib_gelu(m, op):
    m.node(op, [above_the_tail(m)], domain=MS)


@operator("QuickGelu", domain=MS)
def quick_gelu(m, op):
    m.node(op, [above_the_tail(m)], domain=MS, **m.some(60, alpha=m.pick([1.0, 1.702, -0.5])))


@operator("BiasGelu", "FastGelu", domain=MS)
def biased_gelu(m, op):
    shape = m.shape(m.integer(1, 4))
    bias = [] if op == "FastGelu" and m.chance(40) else [above_the_tail(m, shape[-1:], -1)]
    m.node(op, [above_the_tail(m, shape, -1), *bias], domain=MS)


def pair(m, dtype, **how):
    """Two operands that broadcast, in either order."""
    a = m.operand(dtype, odd=True, **how)
    wider = [m.integer(1, 4) if n == 1 else n for n in m.of(a).shape]
    both = [a, m.operand(dtype, m.broadcastable(wider), odd=True, **how)]
    return both[::-1] if m.chance(50) else both


@operator("Add", "Sub", "Mul")
def arithmetic(m, op):
    m.node(op, pair(m, m.pick(NUMBERS)))


@operator("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
def comparison(m, op):
    m.node(op, pair(m, m.pick(NUMBERS), exact=True))


@operator("And", "Or")
def logic(m, op):
    m.node(op, pair(m, np.bool_))


@operator("Div")
def divide(m, op):
    """Never an integer by 0: that ends ONNX Runtime's process."""
    dtype = m.pick(NUMBERS)
    a = m.operand(dtype)
    b = m.data(dtype, m.broadcastable(m.of(a).shape), 1, 4)
    m.node(op, [a, m.leaf(b if dtype == U8 or m.chance(50) else -b)], damages=dtype in (F32, F64))


@operator("Pow")
def power(m, op):
    dtype = m.pick([F32, I32, I64, F64])
    a = m.data(dtype, m.shape(), 1, 4)
    b = m.data(dtype, m.broadcastable(a.shape), 0, 3) if m.chance(70) else np.array(m.pick([2, 3]), dtype)
    m.node(op, [m.leaf(a), m.leaf(b)])


@operator("Max", "Min")
def largest(m, op):
    dtype = m.pick(NUMBERS)
    x = m.operand(dtype, odd=True)
    m.node(op, [x, *(m.operand(dtype, m.broadcastable(m.of(x).shape), odd=True) for _ in range(m.integer(0, 3)))])


@operator("Where")
def where(m, op):
    dtype = m.pick(MOVABLE)
    x = m.operand(dtype)
    shape = m.of(x).shape
    m.node(op, [m.operand(np.bool_, m.broadcastable(shape)), x, m.operand(dtype, m.broadcastable(shape))])


@operator("Clip")
def clip(m, op):
    """No NaN of 64 bits: ONNX Runtime makes it the least, and keeps one of 32."""
    dtype = m.pick(NUMBERS)
    low, high = (m.leaf(m.data(dtype, (), *ends)) for ends in ((-3, 0), (1, 3)))
    m.node(op, [m.operand(dtype, odd=dtype != F64), *m.pick([[], [low], [None, high], [low, high]])])


@operator("Cast")
def cast(m, op):
    kinds = (*NUMBERS, np.bool_, F16)
    if m.chance(10):  # a type that numpy has not: only as a constant
        x = m.constant(m.data(F32, m.shape(), 0, 100).astype(ml_dtypes.bfloat16))
    else:
        x = m.operand(m.pick(kinds), exact=True, low=0, high=100)
    m.node(op, [x], to=helper.np_dtype_to_tensor_dtype(np.dtype(m.pick(kinds))))
