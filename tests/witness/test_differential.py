"""Random small graphs over all operators: our executor and ONNX Runtime on the same file give the same, or both refuse.

ENM_DIFFERENTIAL_CASES says how many (3000), ENM_DIFFERENTIAL_FIRST the first seed (0): a case follows from its seed alone.
"""
import json
import os
import re
import subprocess

import numpy as np
import onnx
import pytest
from conftest import RUNNER
from differential import GENERATORS, SINCE, Maker, Refused, is_float
from onnx import helper, numpy_helper

CASES = int(os.environ.get("ENM_DIFFERENTIAL_CASES", 3000))
FIRST = int(os.environ.get("ENM_DIFFERENTIAL_FIRST", 0))
BATCH = 500  # cases a process of the runner

# Operator or *, our message -> why ONNX Runtime runs what we refuse.
NARROWER = [
    ("*", r"is (f64|i64|i32|u8|i8|bool); expected f32$", "arithmetic of types that no model has"),
    ("*", "is not known before the graph runs", "memory is planned before inputs have values"),
    ("*", r"input \d \(bias\) is .*; expected 1 dimensions", "a bias has one; ONNX Runtime does not look"),
    ("SkipLayerNormalization", "skip is", "ONNX Runtime wraps around what does not fit"),
    ("SkipSimplifiedLayerNormalization", "skip is", "ONNX Runtime wraps around what does not fit"),
    ("SimplifiedLayerNormalization", "input 1 is", "a scale that broadcasts: no model has one"),
    ("LayerNormalization", "input [12] is", "a scale that broadcasts: no model has one"),
    ("Unsqueeze", "axes", "a scalar instead of a list"),
    ("Expand", "shape", "a shape of none or two dimensions; ONNX Runtime does not look"),
    ("ConstantOfShape", "input", "a shape of two dimensions; ONNX Runtime does not look"),
    ("Pow", "as the inputs before it", "operands of two types: no model has them"),
    ("MatMul", "expected matrices", "products of vectors: no model has them"),
    ("*", r"input 1 \(B\) is .*; expected 2 dimensions", "several matrices of bytes: no model has them"),
    ("*", "expected one number or", "a list of scales or zero points in two dimensions"),
]
# Operator or *, its message -> why we run what ONNX Runtime refuses.
WIDER = [
    ("*", "NOT_IMPLEMENTED", "its kernel lacks a type that the operator has"),
    ("*", r"Type 'tensor\(u?int8\)' of input parameter .* of operator \((Add|Sub|Mul|Div)\)", "bytes came with opset 14"),
    ("MatMulNBits", "initializer shape", "it asks for certain dims, we for as many numbers"),
    ("Split", "Neither 'split' input nor 'num_outputs'", "the node's outputs say how many"),
    ("Range", "should be scalars", "it takes one number in a list where it is no constant"),
]


