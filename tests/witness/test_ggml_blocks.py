"""Blocks that we make are ggml's to the byte: by golden hashes, and beside ggml itself where ENM_GGML names its libggml-base.so (as
llama.cpp builds it, or the npm package @node-llama-cpp/linux-x64 carries it), ENM_BLOCK_CASES rows of 256 weights of each type."""
import json
import os
import subprocess
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "golden"))
import ggml_blocks  # noqa: E402

CASES = int(os.environ.get("ENM_BLOCK_CASES", 4096))


@pytest.fixture
def quantize(tmp_path):
    def run(type, values, weights):
        values.tofile(tmp_path / "rows")
        more = [] if weights is None else [tmp_path / "importance"]
        if more:
            weights.tofile(*more)
        subprocess.run([ROOT / "build" / "bin" / "block_runner", str(ggml_blocks.TYPES[type][0]), str(ggml_blocks.COLUMNS),
                        tmp_path / "rows", tmp_path / "out", *more], check=True)
        return (tmp_path / "out").read_bytes()

    return run


def test_golden(quantize):
    assert ggml_blocks.hashes(quantize) == json.loads(ggml_blocks.GOLDEN.read_text())


@pytest.mark.parametrize("type", ggml_blocks.TYPES)
def test_beside_ggml(type, quantize):
    library = os.environ.get("ENM_GGML")
    if not library:
        pytest.skip("set ENM_GGML to a libggml-base.so")
    witness = ggml_blocks.ggml(library)
    for seed in range(1000, 1000 + -(-CASES // 16384)):
        values = ggml_blocks.rows(seed, min(CASES, 16384))
        for weights in (None, ggml_blocks.importance(seed)):
            assert quantize(type, values, weights) == witness(type, values, weights), seed
