"""Products of floats and of bytes."""
from .maker import F32, I8, MS, U8, operator


@operator("MatMul")
def matmul(m, op):
    rows, inner, columns = (m.integer(1, 40) if m.chance(30) else m.integer(0 if m.chance(10) else 1, 5) for _ in range(3))
    stack = m.shape(m.integer(0, 2), 3)
    m.node(op, [m.operand(F32, (*m.broadcastable(stack), rows, inner)), m.operand(F32, (*m.broadcastable(stack), inner, columns))])


@operator("Gemm")
def gemm(m, op):
    rows, inner, columns = (m.integer(1, 40) if m.chance(30) else m.integer(1, 6) for _ in range(3))
    turned = m.flags("transA", "transB")
    a = (inner, rows) if turned.get("transA") else (rows, inner)
    b = (columns, inner) if turned.get("transB") else (inner, columns)
    c = [m.operand(F32, m.pick([(columns,), (rows, 1), (1, columns), (rows, columns), (), (1,)]))] if m.chance(60) else []
    factors = {name: m.pick([0.5, 2.0, -1.0, 0.0]) for name in ("alpha", "beta") if m.chance(40)}
    m.node(op, [m.operand(F32, a), m.operand(F32, b), *c], **turned, **factors)


class Bytes:
    """Factors a [..., k] and b [k, n] of 7 bits: ONNX Runtime's sums of 8 saturate on some processors."""

    def __init__(self, m):
        self.m = m
        self.kinds = m.pick([U8, U8, I8]), m.pick([U8, I8])
        self.k, self.n = m.integer(1, 40), m.integer(1, 20)
        self.a_shape = (*m.shape(m.integer(1, 2), 5), self.k)

    def factor(self, which, shape):
        kind = self.kinds[which]
        return self.m.leaf(self.m.data(kind, shape, *((-64, 63) if kind == I8 else (0, 127))))

    def a(self):
        return self.factor(0, self.a_shape)

    def b(self):
        return self.factor(1, (self.k, self.n))

    def zero(self, which, shape=()):
        return self.m.leaf(self.m.data(self.kinds[which], shape, 0, 60))

    def scale(self, shape=()):
        return self.m.leaf(self.m.dice.uniform(0.01, 0.05, shape).astype(F32))

    def bias(self):
        return [self.m.operand(F32, (self.n,))] if self.m.chance(50) else []


@operator("MatMulInteger")
def matmul_integer(m, op):
    bytes_ = Bytes(m)
    zeros = m.pick([[], [bytes_.zero(0)], [None, bytes_.zero(1)], [bytes_.zero(0), bytes_.zero(1, m.pick([(), (1,), (bytes_.n,)]))]])
    m.node(op, [bytes_.a(), bytes_.b(), *zeros])


@operator("MatMulIntegerToFloat", domain=MS)
def matmul_integer_to_float(m, op):
    bytes_ = Bytes(m)
    size = m.pick([(), (bytes_.n,)])
    zeros = [bytes_.zero(0) if m.chance(60) else None, bytes_.zero(1, size) if m.chance(60) else None]
    m.node(op, [bytes_.a(), bytes_.b(), bytes_.scale(), bytes_.scale(size), *zeros, *bytes_.bias()], domain=MS)


@operator("DynamicQuantizeMatMul", domain=MS)
def dynamic_matmul(m, op):
    bytes_ = Bytes(m)
    size = m.pick([(), (bytes_.n,)])
    x = m.leaf(m.dice.normal(0, 2, bytes_.a_shape).astype(F32))
    m.node(op, [x, bytes_.b(), bytes_.scale(size), bytes_.zero(1, size) if m.chance(60) else None, *bytes_.bias()], domain=MS)
