#!/usr/bin/env python3
"""The table of docs/design/quantize.md: perplexity of fable-8m on held-out text (79 windows of 512 tokens, weights as they are, activations in
floats) after each method, head and tables in floats. `quantize.py [METHOD...]` measures only those whose names begin so."""
import json
import lzma
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bin" / "edge-net-models"
FABLE = ROOT / "models" / "fable-8m"
WORK = ROOT / "build" / "bench" / "quantize"
METHODS = {
    "INT4": ["--quantization", "INT4"],
    "INT4 asymmetric": ["--quantization", "INT4", "--asymmetric"],
    "GPTQ": ["--quantization", "GPTQ"],
    "GPTQ act-order": ["--quantization", "GPTQ", "--column-order", "energy"],
    "GPTQ asymmetric": ["--quantization", "GPTQ", "--asymmetric"],
    "GPTQ block 128": ["--quantization", "GPTQ", "--block-size", "128"],
    "AWQ asymmetric": ["--quantization", "AWQ", "--asymmetric"],
    "AWQ+GPTQ asymmetric": ["--quantization", "AWQ+GPTQ", "--asymmetric"],
}


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    text = lzma.open(FABLE / "heldout.txt.xz", "rt", encoding="utf-8").read()
    (WORK / "calibration.txt").write_text(text[:384_000], encoding="utf-8")
    (WORK / "heldout.txt").write_text(text[500_000:800_000], encoding="utf-8")
    print("| method | perplexity | KL | top-1 | seconds | peak MB |\n|---|---|---|---|---|---|")
    for name, flags in METHODS.items():
        if sys.argv[1:] and not any(name.startswith(wanted) for wanted in sys.argv[1:]):
            continue
        calibration = [] if flags[1] == "INT4" else ["--calibration-data", WORK / "calibration.txt", "--calibration-samples", "128"]
        command = [PROGRAM, "optimize", FABLE, "-o", WORK / "model", "--head-bits", "0", "--embedding-bits", "0", *flags, *calibration,
                   "--json", "--quiet"]
        plain = json.loads(subprocess.run([*map(str, command), "--no-validation"], capture_output=True, check=True).stdout)
        report = json.loads(subprocess.run([*map(str, command), "--validation-data", str(WORK / "heldout.txt")], capture_output=True,
                                           check=True).stdout)
        result = report["validation"]
        print(f"| {name} | {result['perplexity']['after']:.3f} | {result['kl']:.4f} | {result['top1']:.4f} | {plain['seconds']:.1f} | "
              f"{plain['peak_rss_bytes'] / 1e6:.0f} |", flush=True)


main()
