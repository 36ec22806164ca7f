"""Calibrated quantization from the outside: plans, reports, thresholds, what is wrong with a text, and kill -9 at any moment.
ENM_KILL_CASES: how many moments (3)."""
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time

import pytest

from conftest import FABLE, PROGRAM, ROOT

sys.path.append(str(ROOT / "tests" / "golden"))
from tiny_checkpoints import DECODERS, write_checkpoint  # noqa: E402

SMALL = ["--calibration-samples", "12", "--calibration-length", "64"]
FLOATS = ["--head-bits", "0", "--embedding-bits", "0"]


@pytest.fixture(scope="module")
def text(tmp_path_factory, heldout):
    path = tmp_path_factory.mktemp("text") / "calibration.txt"
    path.write_text(heldout.read_text(encoding="utf-8")[:20000], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    shapes = json.loads((ROOT / "tests" / "golden" / "families.json").read_text())

    def make(name):
        folder = tmp_path_factory.mktemp(name)
        write_checkpoint(folder, DECODERS[name], shapes[name]["shapes"])
        return folder

    return make


def letters(path, count):
    """A text of the tiny checkpoints' tokens."""
    draw = random.Random(1)
    path.write_text("".join(chr(33 + draw.randrange(94)) for _ in range(count)))
    return path


def test_a_plan_comes_before_anything(json_of, program):
    flags = ["--quantization", "GPTQ", "--block-size", "64", "--asymmetric"]
    plan = json_of("optimize", FABLE, "--plan", *flags)
    rows = {row["name"]: row for row in plan["tensors"]}
    assert len(rows) == 50
    assert rows["model.layers.3.mlp.fc1.weight"] == {
        "name": "model.layers.3.mlp.fc1.weight", "node": "model.layers.3.mlp.fc1/MatMul", "method": "GPTQ", "bits": 4, "block": 64,
        "symmetric": False, "rows": 1024, "columns": 256, "bits_per_weight": 4.5625}
    assert rows["lm_head.weight"]["bits"] == 8 and rows["model.embed_tokens.weight"]["method"] == "RTN"
    assert "model.layers.3.mlp.fc1.weight" in program("optimize", FABLE, "--plan", *flags).stdout


def test_gptq_beats_rounding_and_tells_so(json_of, text, heldout, tmp_path):
    made = {}
    for method in ("INT4", "GPTQ"):
        data = [] if method == "INT4" else ["--calibration-data", text, *SMALL]
        made[method] = json_of("optimize", FABLE, "-o", tmp_path / method, "--quantization", method, *FLOATS, *data, "--validation-data",
                               heldout, "--validation-windows", 4)
        assert not (tmp_path / f"{method}.calibration").exists()
    report = made["GPTQ"]
    assert {"output", "bytes", "original_bytes", "seconds", "peak_rss_bytes", "quantization", "bits_per_weight", "tensors",
            "validation"} <= set(report)
    products = [t for t in report["tensors"] if t["bits"]]
    assert len(products) == 48 and all(t["method"] == "GPTQ" and 0 < t["error"] < 0.02 for t in products)
    assert report["validation"]["perplexity"]["protocol"] == "windows of 512 tokens"
    assert report["validation"]["kl"] < 0.9 * made["INT4"]["validation"]["kl"]
    assert 0 < report["bytes"] - made["INT4"]["bytes"] < 200  # the recipe


def test_the_recipe_is_in_the_file(json_of, text, tmp_path):
    json_of("optimize", FABLE, "-o", tmp_path, "--quantization", "GPTQ", "--calibration-data", text, *SMALL, "--seed", 7, "--no-validation")
    import onnx

    metadata = {entry.key: entry.value for entry in onnx.load(tmp_path / "model.onnx", load_external_data=False).metadata_props}
    recipe = next(json.loads(value)["calibration"] for value in metadata.values() if "calibration" in value)
    assert recipe == {"source": "calibration.txt", "documents": 1, "windows": 12, "tokens": 768, "length": 64, "seed": 7, "packing": "joined"}


@pytest.mark.parametrize("name", ["phi", "llama", "llama-biases", "qwen3", "gemma2", "gemma3", "phi3"])
def test_scales_are_folded_without_a_trace(json_of, tiny, tmp_path, name):
    """At 8 bits a wrong fold would be all that is left of the difference."""
    source = tiny(name)
    text = letters(tmp_path / "text.txt", 4000)
    report = json_of("optimize", source, "-o", tmp_path / "out", "--quantization", "AWQ+GPTQ", "--bits", 8, *FLOATS, "--calibration-data",
                     text, "--calibration-length", 32, "--calibration-samples", 24, "--validation-length", 64)
    assert report["validation"]["kl"] < 2e-3, name
    assert all(t["method"] == "AWQ+GPTQ" for t in report["tensors"] if t["bits"])


def test_thresholds_decide(program, text, tmp_path):
    done = program("optimize", FABLE, "-o", tmp_path, "--validation-data", text, "--max-ppl-increase", "0.0001", "--json", check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 7 and report["validation"]["passed"] is False and "perplexity rose" in done.stderr
    assert (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("content, name, words", [("", "empty.txt", "no text"), ("Once upon a time", "short.txt", "a window takes"),
                                                  ('{"text": "a"}\n{"txt": "b"}\n', "wrong.jsonl", "line 2"),
                                                  ("\n \n", "blank.jsonl", "no text")])
def test_texts_that_do_not_do(program, tmp_path, content, name, words):
    (tmp_path / name).write_text(content)
    done = program("optimize", FABLE, "-o", tmp_path / "out", "--quantization", "GPTQ", "--calibration-data", tmp_path / name, check=False)
    assert done.returncode not in (0, 1) and words in done.stderr and not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["INT4", "GPTQ"])
def test_a_weight_that_is_no_number_is_named(program, text, tmp_path, method):
    source = tmp_path / "source"
    shutil.copytree(FABLE, source)
    for path in source.glob("*.safetensors"):
        raw = bytearray(path.read_bytes())
        (size,) = struct.unpack("<Q", raw[:8])
        tensor = json.loads(raw[8:8 + size]).get("model.layers.2.mlp.fc1.weight")
        if tensor:
            at = 8 + size + tensor["data_offsets"][0]
            raw[at + 100:at + 102] = b"\x00\x7e"  # a half that is no number
            path.write_bytes(raw)
    data = ["--calibration-data", text, *SMALL] if method == "GPTQ" else []
    done = program("optimize", source, "-o", tmp_path / "out", "--quantization", method, *data, check=False)
    assert done.returncode == 3 and "model.layers.2.mlp.fc1.weight" in done.stderr, done.stderr
    assert not (tmp_path / "out" / "model.onnx").exists()


def test_a_full_disk_leaves_nothing_that_looks_whole(text, tmp_path):
    limited = f"ulimit -f 2000; trap '' XFSZ; exec {PROGRAM} optimize {FABLE} -o {tmp_path}/out --quantization GPTQ --calibration-data {text} " \
              f"--calibration-samples 12 --calibration-length 64"
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode not in (0, -25) and "cannot write" in done.stderr, done.stderr
    assert not (tmp_path / "out" / "model.onnx").exists()


def test_killed_at_any_moment_it_ends_with_the_same_bytes(program, text, tmp_path):
    """Each start goes on behind the layers that are done."""
    flags = ["--quantization", "AWQ+GPTQ", "--calibration-data", text, *SMALL, "--no-validation", "-t", "2"]
    started = time.monotonic()
    program("optimize", FABLE, "-o", tmp_path / "whole", *flags)
    took = time.monotonic() - started
    wanted = (tmp_path / "whole" / "model.onnx").read_bytes()
    draw = random.Random(3)
    for case in range(int(os.environ.get("ENM_KILL_CASES", "3"))):
        out = tmp_path / f"killed{case}"
        command = [PROGRAM, "optimize", FABLE, "-o", out, *flags]
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path)})
        time.sleep(took * draw.uniform(0.1, 0.9))
        running.kill()
        running.wait()
        journal = out.with_name(out.name + ".calibration") / "journal.json"
        done = len(json.loads(journal.read_text())["stages"]) if journal.exists() else 0
        if (out / "model.onnx").exists():
            assert (out / "model.onnx").read_bytes() == wanted
        again = program("optimize", FABLE, "-o", out, *flags)
        assert done == 0 or f"went on after {done} parts" in again.stderr
        assert (out / "model.onnx").read_bytes() == wanted and not journal.parent.exists()
