"""embed: prompts, shorter vectors, and files of lines."""
import json
import shutil

import numpy as np
import pytest


@pytest.fixture
def prompted(minilm, tmp_path):
    """MiniLM with prompts of its own."""
    folder = tmp_path / "model"
    shutil.copytree(minilm, folder)
    names = {"prompts": {"query": "search for: ", "document": "text: "}, "default_prompt_name": "document"}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(names))
    return folder


def vector(json_of, model, text, *flags):
    return np.array(json_of("embed", model, text, *flags)["embeddings"][0])


def test_prompts_go_before_texts(json_of, minilm, prompted, program):
    plain = vector(json_of, minilm, "search for: cats")
    np.testing.assert_array_equal(vector(json_of, prompted, "cats", "--prompt", "query"), plain)
    np.testing.assert_array_equal(vector(json_of, prompted, "cats"), vector(json_of, minilm, "text: cats"))
    refused = program("embed", prompted, "cats", "--prompt", "passage", check=False)
    assert refused.returncode == 5 and "query, document" in refused.stderr
    np.testing.assert_array_equal(vector(json_of, minilm, "cats", "--prompt", "passage"), vector(json_of, minilm, "passage: cats"))


def test_shorter_vectors_have_length_one(json_of, minilm, program):
    whole, short = vector(json_of, minilm, "cats"), vector(json_of, minilm, "cats", "--dimensions", "64")
    np.testing.assert_allclose(short, whole[:64] / np.linalg.norm(whole[:64]), atol=1e-6)
    assert program("embed", minilm, "cats", "--dimensions", "385", check=False).returncode != 0


def test_jsonl_in_and_out(json_of, minilm, program, tmp_path):
    texts = [f"sentence {i} " + "and on " * (i % 23) for i in range(600)]
    lines = [{"id": f"n{i}", "text": text} if i % 2 else {"text": text} for i, text in enumerate(texts)]
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    out = [json.loads(line) for line in program("embed", minilm, "--file", path).stdout.splitlines()]
    assert [one.get("id") for one in out] == [line.get("id") for line in lines]
    for i in (0, 255, 256, 599):
        np.testing.assert_allclose(out[i]["embedding"], vector(json_of, minilm, texts[i]), atol=1e-5)
    path.write_text('{"text": "fine"}\n{"texts": 1}\n')
    refused = program("embed", minilm, "--file", path, check=False)
    assert refused.returncode == 3 and "line 2" in refused.stderr


def test_lines_of_other_files(json_of, minilm, tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("one\n\ntwo\n")
    assert json_of("embed", minilm, "--file", path) == json_of("embed", minilm, "one", "", "two")
