"""MiniLM in INT8: size, closeness to fp32, ONNX Runtime on the same file, STS-B."""
import os
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from tokenizers import Tokenizer

from conftest import GOLDEN_SENTENCES

STANDARD = {"", "com.microsoft"}


@pytest.fixture(scope="module")
def models(minilm, program, tmp_path_factory):
    """Folders of MiniLM as it is and in INT8."""
    folder = tmp_path_factory.mktemp("minilm")
    program("import", minilm, "--output", folder / "f32")
    program("optimize", minilm, "--output", folder / "int8", "--quantize", "int8")
    return folder / "f32", folder / "int8"


def in_onnx_runtime(folder, texts):
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    out = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids])
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        out.append(session.run(["sentence_embedding"], feeds)[0][0])
    return np.array(out)


def cosine(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_the_file_is_small_and_standard(models):
    path = models[1] / "model.onnx"
    assert path.stat().st_size <= 23_500_000
    onnx.checker.check_model(str(path))
    graph = onnx.load(path).graph
    integer = [node for node in graph.node if node.op_type == "MatMulInteger"]
    assert len(integer) == 36 and {node.domain for node in graph.node} <= STANDARD
    assert not [node for node in graph.node if node.op_type == "MatMul"]
    # Query, key and value of a layer share their activations' bytes.
    assert sum(node.op_type == "DynamicQuantizeLinear" for node in graph.node) == 24


def test_onnx_runtime_and_ours_agree(models, json_of, heldout):
    """Roundings differ where floats differ in their last bit, so vectors are close and not equal."""
    sentences = [part.strip() for part in heldout.read_text(encoding="utf-8").replace("\n", " ").split(". ")]
    sentences = [part for part in sentences if 20 < len(part) < 200][:200]
    ours = np.array(json_of("embed", models[1], *sentences)["embeddings"])
    theirs = in_onnx_runtime(models[1], sentences)
    exact = in_onnx_runtime(models[0], sentences)
    print(f"mean cosine: ours to theirs {cosine(ours, theirs).mean():.4f}, to fp32 {cosine(ours, exact).mean():.4f} "
          f"and {cosine(theirs, exact).mean():.4f}")
    assert cosine(ours, theirs).mean() >= 0.996
    assert cosine(ours, exact).mean() >= 0.992
    assert cosine(theirs, exact).mean() >= 0.992


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512vnni"])
def test_instruction_sets_agree(isa, models, json_of, program):
    env = {"ENM_ISA": isa}
    if program("embed", models[1], "a", check=False, env=env).returncode == 9:
        pytest.skip(f"this machine has no {isa}")
    ours = np.array(json_of("embed", models[1], *GOLDEN_SENTENCES[:4], env=env)["embeddings"])
    best = np.array(json_of("embed", models[1], *GOLDEN_SENTENCES[:4])["embeddings"])
    assert cosine(ours, best).min() >= 0.99


def test_a_vector_does_not_depend_on_its_neighbours(models, json_of):
    alone = json_of("embed", models[1], GOLDEN_SENTENCES[0])["embeddings"][0]
    assert json_of("embed", models[1], *GOLDEN_SENTENCES)["embeddings"][0] == alone


def spearman(a, b):
    def ranks(values):
        order = np.argsort(values, kind="stable")
        ordered = np.asarray(values)[order]
        out = np.empty(len(values))
        # Equal values share the mean of their ranks.
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        ends = np.r_[starts[1:], len(values)]
        for start, end in zip(starts, ends):
            out[order[start:end]] = (start + end - 1) / 2
        return out

    return np.corrcoef(ranks(a), ranks(b))[0, 1]


def test_sts_benchmark(models, json_of, tmp_path):
    """STS-B's test set, 1,379 pairs, each sentence by itself: fp32 gives 0.8203."""
    folder = os.environ.get("ENM_EVAL_DATA")
    if not folder:
        pytest.skip("set ENM_EVAL_DATA to a folder with stsb-test.tsv (sentence1, sentence2, score)")
    lines = pathlib.Path(folder, "stsb-test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    assert len(rows) == 1379
    file = tmp_path / "sentences.txt"
    file.write_text("".join(f"{row[side]}\n" for row in rows for side in (0, 1)), encoding="utf-8")
    scores = [float(row[2]) for row in rows]
    pairs = {}
    for name, model in zip(("f32", "int8"), models):
        pairs[name] = np.array(json_of("embed", model, "--file", file)["embeddings"]).reshape(1379, 2, -1)
    rho = {name: spearman(cosine(both[:, 0], both[:, 1]), scores) for name, both in pairs.items()}
    closeness = cosine(pairs["f32"].reshape(2758, -1), pairs["int8"].reshape(2758, -1)).mean()
    print(f"STS-B Spearman fp32 {rho['f32']:.4f}, int8 {rho['int8']:.4f}; mean cosine {closeness:.4f}")
    assert rho["f32"] == pytest.approx(0.8203, abs=0.0005)
    assert rho["int8"] >= 0.816
    assert closeness >= 0.992
