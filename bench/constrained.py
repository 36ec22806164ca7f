#!/usr/bin/env python3
"""Decoding kept to a schema beside free decoding, tokens a second, alternating; and what a mask costs with a vocabulary of
150,000 tokens. Needs build/bin/edge-net-models and build/bin/constrained_bench."""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bin" / "edge-net-models"
SCHEMA = {"type": "object", "properties": {"title": {"type": "string", "minLength": 60, "maxLength": 200},
                                           "lines": {"type": "array", "items": {"type": "string", "minLength": 40, "maxLength": 80}, "minItems": 3, "maxItems": 6}},
          "required": ["title", "lines"]}
ROUNDS = 7


def rate(model, *arguments):
    done = subprocess.run([PROGRAM, "run", model, "Once upon a time", "-n", "120", "--temperature", "0.8", "--seed", "5", "--json", *arguments],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["decode_tokens_per_second"]


def main():
    model = sys.argv[1] if len(sys.argv) > 1 else ROOT / "models" / "fable-8m"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as schema:
        json.dump(SCHEMA, schema)
        schema.flush()
        pairs = [(rate(model), rate(model, "--json-schema", schema.name)) for _ in range(ROUNDS)]
    ratios = sorted(kept / free for free, kept in pairs)
    print(f"free {max(free for free, _ in pairs):.1f}, kept to a schema {max(kept for _, kept in pairs):.1f} tokens/s; ratio {statistics.median(ratios):.3f} "
          f"({ratios[0]:.3f} to {ratios[-1]:.3f})")
    subprocess.run([ROOT / "build" / "bin" / "constrained_bench"], check=True)


if __name__ == "__main__":
    main()
