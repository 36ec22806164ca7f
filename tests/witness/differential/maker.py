"""Makes random small graphs and runs them in ONNX Runtime as it goes."""
import numpy as np
import onnxruntime as ort
from onnx import helper, numpy_helper

MS = "com.microsoft"
F32, F64, F16 = np.float32, np.float64, np.float16
U8, I8, I32, I64 = np.uint8, np.int8, np.int32, np.int64
NUMBERS = (F32, U8, I8, I32, I64, F64)
MOVABLE = (*NUMBERS, np.uint16, np.int16, np.uint32, np.uint64, np.bool_, F16)
# Operators that compute these floats without rounding if their operands are short ones.
EXACT = set("Abs Add Cast Clip Concat Constant ConstantOfShape Expand Flatten Gather Identity Max Min Mul Neg Range ReduceMax Relu Reshape "
            "Slice Split Squeeze Sub Transpose Unsqueeze Where".split())
# Operators that add: what is left of numbers that cancel is rounding.
ADDING = set("Add Sub ReduceSum ReduceMean CumSum MatMul Gemm MatMulNBits MatMulIntegerToFloat DynamicQuantizeMatMul MultiHeadAttention "
             "GroupQueryAttention".split())
GENERATORS = {}  # (domain, operator) -> generator(maker, operator)
SINCE = {}  # of the same: the first opset that has it

# What a flag that is neither 0 nor 1 says differs by operator.
FLAGS = set("allowzero do_rotary exclusive interleaved keepdims noop_with_empty_axes reverse rotary_interleaved transA transB".split())


def operator(*names, domain="", since=13):
    """Declares what makes nodes of the operators: a function of a Maker and a name that adds one, mostly on what earlier nodes gave."""
    def declare(generator):
        for name in names:
            GENERATORS[domain, name] = generator
            SINCE[domain, name] = since
        return generator

    return declare


def is_float(dtype):
    return np.dtype(dtype) in (F32, F64, F16)


def ends_of(dtype):
    if dtype == np.bool_:
        return []
    return [np.inf, -np.inf, np.nan, -0.0] if is_float(dtype) else [np.iinfo(dtype).min, np.iinfo(dtype).max]


def largest(array):
    return np.abs(array.astype(F64)).max(initial=0)


def session(model, optimizes=False):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    levels = ort.GraphOptimizationLevel
    options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimizes else levels.ORT_DISABLE_ALL
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


class Refused(Exception):
    """ONNX Runtime does not run the node."""


