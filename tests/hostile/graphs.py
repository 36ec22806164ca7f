"""Graphs that mean harm, as ONNX models: embedders of five tokens and decoders of one layer, right but for one thing."""
import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

F32, I64 = TensorProto.FLOAT, TensorProto.INT64
MS = "com.microsoft."
I63 = 2**63 - 1
VOCABULARY, WIDTH, HEAD = 5, 8, 4
DESCRIPTION = "edge-net-models.description"


def n(op, inputs="", outputs="z", name="bomb", **attributes):
    """n("Add", "a b", "c"): a node; `-` is an operand that is not given."""
    names = [["" if word == "-" else word for word in text.split()] for text in (inputs, outputs)]
    domain = MS[:-1] if op.startswith(MS) else ""
    return helper.make_node(op.removeprefix(MS), *names, name=name, domain=domain, **attributes)


def f32(*dims):
    return np.zeros(dims, np.float32)


def u8(*dims):
    return np.zeros(dims, np.uint8)


def i64(*values):
    return np.array(values, np.int64)


def value(name, kind, *dims):
    return helper.make_tensor_value_info(name, kind, dims)


def model(nodes, inputs, outputs, constants, metadata=None, opset=17):
    tensors = [c if isinstance(c, TensorProto) else numpy_helper.from_array(np.asarray(c), name) for name, c in constants.items()]
    made = helper.make_model(helper.make_graph(nodes, "hostile", inputs, outputs, tensors), ir_version=8,
                             opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid(MS[:-1], 1)])
    if metadata is not None:
        helper.set_model_props(made, {DESCRIPTION: metadata if isinstance(metadata, str) else json.dumps(metadata)})
    return made


TABLE = np.linspace(-1, 1, VOCABULARY * WIDTH, dtype=np.float32).reshape(VOCABULARY, WIDTH)
EMBEDDER_SAYS = {"task": "feature-extraction", "input_ids": "input_ids", "output": "sentence_embedding", "dimensions": WIDTH}


def embedder(nodes=(), direct=False, metadata=None, opset=17, width=WIDTH, **constants):
    """The nodes see ids, x f32[batch, tokens, 8] and pooled f32[batch, 8]. They make z, of whatever type, or, if `direct`, the vectors."""
    before = [n("Gather", "table input_ids", "x", "rows"), n("Gather", "x first", "pooled", "pooled", axis=1)]
    after = [n("Cast", "z", "zf", "zf", to=F32), n("ReduceMax", "zf", "most", "most", keepdims=0),
             n("Add", "pooled most", "sentence_embedding", "sum")]
    return model(before + (list(nodes) or [n("Neg", "x")]) + ([] if direct else after), [value("input_ids", I64, "batch", "tokens")],
                 [value("sentence_embedding", F32, "batch", width)], {"table": TABLE, "first": np.array(0), **constants}, metadata, opset)


