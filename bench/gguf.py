#!/usr/bin/env python3
"""A GGUF file run as it is: decoding and prefill beside llama.cpp's llama-bench on the same file, with two threads, taking turns.
usage: gguf.py MODEL.gguf LLAMA_BENCH [its further arguments]"""
import json
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bin" / "edge-net-models"
THREADS, PROMPT, TOKENS, ROUNDS = 2, 512, 64, 3


def ours(model):
    out = subprocess.run([PROGRAM, "bench", model, "--threads", str(THREADS), "--prompt-tokens", str(PROMPT), "--tokens", str(TOKENS), "--json"],
                         capture_output=True, text=True, check=True).stdout
    bench = json.loads(out)
    return bench["prefill_tokens_per_second"], bench["decode_tokens_per_second"], bench["load_seconds"]


def theirs(model, program, *more):
    out = subprocess.run([program, *more, "-m", model, "-t", str(THREADS), "-p", str(PROMPT), "-n", str(TOKENS), "-r", "1", "-o", "json"],
                         capture_output=True, text=True, check=True).stdout
    rates = {("prefill" if run["n_prompt"] else "decode"): run["avg_ts"] for run in json.loads(out)}
    return rates["prefill"], rates["decode"]


def main():
    model, *peer = sys.argv[1:]
    rounds = [(ours(model), theirs(model, *peer)) for _ in range(ROUNDS)]
    print(f"load: {statistics.median(mine[2] for mine, _ in rounds):.2f} s")
    for i, what in enumerate(("prefill", "decode")):
        mine = statistics.median(r[0][i] for r in rounds)
        other = statistics.median(r[1][i] for r in rounds)
        print(f"{what}: {mine:.1f} tokens/s, llama.cpp {other:.1f}, ratio {mine / other:.2f}")


if __name__ == "__main__":
    main()
