"""A tiny checkpoint of every family: our runtime, ONNX Runtime on our file and transformers (tests/golden/families.json) agree."""
import json
import sys

import numpy as np
import onnxruntime as ort
import pytest

from conftest import ROOT

sys.path.append(str(ROOT / "tests" / "golden"))
from tiny_checkpoints import DECODERS, ENCODERS, STEP, prompt_ids, write_checkpoint  # noqa: E402

GOLDEN = json.loads((ROOT / "tests" / "golden" / "families.json").read_text())
CLOSE = {"rtol": 1e-4, "atol": 1e-3}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """checkpoint(name) -> folder of config.json and safetensors."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp(name)
            write_checkpoint(made[name], {**DECODERS, **ENCODERS}[name], GOLDEN[name]["shapes"])
        return made[name]

    return make


@pytest.fixture(scope="module")
def imported(checkpoint, program, tmp_path_factory):
    """imported(name, *flags) -> the model's file, optimized with the flags if there are some."""
    made = {}

    def make(name, *flags):
        if (name, flags) not in made:
            path = tmp_path_factory.mktemp(name) / "model.onnx"
            program("optimize" if flags else "import", checkpoint(name), "--output", path, *flags)
            made[name, flags] = path
        return made[name, flags]

    return make


def prefill(config, length):
    """Feeds of a prompt before an empty cache."""
    heads = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    empty = np.zeros((1, config["num_key_value_heads"], 0, heads), np.float32)
    past = {f"past_key_values.{i}.{part}": empty for i in range(config["num_hidden_layers"]) for part in ("key", "value")}
    return {**past, "input_ids": np.array([prompt_ids(length)]), "attention_mask": np.ones((1, length), np.int64)}


def by_onnx_runtime(path, feeds):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, feeds)))


@pytest.mark.parametrize("name", DECODERS)
def test_logits_are_those_of_transformers(name, imported, run_graph):
    path = imported(name)
    for expected in GOLDEN[name]["results"]:
        feeds = prefill(DECODERS[name]["config"], expected["length"])
        for run in (by_onnx_runtime, run_graph):
            logits = run(path, feeds)["logits"][0]
            np.testing.assert_allclose(logits[-1], expected["last"], **CLOSE)
            np.testing.assert_allclose(logits[::STEP, 0], expected["first"], **CLOSE)


@pytest.mark.parametrize("name", DECODERS)
def test_a_cache_changes_nothing(name, imported, run_graph):
    """A prompt in chunks, then token by token across windows and changes of positions, against prompts read at once."""
    results = GOLDEN[name]["results"]
    ids = prompt_ids(results[-1]["length"])
    for start in (results[1]["length"], len(ids) - 1):
        logits = run_graph(imported(name), {"input_ids": np.array(ids), "prompt": np.array([start])}, mode=["--decode"])["logits"]
        assert len(logits) == 1 + len(ids) - start
        for expected in results:
            if expected["length"] >= start:
                np.testing.assert_allclose(logits[expected["length"] - start], expected["last"], **CLOSE)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("kind", ["INT4", "FP16"])
def test_quantized_files_mean_the_same_everywhere(name, kind, imported, run_graph):
    path = imported(name, "--quantize", kind, *(["--accuracy-level", "0", "--block-size", "16"] if kind == "INT4" else []))
    expected = GOLDEN[name]["results"][1]
    feeds = prefill(DECODERS[name]["config"], expected["length"])
    theirs = by_onnx_runtime(path, feeds)["logits"][0, -1]
    ours = run_graph(path, feeds)["logits"][0, -1]
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99999
    assert np.corrcoef(ours, expected["last"])[0, 1] > (0.9 if kind == "INT4" else 0.9999)


@pytest.mark.parametrize("name", DECODERS)
def test_writes_what_transformers_writes(name, checkpoint, json_of):
    from tiny_checkpoints import token

    prompt = "".join(map(token, prompt_ids(GOLDEN[name]["results"][-1]["length"])))
    written = json_of("run", checkpoint(name), prompt, "--max-tokens", len(GOLDEN[name]["greedy"]))["text"]
    assert written == "".join(map(token, GOLDEN[name]["greedy"]))


@pytest.mark.parametrize("name", ENCODERS)
def test_states_are_those_of_transformers(name, imported, run_graph):
    """Alone, and in a batch where a shorter text is padded."""
    path = imported(name)
    results = GOLDEN[name]["results"]
    types = {"token_type_ids"} & {value.name for value in ort.InferenceSession(str(path)).get_inputs()}

    def feeds(lengths):
        width = max(lengths)
        ids = np.array([prompt_ids(length) + [0] * (width - length) for length in lengths])
        mask = np.array([[1] * length + [0] * (width - length) for length in lengths])
        return {"input_ids": ids, "attention_mask": mask, **{one: np.zeros_like(ids) for one in types}}

    for batch in ([results[0]], [results[1]], [results[2]], [results[2], results[1]]):
        for run in (by_onnx_runtime, run_graph):
            states = run(path, feeds([one["length"] for one in batch]))["last_hidden_state"]
            for row, expected in zip(states, batch):
                row = row[:expected["length"]]
                np.testing.assert_allclose(row[0], expected["first"], **CLOSE)
                np.testing.assert_allclose(row[-1], expected["last"], **CLOSE)
                np.testing.assert_allclose(row.mean(0), expected["mean"], **CLOSE)


@pytest.mark.parametrize("name", ENCODERS)
def test_vectors_are_means_of_states(name, checkpoint, json_of, program, tmp_path):
    from tiny_checkpoints import token

    results = GOLDEN[name]["results"]
    texts = ["".join(map(token, prompt_ids(one["length"]))) for one in results]
    for vector, expected in zip(json_of("embed", checkpoint(name), *texts)["embeddings"], results):
        np.testing.assert_allclose(vector, expected["mean"], **CLOSE)
    lines = tmp_path / "texts.jsonl"
    lines.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts)))
    for i, line in enumerate(program("embed", checkpoint(name), "--file", lines, "--dimensions", 16).stdout.splitlines()):
        assert json.loads(line)["id"] == i
        np.testing.assert_allclose(json.loads(line)["embedding"], results[i]["mean"][:16], **CLOSE)


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("kind", ["INT4", "INT8", "FP16"])
def test_quantized_encoders_mean_the_same_everywhere(name, kind, imported, run_graph):
    path = imported(name, "--quantize", kind, *(["--accuracy-level", "0", "--block-size", "16"] if kind == "INT4" else []))
    expected = GOLDEN[name]["results"][1]
    ids = np.array([prompt_ids(expected["length"])])
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feeds = {value.name: ids if value.name == "input_ids" else np.full_like(ids, value.name == "attention_mask") for value in session.get_inputs()}
    theirs = session.run(["last_hidden_state"], feeds)[0][0]
    ours = run_graph(path, feeds)["last_hidden_state"][0]
    assert np.corrcoef(ours.flatten(), theirs.flatten())[0, 1] > 0.9999
    assert np.corrcoef(ours.mean(0), expected["mean"])[0, 1] > {"INT4": 0.9, "INT8": 0.99, "FP16": 0.9999}[kind]