def decoder(end=None, metadata=None, vocabulary=VOCABULARY, heads=2, kv_heads=1, head_dim=HEAD, present=(), **constants):
    """One layer of GroupQueryAttention. The nodes `end` make logits of h f32[batch, tokens, 8]."""
    cache = lambda name, length: value(name, F32, "batch", kv_heads, length, head_dim)
    nodes = [n("Gather", "table input_ids", "x", "rows"), n("MatMul", "x to_kv", "k", "k"), n("ReduceSum", "attention_mask axis", "sums", "sums", keepdims=0),
             n("Sub", "sums axis", "less", "less"), n("Cast", "less", "lengths", "lengths", to=6), n("Shape", "attention_mask", "dims", "dims"),
             n("Gather", "dims one", "total", "total"), n("Cast", "total", "total_i", "total_i", to=6),
             n(MS + "GroupQueryAttention", "x k k past_key_values.0.key past_key_values.0.value lengths total_i cos sin",
               "h present.0.key present.0.value", "attention", do_rotary=1, num_heads=heads, kv_num_heads=1)]
    if present:
        nodes[-1].output[1:] = ["unread_key", "unread_value"]
    nodes += end or [n("MatMul", "h head", "logits", "head")]
    return model(nodes, [value("input_ids", I64, "batch", "tokens"), value("attention_mask", I64, "batch", "total"),
                         cache("past_key_values.0.key", "past"), cache("past_key_values.0.value", "past")],
                 [value("logits", F32, "batch", "tokens", vocabulary), cache("present.0.key", "total"), cache("present.0.value", "total")],
                 {"table": TABLE, "to_kv": f32(WIDTH, HEAD), "head": TABLE.T.copy(), "axis": i64(1), "one": np.array(1),
                  "cos": f32(64, HEAD // 2), "sin": f32(64, HEAD // 2), **dict(present), **constants}, metadata)


def doubled(times, first, axis):
    """A value joined with itself again and again."""
    names = [first] + [f"d{i}" for i in range(times - 1)] + ["z"]
    return [n("Concat", f"{a} {a}", b, f"bomb{i}", axis=axis) for i, (a, b) in enumerate(zip(names, names[1:]))]


def made_of_each_other(count):
    """Each the sum of the two before it: whoever makes them one by one makes the first ones again and again."""
    names = ["c", "c"] + [f"d{i}" for i in range(count - 1)] + ["z"]
    return [n("Add", f"{a} {b}", c, f"sum{i}") for i, (a, b, c) in enumerate(zip(names, names[1:], names[2:]))]


def nbits(k=16, columns=8, operands="", blocks=None, **constants):
    """A MatMulNBits of pooled, widened to 16 columns, with what it needs."""
    return embedder([n("Concat", "pooled pooled", "wide", "wide", axis=1),
                     n(MS + "MatMulNBits", "wide blocks scales" + operands, K=k, N=columns, block_size=16)],
                    blocks=u8(8, 1, 8) if blocks is None else blocks, scales=f32(8), **constants)


def casts(count):
    return [n("Cast", f"c{i}" if i else "x", f"c{i + 1}" if i < count - 1 else "z", "", to=F32 if i % 2 else 10) for i in range(count)]


def rotary(**constants):
    return embedder([n("Reshape", "x heads", "xh", "xh"), n(MS + "RotaryEmbedding", "xh position cos sin")],
                    **{"heads": i64(0, 1, -1, 8), "position": i64(0), "cos": f32(64, 4), "sin": f32(64, 4), **constants})


MEMORY = r"no memory for \d+ bytes of .*'bomb"
COUNT = r"'bomb': .*more than 2\^48"
# What `embed` says of each; None: it works.
EMBEDDERS = {
    "nothing is wrong": (embedder(), None),
    "a count that wraps": (embedder([n("ConstantOfShape", "s")], s=i64(2**32, 2**32)), COUNT),
    "a filler larger than memory": (embedder([n("ConstantOfShape", "s")], s=i64(10**12)), MEMORY),
    "an expansion larger than memory": (embedder([n("Expand", "first s")], s=i64(10**6, 10**6)), MEMORY),
    "an expansion of what comes in": (embedder([n("Expand", "x s")], s=i64(2**24, 1, 1, WIDTH)), MEMORY),
    "a negative expansion": (embedder([n("Expand", "x s")], s=i64(-1, 1, 1, WIDTH)), "'bomb': "),
    "a range without end": (embedder([n("Range", "a b c")], a=np.array(0), b=np.array(I63), c=np.array(1)), "'bomb': the range has no end"),
    "a range of steps of nothing": (embedder([n("Range", "a b c")], a=np.array(0), b=np.array(9), c=np.array(0)), "'bomb': the range has no end"),
    "a large range": (embedder([n("Range", "a b c")], a=np.array(0), b=np.array(2**30), c=np.array(1)), MEMORY),
    "a product of nothing": (embedder([n("MatMul", "a b")], a=f32(2**20, 0), b=f32(0, 2**20)), MEMORY),
    "a product of nothing beyond all counts": (embedder([n("MatMul", "a b")], a=f32(2**25, 0), b=f32(0, 2**25)), COUNT),
    "a Gemm of nothing": (embedder([n("Gemm", "a b")], a=f32(2**20, 0), b=f32(0, 2**20)), MEMORY),
    "a product of no integers": (embedder([n("MatMulInteger", "a b")], a=u8(2**20, 0), b=u8(0, 2**20)), MEMORY),
    "a product of no blocks": (nbits(k=0), "'bomb': N is 8 and K is 0"),
    "zeros in a reshape of nothing": (embedder([n("Reshape", "e s", allowzero=1)], e=f32(0, 4), s=i64(0, -1)), "'bomb': shape has -1 beside"),
    "nothing reshaped to everything": (embedder([n("Reshape", "e s", allowzero=1)], e=f32(0), s=i64(2**40, 2**40, 0)), COUNT),
    "a reshape to minus two": (embedder([n("Reshape", "x s")], s=i64(-2, 8)), "'bomb': shape has -2"),
    "parts that wrap": (embedder([n("Split", "pooled s", "z a", axis=1)], s=i64(I63, 9)), f"'bomb': part 0 has {I63}"),
    "negative parts": (embedder([n("Split", "pooled s", "z a", axis=1)], s=i64(-8, 16)), "'bomb': part 0 has -8"),
    "more parts than there are": (embedder([n("Split", "pooled", " ".join(["z"] + [f"p{i}" for i in range(40)]), axis=1)]), "'bomb': "),
    "a value doubled fifty times": (embedder(doubled(50, "x", 0)), r"'bomb\d+': |no memory for \d+ bytes of .*'bomb"),
    "a constant doubled thirty times": (embedder(doubled(30, "c", 0), c=f32(4, 4096)), r"constant \"z|'bomb\d+': |no memory for \d+ bytes of .*'bomb"),
    "a constant doubled fifty times": (embedder(doubled(50, "c", 0), c=f32(4, 4096)), r"'bomb\d+': "),
    "a transposed constant of no memory": (embedder(doubled(28, "c", 0)[:-1] + [n("Transpose", "d26")], c=f32(4, 4096)), r"'bomb|constant "),
    "constants that are made of each other": (embedder(made_of_each_other(40), c=f32(1, 25_000)), None),
    "a constant at the end of a long chain": (embedder([n("Neg", f"n{i}" if i else "c", f"n{i + 1}" if i < 1999 else "z", "") for i in range(2000)],
                                                     c=f32(1, 25_000), ballast=f32(1, 10**6)), None),
    "blocks that are not there": (nbits(columns=2**40), "'bomb': "),
    "blocks of another depth": (nbits(k=32), "'bomb': B is"),
    "a bias of another length": (nbits(operands=" - - bias", bias=f32(7)), r"'bomb': bias is f32\[7\]"),
    "a bias of another type": (nbits(operands=" - - bias", bias=i64(*range(8))), r"'bomb': input 5 \(bias\) is i64"),
    "zero points too few": (nbits(operands=" zeros", zeros=u8(3)), "'bomb': "),
    "a width of bits that nobody has": (embedder([n(MS + "MatMulNBits", "x b s", K=8, N=8, block_size=2**40, bits=77)], b=u8(8), s=f32(8)), "'bomb': "),
    "a FastGelu with a short bias": (embedder([n(MS + "FastGelu", "x bias")], bias=f32(3)), r"'bomb': bias is f32\[3\]"),
    "a FastGelu with a bias of halves": (embedder([n(MS + "FastGelu", "x bias")], bias=np.zeros(8, np.uint16)), r"'bomb': input 1 \(bias\) is u16"),
    "a skip of another shape": (embedder([n(MS + "SkipLayerNormalization", "x s w")], s=f32(1, 8), w=f32(8)), "'bomb': skip is"),
    "a skip of another type": (embedder([n(MS + "SkipLayerNormalization", "x input_ids w")], w=f32(8)), r"'bomb': input 1 \(skip\) is i64"),
    "a norm of another width": (embedder([n("LayerNormalization", "x w")], w=f32(9)), "'bomb': input 1 is"),
    "sines too few": (rotary(sin=f32(1, 4)), "'bomb': cos is"),
    "sines of another type": (rotary(sin=np.zeros((64, 4), np.int64)), r"'bomb': input 3 \(sin_cache\) is i64"),
    "a position far away": (rotary(position=i64(I63)), f"'bomb': position {I63}"),
    "a table of blocks too short": (embedder([n(MS + "GatherBlockQuantized", "t input_ids s", block_size=16)], t=u8(5, 8), s=f32(5, 9)), "'bomb': scales is"),
    "a row that is not there": (embedder([n("Gather", "table i")], i=i64(7)), "'bomb': index 7"),
    "operands of two types": (embedder([n("Add", "pooled input_ids")]), r"'bomb': input 1 \(B\) is i64"),
    "operands that do not fit": (embedder([n("Add", "x c")], c=f32(7)), "'bomb': "),
    "a product of one operand": (embedder([n("MatMulInteger", "b")], b=u8(2, 2)), r"'bomb': input 1 \(B\) is missing"),
    "a cast of nothing": (embedder([n("Cast", "", to=F32)]), r"'bomb': input 0 \(input\) is missing"),
    "a cast to nowhere": (embedder([n("Cast", "x", to=77)]), "'bomb': "),
    "a node of too many operands": (embedder([n("Neg", "x x")]), "'bomb': "),
    "a hundred thousand operands": (embedder([n("Concat", "x " * 100_000, axis=0)]), "'bomb': "),
    "an attribute of another kind": (embedder([n("Softmax", "x", axis="last")]), "'bomb': attribute \"axis\" is no integer"),
    "an axis far away": (embedder([n("Softmax", "x", axis=I63)]), "'bomb': axis"),
    "a permutation of doubles": (embedder([n("Transpose", "x", perm=[0, 0, 2])]), "'bomb': "),
    "a slice in steps of nothing": (embedder([n("Slice", "x a b c d")], a=i64(0), b=i64(1), c=i64(0), d=i64(0)), "'bomb': "),
    "an operator that nobody knows": (embedder([n("Explode", "x")]), "Explode 'bomb': "),
    "a domain that nobody knows": (embedder([helper.make_node("Neg", ["x"], ["z"], name="bomb", domain="evil")]), "evil.Neg 'bomb': "),
    "a name that clears the screen": (embedder([n("Explode", "x", name="a\n\x1b[2Jb")]), r"Explode 'a\\x0a\\x1b\[2Jb': "),
    "outputs without a name": (embedder([n("DynamicQuantizeLinear", "x", "- z -"), n("Neg", "x", "-", "quiet")]), None),
    "an integer divided by nothing": (embedder([n("Div", "a b")], a=i64(1, -2**63), b=i64(0, -1)), None),
    "forty thousand casts": (embedder(casts(40_000)), None),
    "vectors of three dimensions": (embedder([n("Neg", "x", "sentence_embedding")], direct=True), "the vectors are"),
    "vectors of integers": (embedder([n("Cast", "pooled", "sentence_embedding", to=I64)], direct=True), "the vectors are"),
    "vectors of another width": (embedder([n("Slice", "pooled first1 three one1", "sentence_embedding")], direct=True, first1=i64(0), three=i64(3), one1=i64(1)), "the vectors are"),
    "vectors of no width": (embedder([n("Slice", "pooled zero zero one1", "sentence_embedding")], direct=True, width="w", zero=i64(0), one1=i64(1)), "the vectors are"),
    "vectors as wide as the batch": (embedder([n("Reshape", "x one_row", "sentence_embedding")], direct=True, width="w", one_row=i64(-1, 8)), "the vectors are"),
    "vectors that are a constant": (embedder([n("Neg", "pooled", "unread")], direct=True, sentence_embedding=f32(3, WIDTH)), "there is no computed output \"sentence_embedding\""),
    "vectors that are what comes in": (embedder(metadata={**EMBEDDER_SAYS, "output": "input_ids"}), "\"input_ids\" stands for two things"),
    "a description of huge numbers": (embedder(metadata={**EMBEDDER_SAYS, "context_length": 2**62}), "context_length is"),
    "a description of less than nothing": (embedder(metadata={**EMBEDDER_SAYS, "dimensions": -8}), "dimensions is -8"),
    "a description of other vectors": (embedder(metadata={**EMBEDDER_SAYS, "dimensions": 4096}), "the vectors are"),
    "a description that is no JSON": (embedder(metadata="{" * 100_000), "description"),
    "a description of layers that are not there": (embedder(metadata={**EMBEDDER_SAYS, "layers": [{"past_key": "a"}] * 10_000}), "there is no input \"a\""),
}

LAYER = {"past_key": "past_key_values.0.key", "past_value": "past_key_values.0.value", "present_key": "present.0.key",
         "present_value": "present.0.value", "kv_heads": 1, "head_dim": HEAD}
DECODER_SAYS = {"task": "text-generation", "input_ids": "input_ids", "attention_mask": "attention_mask", "output": "logits",
                "vocabulary": VOCABULARY, "layers": [LAYER]}


def says(**changes):
    return decoder(metadata={**DECODER_SAYS, **changes})


# What `run` says of each; None: it works.
DECODERS = {
    "a decoder": (decoder(), None),
    "a vocabulary larger than the logits": (decoder(vocabulary=1000), r"logits are f32\[64, 5\]; expected rows of 1000"),
    "a vocabulary without end": (decoder(vocabulary=2**40), "logits are|vocabulary"),
    "no vocabulary": (decoder(vocabulary="v"), "vocabulary"),
    "logits that are a constant": (decoder([n("Neg", "h", "unread")], logits=f32(1, 1, VOCABULARY)), "there is no computed output \"logits\""),
    "logits of one position": (decoder([n("Gather", "h first", "last", "last", axis=1), n("MatMul", "last head", "logits", "head")], first=np.array(0)), "'head': "),
    "logits that are integers": (decoder([n("MatMul", "h head", "l", "head"), n("Cast", "l", "logits", to=I64)]), "logits are i64"),
    "present that is a constant": (decoder(present={"present.0.key": f32(1, 1, 3, HEAD), "present.0.value": f32(1, 1, 3, HEAD)}), "there is no computed output \"present.0.key\""),
    "caches of other heads": (decoder(kv_heads=7), "'attention': "),
    "caches of another width": (decoder(head_dim=2**20), "a cache of 1 heads of 1048576"),
    "caches without end": (decoder(kv_heads=2**30, head_dim=2**30), "a cache of 1073741824 heads"),
    "one head of five": (decoder(heads=5), "'attention': "),
    "cosines of one position": (decoder(cos=f32(1, 2), sin=f32(1, 2)), "positions; the model has 1|context"),
    "sines fewer than cosines": (decoder(sin=f32(1, 2)), "'attention': the rotary tables"),
    "a context without end": (says(context_length=2**32), None),
    "a context of nothing": (says(context_length=-1), "context_length is -1"),
    "a described vocabulary without end": (says(vocabulary=2**32), "logits are"),
    "a layer that stands twice": (says(layers=[LAYER, LAYER]), "\"past_key_values.0.key\" stands for two things"),
    "keys that are values": (says(layers=[{**LAYER, "past_key": LAYER["past_value"]}]), "\"past_key_values.0.value\" stands for two things"),
    "a cache that is the mask": (says(layers=[{**LAYER, "past_key": "attention_mask"}]), "\"attention_mask\" stands for two things"),
    "ids that are the mask": (says(input_ids="attention_mask"), "\"attention_mask\" stands for two things"),
    "logits that are a cache": (says(output="present.0.key"), "\"present.0.key\" stands for two things"),
}
