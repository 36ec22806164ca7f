"""Floats to integers and back, and weights of 4- and 8-bit blocks."""
import ml_dtypes
import numpy as np

from .maker import F32, I8, I32, I64, MS, U8, operator


def scale_form(m):
    """A shape, an axis (None: the default, 1) and the dims of a scale that fit each other."""
    shape = m.shape(m.integer(1, 4))
    if m.chance(40):
        return shape, None, m.pick([(), (1,)])
    axis = m.axis(len(shape)) if len(shape) < 2 or m.chance(60) else None
    return shape, axis, (shape[1 if axis is None else axis],)


def axis_of(axis):
    return {} if axis is None else {"axis": axis}


@operator("QuantizeLinear")
def quantize(m, op):
    """Of floats near whole multiples of their scale, never halfway between two."""
    shape, axis, size = scale_form(m)
    scale = m.dice.uniform(0.05, 0.3, size).astype(F32)
    x = m.dice.integers(-90, 90, shape) + m.dice.uniform(-0.4, 0.4, shape)
    x = x * scale if size in ((), (1,)) else np.moveaxis(np.moveaxis(x, 1 if axis is None else axis, -1) * scale, -1, 1 if axis is None else axis)
    zero = [m.leaf(m.data(m.pick([U8, I8]), size, 0, 100))] if m.chance(70) else []
    m.node(op, [m.leaf(x.astype(F32)), m.leaf(scale), *zero], **axis_of(axis))


@operator("DequantizeLinear")
def dequantize(m, op):
    shape, axis, size = scale_form(m)
    kind = m.pick([U8, I8, I32])
    scale = m.leaf(m.dice.uniform(0.01, 0.05, size).astype(F32))
    zero = [m.leaf(m.data(kind, size, 0, 0 if kind == I32 else 100))] if m.chance(70) else []
    m.node(op, [m.operand(kind, shape), scale, *zero], **axis_of(axis))


@operator("DynamicQuantizeLinear")
def dynamic_quantize(m, op):
    m.node(op, [m.leaf(m.dice.normal(m.dice.normal(), 2, m.shape()).astype(F32))], 3)


def block_sizes(m):
    return m.pick([4, 8]), m.pick([16, 32, 64])


@operator("MatMulNBits", domain=MS)
def matmul_nbits(m, op):
    bits, block = block_sizes(m)
    k, n = m.integer(1, 3) * block if m.chance(70) else m.integer(1, 100), m.integer(1, 24)
    blocks = -(-k // block)
    quants = m.constant(m.data(U8, (n, blocks, block * bits // 8), 0, 255))
    scales = m.constant(m.dice.uniform(0.01, 0.1, m.pick([(n, blocks), (n * blocks,)])).astype(F32))
    zeros = m.data(U8, (n, -(-blocks * bits // 8)), 0, 255)
    zeros = m.constant(m.pick([zeros, zeros.reshape(-1)])) if m.chance(50) else None
    bias = [None, m.operand(F32, (n,))] if m.chance(40) else []
    m.node(op, [m.operand(F32, (*m.shape(m.integer(1, 2), 4), k)), quants, scales, zeros, *bias], domain=MS, K=k, N=n, block_size=block,
           **m.some(50 if bits == 4 else 100, bits=bits), **m.some(30, accuracy_level=0))


@operator("GatherBlockQuantized", domain=MS)
def gather_blocks(m, op):
    bits, block = block_sizes(m)
    rows, blocks = m.integer(1, 8), m.integer(1, 3)
    kind = m.pick([U8, U8, ml_dtypes.uint4, ml_dtypes.int4]) if bits == 4 else U8
    width = blocks * block if m.chance(70) else blocks * block - 8

    def packed(count):
        if kind == U8:
            return m.leaf(m.data(U8, (rows, -(-count * bits // 8)), 0, 255))
        return m.constant(m.data(I8, (rows, count), 0, 7).astype(kind))  # types that numpy has not

    indices = m.leaf(m.data(m.pick([I32, I64]), m.shape(m.integer(0, 2)), -rows, rows - 1))
    scales = m.leaf(m.dice.uniform(0.1, 1, (rows, blocks)).astype(F32))
    m.node(op, [packed(width), indices, scales, *([packed(blocks)] if m.chance(50) else [])], domain=MS, bits=bits, block_size=block,
           quantize_axis=m.pick([1, -1]), **m.some(50, gather_axis=0))