class Maker:
    """Adds nodes to a graph, each run at once, so that the next ones may read what it gave."""

    def __init__(self, dice, opset):
        self.dice, self.opset = dice, opset
        self.nodes, self.constants, self.feeds = [], {}, {}
        self.values = {}  # name -> array, of everything that is known
        self.inexact = set()  # names of floats that another summation order may give otherwise
        self.masks = {}  # name -> which elements mean something, where not all do
        self.unplanned = set()  # names of values whose size only running tells
        self.last = []  # outputs of the last node

    # Dice.

    def chance(self, percent):
        return self.dice.random() * 100 < percent

    def pick(self, choices):
        return choices[self.dice.integers(len(choices))]

    def integer(self, low, high):
        """Both ends are possible."""
        return int(self.dice.integers(low, high + 1))

    def shape(self, rank=None, most=6):
        rank = self.pick([0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5]) if rank is None else rank
        dims = [self.integer(1, most) for _ in range(rank)]
        if dims and self.chance(4):
            dims[self.integer(0, rank - 1)] = 0
        return tuple(dims)

    def axis(self, rank):
        """One of `rank` axes, counted from either end."""
        return self.integer(-rank, rank - 1) if rank else 0

    def some_axes(self, rank):
        chosen = self.dice.permutation(rank)[:self.integer(0, rank)]
        return [int(a) - rank if self.chance(40) else int(a) for a in chosen]

    def broadcastable(self, shape):
        """`shape` with some axes 1 and some leading ones gone."""
        dims = [1 if self.chance(35) else n for n in shape]
        return tuple(dims[self.integer(0, len(dims)):]) if self.chance(40) else tuple(dims)

    def data(self, dtype, shape, low=-4, high=4):
        """Numbers in [low, high]: short ones, of which some are equal, or floats of any length."""
        dtype = np.dtype(dtype)
        if dtype == np.bool_:
            return self.dice.random(shape) < 0.5
        if dtype.kind == "u":
            low = max(low, 0)
        if not is_float(dtype):
            return self.dice.integers(low, high + 1, shape).astype(dtype)
        if self.chance(50):
            return self.dice.uniform(low, high, shape).astype(dtype)
        return (self.dice.integers(low * 8, high * 8 + 1, shape) / 8).astype(dtype)

    def flags(self, *names):
        """Some of the attributes, 0 or 1."""
        return {name: self.integer(0, 1) for name in names if self.chance(60)}

    def some(self, percent, **attributes):
        """The attributes, or none."""
        return attributes if self.chance(percent) else {}

    # Operands, as names.

    def leaf(self, array, constant=None):
        """A value that is given: as an initializer or from outside."""
        name = f"x{len(self.constants) + len(self.feeds)}"
        array = np.asarray(array)
        constant = self.chance(40) if constant is None else constant
        (self.constants if constant else self.feeds)[name] = self.values[name] = array
        return name

    def constant(self, array):
        return self.leaf(array, True)

    def integers(self, values):
        """What an operand says that decides a shape: a constant, or one that follows from dims."""
        values = np.asarray(values, I64)
        if 0 < len(values) < 6 and values.min() > 0 and values.prod() < 1000 and self.chance(15):
            return self.node("Shape", [self.leaf(np.zeros(values, F32))], damages=False)[0]
        return self.leaf(values, not self.chance(1))

    def odd(self, array):
        """Now and then with numbers at the ends of their type."""
        if array.size and self.chance(15):
            for end in ends_of(array.dtype):
                if self.chance(50):
                    array[np.unravel_index(self.integer(0, array.size - 1), array.shape)] = end
        return array

    def operand(self, dtype, shape=None, rank=None, exact=False, fresh=False, odd=False, **limits):
        """A value that an earlier node made if one fits, or a leaf.

        `exact`: none that rounding may move; `fresh`: none that was computed; `odd`: maybe with infinities and the like."""
        names = [] if fresh or self.chance(25) else [name for name in reversed(self.values) if self.fits(name, dtype, shape, rank, exact, odd)]
        if names:
            return names[0] if names[0] in self.last or self.chance(50) else self.pick(names)
        shape = self.shape(rank) if shape is None else shape
        array = self.data(dtype, shape, **limits)
        return self.leaf(self.odd(np.array(array)) if odd else array)

    def fits(self, name, dtype, shape, rank, exact, odd):
        value = self.values[name]
        if value.dtype != dtype or name in self.masks or name in self.unplanned or (exact and name in self.inexact):
            return False
        if (shape is not None and value.shape != tuple(shape)) or (rank is not None and value.ndim != rank):
            return False
        if not odd and not largest(value) < 1e6:  # NaN too
            return False
        # Computed numbers that are all tiny or large say little about those that come from them.
        return value.size == 0 or name not in self.inexact or 0.1 < largest(value) < 100

    def of(self, name):
        return self.values[name]

    # Nodes.

    def node(self, op, inputs, outputs=1, domain="", damages=True, masks=None, **attributes):
        """Names of the outputs; `outputs` is how many, or which of them are asked for."""
        if damages and self.chance(4):
            self.damage(inputs, attributes)
        asked = [True] * outputs if isinstance(outputs, int) else outputs
        names = [f"y{len(self.nodes)}_{i}" if wanted else "" for i, wanted in enumerate(asked)]
        node = helper.make_node(op, [name or "" for name in inputs], names, f"{op}_{len(self.nodes)}", domain=domain, **attributes)
        self.nodes.append(node)
        self.last = [name for name in names if name]
        results = self.run([node], self.last)
        exact = op == "Shape" or not self.inexact.intersection(inputs)
        for i, name in enumerate(self.last):
            self.values[name] = results[i]
            if is_float(results[i].dtype) and not (exact and op in EXACT) or results[i].dtype == F16:
                self.inexact.add(name)
                if op in ADDING and largest(results[i]) < 0.01 * max(largest(self.values[name]) for name in inputs if name):
                    self.masks[name] = np.False_
        for index, mask in (masks or {}).items():
            self.masks[names[index]] = mask
        return names

    def damage(self, inputs, attributes):
        """Something wrong about a node, which it may bear or not."""
        numbers = [name for name, value in attributes.items() if isinstance(value, int) and name not in FLAGS]
        given = [i for i, name in enumerate(inputs) if name]
        if numbers and self.chance(50):
            attributes[self.pick(numbers)] = self.pick([-1, 0, 1, 2, 3, 7, -7])
        elif given and self.chance(15):
            inputs.pop()
        elif given:
            at = self.pick(given)
            value = self.of(inputs[at])
            if inputs[at] in self.inexact:  # a copy would be an exact one
                value = self.data(value.dtype, value.shape)
            way = self.integer(0, 3)
            if way == 0 and value.ndim and value.shape[0] > 1:  # never empty: some kernels of ONNX Runtime then divide by 0
                value = value[1:]
            elif way == 1:
                value = value[None]
            elif way == 2 and value.ndim and value.shape[0]:
                value = value[0]
            else:
                with np.errstate(invalid="ignore"):
                    value = value.astype(self.pick([F32, I64, I32, U8, F64]))
            inputs[at] = self.leaf(value, inputs[at] in self.constants)

    def run(self, nodes, outputs, optimizes=False):
        """What ONNX Runtime gives for nodes on the values that are known before them."""
        made = {name for node in nodes for name in node.output}
        read = dict.fromkeys(name for node in nodes for name in node.input if name and name not in made)
        given = {name: self.values[name] for name in read if name not in self.constants}
        try:
            return session(self.model(nodes, outputs, given), optimizes).run(None, given)
        except Exception as error:  # the runtime's own classes, a dozen
            raise Refused(str(error)) from None

    def model(self, nodes=None, outputs=None, given=None):
        nodes = self.nodes if nodes is None else nodes
        outputs = self.outputs() if outputs is None else outputs
        given = self.feeds if given is None else given
        read = {name for node in nodes for name in node.input}
        infos = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
                 for name, value in given.items()]
        tensors = [numpy_helper.from_array(value, name) for name, value in self.constants.items() if name in read]
        graph = helper.make_graph(nodes, "case", infos, [helper.make_empty_tensor_value_info(name) for name in outputs], tensors)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(MS, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def outputs(self):
        """What no node reads, and of the rest as the seed wills."""
        read = {name for node in self.nodes for name in node.input}
        made = [name for node in self.nodes for name in node.output if name]
        return [name for i, name in enumerate(made) if name not in read or (len(self.nodes) * 7 + i) % 3 == 0]
