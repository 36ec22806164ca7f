"""The program as a person meets it: what it prints where, how it exits, what it leaves behind."""
import base64
import json
import shutil
import signal
import subprocess
import time

import jsonschema
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from conftest import FABLE, PROGRAM


def test_data_goes_to_stdout_and_talk_to_stderr(program, artifacts):
    done = program("run", artifacts("--accuracy-level", "4"), "Once upon a time", "-n", 8)
    assert done.stdout.strip() and "tokens/s" not in done.stdout
    assert "tokens/s" in done.stderr
    assert program("run", FABLE, "Once", "-n", 4, "--quiet").stderr == ""


def test_run_json_has_the_documented_members(json_of):
    document = json_of("run", FABLE, "Once upon a time", "-n", 5)
    assert set(document) == {"text", "tokens", "prompt_tokens", "finish_reason", "prefill_tokens_per_second",
                             "decode_tokens_per_second", "peak_rss_bytes"}
    assert document["tokens"] == 5 and document["finish_reason"] == "length"
    assert set(json_of("bench", FABLE, "--tokens", 2, "--prompt-tokens", 4)) == {
        "model", "threads", "isa", "load_seconds", "prefill_tokens_per_second", "decode_tokens_per_second", "peak_rss_bytes", "batch", "prefill_profile", "decode_profile"}
    assert set(json_of("tokenize", FABLE, "a b")) == {"ids", "offsets"}


@pytest.mark.parametrize("arguments, code, words", [
    (["run", "./no-such-folder", "x"], 5, "no model at"),
    (["run", "no-such-model", "x", "--registry", "http://127.0.0.1:1"], 8, "registry serve"),
    (["run", FABLE, "x", "--registry", "nowhere"], 2, "http://"),
    (["pull", "Not An Id"], 2, "Not An Id"),
    (["cache", "clear", "no-such-model"], 5, "no-such-model"),
    (["run", FABLE, "x", "--top-p", "0"], 2, "top_p"),
    (["run", FABLE, "x", "--context", "9999"], 7, "1024"),
    (["embed", FABLE, "x"], 9, "use run"),
    (["optimize", FABLE], 2, "--output"),
    (["optimize", FABLE, "-o", "x", "--block-size", "48"], 2, "48"),
    (["eval", FABLE, "--perplexity", FABLE / "config.json"], 2, "one window takes"),
    (["config", "set", "cache.maxSize", "lots"], 2, "10GB"),
    (["config", "set", "nonsense", "1"], 2, "config show"),
    (["sign", FABLE, "--key", "no-such.pem"], 5, "keys new"),
    (["verify", FABLE], 5, "manifest.json"),
    (["optimize", FABLE, "-o", "x", "--max-kl", "0.1"], 2, "--validation-data"),
    (["optimize", FABLE, "-o", "x", "--calibration-data", FABLE / "config.json"], 2, "for GPTQ and AWQ"),
    (["optimize", FABLE, "-o", "x", "--quantization", "Q4_K", "--plan"], 2, "not for GGUF"),
    (["optimise", FABLE], 2, 'unknown command "optimise"; did you mean optimize?'),
    (["keys", "nonsense"], 2, 'unknown command "nonsense"'),
    (["run", FABLE, "x", "--temprature", "1"], 2, 'unknown option "--temprature"; did you mean --temperature?'),
    (["run", FABLE, "x", "y"], 2, 'unexpected "y"'),
    (["run", FABLE, "x", "-n", "-3"], 2, "--max-tokens: -3 is below 0"),
    ([], 2, "--help"),
])
def test_errors_say_what_to_do(program, arguments, code, words):
    done = program(*arguments, check=False)
    assert done.returncode == code
    assert words in done.stderr and done.stderr.startswith("error: ")
    assert done.stdout == ""


def test_a_folder_may_hold_one_gguf_file(program, tmp_path):
    program("optimize", FABLE, "-o", tmp_path / "story.gguf", "--quantization", "Q8_0")
    assert program("run", tmp_path, "Once", "-n", 3).stdout == program("run", tmp_path / "story.gguf", "Once", "-n", 3).stdout
    program("keys", "new", "-o", tmp_path / "key.pem", "--key-id", "me")
    program("sign", tmp_path, "--key", tmp_path / "key.pem")
    assert json.loads((tmp_path / "manifest.json").read_text())["optimization"]["quantization"] == "INT8"
    shutil.copy(tmp_path / "story.gguf", tmp_path / "other.gguf")
    done = program("run", tmp_path, "Once", check=False)
    assert done.returncode == 2 and "other.gguf, story.gguf" in done.stderr