class Case:
    def __init__(self, seed):
        self.seed = seed
        dice = np.random.default_rng(seed)
        rows = list(GENERATORS)
        chosen = [rows[i] for i in dice.integers(len(rows), size=1 if dice.random() < 0.4 else dice.integers(2, 7))]
        chosen[dice.integers(len(chosen))] = rows[seed % len(rows)]
        oldest = max(SINCE[row] for row in chosen)
        self.maker = maker = Maker(dice, int(dice.integers(oldest, 24)))
        self.refusal = None
        try:
            for row in chosen:
                GENERATORS[row](maker, row[1])
            self.outputs = maker.outputs()
            self.expected = maker.run(maker.nodes, self.outputs, optimizes=dice.random() < 0.5)
        except Refused as refused:
            self.refusal = str(refused)
            self.outputs = maker.outputs()
        self.model = maker.model()

    def write(self, folder):
        """The line of the runner's list."""
        paths = [folder / f"{self.seed}.{kind}.onnx" for kind in ("model", "inputs", "outputs")]
        paths[0].write_bytes(self.model.SerializeToString())
        tensors = [numpy_helper.from_array(value, name) for name, value in self.maker.feeds.items()]
        inputs = helper.make_model(helper.make_graph([], "inputs", [], [], tensors), opset_imports=[helper.make_opsetid("", 17)])
        paths[1].write_bytes(inputs.SerializeToString())
        self.result = paths[2]
        return " ".join(map(str, paths))

    def fault(self, code, message):
        """What is wrong about our answer; None if nothing is."""
        if code not in ("0", "1", "9"):
            return f"the runner died: {message}"
        op = self.maker.nodes[-1].op_type
        if code == "0" and self.refusal is not None:
            return None if listed(WIDER, op, self.refusal) else f"ONNX Runtime refuses: {self.refusal}"
        if code != "0" and self.refusal is None:
            op = re.search(r"(\w+) '\w+':", message)
            return None if listed(NARROWER, op and op[1], message) else f"we refuse: {message}"
        return self.difference() if self.refusal is None else None

    def difference(self):
        got = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(self.result).graph.initializer}
        for name, theirs in zip(self.outputs, self.expected):
            ours = got[name]
            if theirs.dtype == np.float16 and ours.dtype == np.float32:  # halves are computed as floats
                ours = ours.astype(np.float16)
            if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
                return f"{name} is {ours.dtype}{ours.shape}; ONNX Runtime gives {theirs.dtype}{theirs.shape}"
            mask = np.broadcast_to(self.maker.masks.get(name, True), theirs.shape)
            if not equal(ours[mask], theirs[mask]):
                return f"{name} is\n{ours}\nONNX Runtime gives\n{theirs}"
        return None

    def __str__(self):
        feeds = "".join(f"\n{name} = {value.dtype}{list(value.shape)} {value.ravel()[:40].tolist()}" for name, value in self.maker.feeds.items())
        return f"seed {self.seed}: {' '.join(node.op_type for node in self.maker.nodes)}\n{onnx.printer.to_text(self.model)}{feeds}"


def equal(ours, theirs):
    """Floats within 1e-4 (halves: 1e-3, their own precision) of the largest finite one, all else exactly."""
    if not is_float(theirs.dtype):
        return np.array_equal(ours, theirs)
    tolerance = 1e-3 if theirs.dtype == np.float16 else 1e-4
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return False
    largest = np.abs(theirs[finite]).max(initial=0)
    return bool((np.abs(ours[finite] - theirs[finite]) <= tolerance * largest).all())


def listed(differences, op, message):
    return any(name in ("*", op) and re.search(pattern, message) for name, pattern, _ in differences)


def run_ours(cases, folder):
    """(code, message) of each case. A runner that dies goes on behind the case that killed it."""
    lines = [case.write(folder) for case in cases]
    answers = []
    while len(answers) < len(cases):
        (folder / "list").write_text("\n".join(lines[len(answers):]) + "\n")
        done = subprocess.run([RUNNER, "--list", folder / "list"], capture_output=True, text=True, timeout=600)
        answers += [line.split(" ", 1) for line in done.stdout.splitlines()]
        if len(answers) < len(cases):
            answers.append(["died", f"exit code {done.returncode} {done.stderr[-2000:]}"])
    return answers


def test_every_operator_has_a_generator():
    rows = json.loads(subprocess.run([RUNNER, "--rows"], capture_output=True, text=True, check=True).stdout)
    assert {(row["domain"], row["name"]) for row in rows} == set(GENERATORS)


@pytest.mark.parametrize("first", range(FIRST, FIRST + CASES, BATCH))
def test_equal_or_both_refuse(first, tmp_path):
    cases = [Case(seed) for seed in range(first, min(first + BATCH, FIRST + CASES))]
    faults = [(case, fault) for case, answer in zip(cases, run_ours(cases, tmp_path)) if (fault := case.fault(*answer)) is not None]
    report = "\n\n".join(f"{case}\n{fault}" for case, fault in faults[:5])
    assert not faults, f"{len(faults)} of {len(cases)} differ; the first ones:\n{report}"
