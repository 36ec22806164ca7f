#!/usr/bin/env python3
"""Decoding and prefill of a 4-bit decoder of Phi-1.5's shape: this program beside ONNX Runtime, on the
same file, with two threads, taking turns. Prints ratios; needs 5 GB of disk under build/bench.
`decoder.py --before PROGRAM` lets an older build take turns too, on the file that it reads."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bin" / "edge-net-models"
WORK = ROOT / "build" / "bench"
THREADS, PROMPT, TOKENS, ROUNDS = 2, 64, 24, 3


def run_json(*args, program=PROGRAM):
    return json.loads(subprocess.run([program, *map(str, args), "--json"], capture_output=True, text=True, check=True).stdout)


class OnnxRuntime:
    def __init__(self, folder):
        options = ort.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        self.names = [out.name for out in self.session.get_outputs()]
        self.empty = {i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), np.float32)
                      for i in self.session.get_inputs() if i.name.startswith("past")}

    def step(self, count, total, past):
        feeds = {"input_ids": np.full((1, count), 7, np.int64), "attention_mask": np.ones((1, total), np.int64), **past}
        out = dict(zip(self.names, self.session.run(None, feeds)))
        return {name.replace("present", "past_key_values"): v for name, v in out.items() if "present" in name}

    def measure(self):
        start = time.perf_counter()
        past = self.step(PROMPT, PROMPT, self.empty)
        prefill = PROMPT / (time.perf_counter() - start)
        start = time.perf_counter()
        for i in range(TOKENS):
            past = self.step(1, PROMPT + i + 1, past)
        return prefill, TOKENS / (time.perf_counter() - start)


def bench(model, program=PROGRAM):
    return run_json("bench", model, "--threads", THREADS, "--prompt-tokens", PROMPT, "--tokens", TOKENS, program=program)


def speeds(measured):
    return measured["prefill_tokens_per_second"], measured["decode_tokens_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", metavar="PROGRAM", help="an older build of the program, which takes turns too")
    before = parser.parse_args().before
    checkpoint, model = WORK / "phi-1.5-shape", WORK / "phi-1.5-shape-int4"
    if not (checkpoint / "model.safetensors.index.json").exists():
        subprocess.run([sys.executable, ROOT / "bench" / "make_phi15_checkpoint.py", checkpoint], check=True)
    made = run_json("optimize", checkpoint, "--output", model)
    print(f"optimize: {made['seconds']:.1f} s, peak memory {made['peak_rss_bytes'] / 1e6:.0f} MB, "
          f"{made['original_bytes'] / 1e9:.2f} GB -> {made['bytes'] / 1e9:.2f} GB")
    peer = OnnxRuntime(model)
    peer.measure()
    ours, theirs, older = [], [], []
    if before:
        old_model = WORK / "phi-1.5-shape-int4-before"
        run_json("optimize", checkpoint, "--output", old_model, program=before)
    for _ in range(ROUNDS):
        measured = bench(model)
        ours.append(speeds(measured))
        theirs.append(peer.measure())
        if before:
            older.append(speeds(bench(old_model, before)))
    print(f"load {measured['load_seconds']:.1f} s, peak memory {measured['peak_rss_bytes'] / 1e6:.0f} MB, {measured['isa']}")
    for index, name in enumerate(("prefill", "decode")):
        a, b = (statistics.median(pair[index] for pair in side) for side in (ours, theirs))
        line = f"{name:8} {a:7.1f} tokens/s, ONNX Runtime {b:7.1f}, ratio {a / b:.2f}"
        if before:
            c = statistics.median(pair[index] for pair in older)
            line += f"; before {c:7.1f}, ratio {a / c:.2f}"
        print(line)

    batch = [run_json("bench", model, "--threads", THREADS, "--prompt-tokens", PROMPT, "--tokens", TOKENS, "--batch", 4)
             ["decode_tokens_per_second"] for _ in range(ROUNDS)]
    single = statistics.median(pair[1] for pair in ours)
    print(f"decoding 4 sequences at once {statistics.median(batch):7.1f} tokens/s, {statistics.median(batch) / single:.2f} times one")
    profile = run_json("bench", model, "--threads", THREADS, "--prompt-tokens", 512, "--tokens", 8, "--profile")["prefill_profile"]
    print("prefill of 512 tokens, ms by operator: " +
          ", ".join(f"{name} {seconds * 1e3:.0f}" for name, seconds in sorted(profile.items(), key=lambda one: -one[1])[:6]))


if __name__ == "__main__":
    main()