def test_an_error_is_one_json_document(program):
    done = program("run", "./no-such-folder", "x", "--json", check=False)
    assert json.loads(done.stdout)["error"]["code"] == "not_found"


def test_a_damaged_model_is_an_error(program, artifacts, tmp_path):
    good = artifacts("--accuracy-level", "4")
    folder = tmp_path / "bad"
    shutil.copytree(good, folder)
    for size in (0, 100, 100_000):
        (folder / "model.onnx").write_bytes((good / "model.onnx").read_bytes()[:size])
        done = program("run", folder, "x", check=False)
        assert done.returncode == 3, done.stderr
        assert "model.onnx" in done.stderr


def test_optimizing_writes_companions_and_is_reproducible(program, tmp_path):
    for name in ("a", "b"):
        program("optimize", FABLE, "--output", tmp_path / name / "story.onnx")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["config.json", "generation_config.json", "story.onnx", "tokenizer.json", "tokenizer_config.json"]
    assert (tmp_path / "a" / "story.onnx").read_bytes() == (tmp_path / "b" / "story.onnx").read_bytes()
    assert program("run", tmp_path / "a" / "story.onnx", "Once", "-n", 3).stdout


def test_an_interrupted_run_exits_130():
    # One thread of scalar code takes seconds for what the cache has room for.
    process = subprocess.Popen([PROGRAM, "run", FABLE, "Once", "-n", "1000000", "--threads", "1"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={"ENM_ISA": "scalar", "HOME": "/nonexistent"})
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error


def test_settings_come_from_file_then_environment(program, tmp_path):
    env = {"EDGE_NET_CONFIG": str(tmp_path / "models.yaml")}
    program("config", "set", "cacheDir", "/somewhere", env=env)
    assert json.loads(program("config", "show", "--json", env=env).stdout)["cache.directory"] == "/somewhere"
    both = {**env, "EDGE_NET_CACHE": "/elsewhere"}
    assert json.loads(program("config", "show", "--json", env=both).stdout)["cache.directory"] == "/elsewhere"
    (tmp_path / "models.yaml").write_text("cache:\n  directoy: /x\n")
    done = program("config", "show", env=env, check=False)
    assert done.returncode == 2 and "line 2" in done.stderr and "directoy" in done.stderr


@pytest.fixture
def signed(program, artifacts, tmp_path):
    folder = tmp_path / "story"
    shutil.copytree(artifacts("--accuracy-level", "4"), folder)
    program("keys", "new", "--output", tmp_path / "k.pem", "--key-id", f"signer-{time.time_ns()}")
    program("sign", folder, "--key", tmp_path / "k.pem", "--version", "1.2.0")
    return folder


def test_openssl_and_cryptography_accept_the_signature(signed, tmp_path):
    signature = json.loads((signed / "manifest.sig").read_text())
    raw = base64.b64decode(signature["signature"])
    message = (signed / "manifest.json").read_bytes()
    load_pem_public_key((tmp_path / "k.pub.pem").read_bytes()).verify(raw, message)
    (tmp_path / "raw").write_bytes(raw)
    subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", tmp_path / "k.pub.pem",
                    "-in", signed / "manifest.json", "-sigfile", tmp_path / "raw"], check=True, capture_output=True)


def test_the_manifest_fits_its_schema(signed):
    schema = json.loads((PROGRAM.parents[2] / "schemas" / "manifest.schema.json").read_text())
    manifest = json.loads((signed / "manifest.json").read_text())
    jsonschema.validate(manifest, schema)
    manifest["artifacts"][next(iter(manifest["artifacts"]))]["sha256"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, schema)


def test_a_key_made_by_openssl_signs(program, json_of, signed, tmp_path):
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "o.pem"], check=True, capture_output=True)
    program("sign", signed, "--key", tmp_path / "o.pem")
    program("keys", "trust", tmp_path / "o.pem")
    assert json_of("verify", signed, "--check-signature")["ok"]


def test_verify_trusts_nobody_by_itself(program, json_of, signed, tmp_path):
    assert json_of("verify", signed) == {"ok": True, "signed_by": None, "problems": []}
    done = program("verify", signed, "--check-signature", check=False)
    assert done.returncode == 4 and "keys trust" in done.stderr
    program("keys", "trust", tmp_path / "k.pub.pem")
    assert json_of("verify", signed, "--check-signature")["ok"]
    data = bytearray((signed / "model.onnx").read_bytes())
    data[3_000_000] ^= 1
    (signed / "model.onnx").write_bytes(data)
    done = program("verify", signed, "--check-signature", "--json", check=False)
    assert done.returncode == 3
    assert json.loads(done.stdout)["problems"] == ["model.onnx: bytes 2883584 to 3145727 were changed"]
