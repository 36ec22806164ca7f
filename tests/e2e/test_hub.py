"""hf:org/name as a model: from a hub that redirects, asks for tokens, is slow, dies and lies."""
import hashlib
import json
import os
import random
import shutil
import time

import pytest

from conftest import FABLE
from hub_mirror import Mirror
from test_distribution import MIB, assert_cache_is_sound, killed

TOKEN = "hf_ThisIsASecret"
NEEDED = ["config.json", "generation_config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
          "model.safetensors.index.json", "tokenizer.json", "tokenizer_config.json"]


@pytest.fixture
def hub(tmp_path, minilm):
    """hub(**options) -> a mirror with two models, and the settings that lead to it."""
    mirrors = []
    fable = tmp_path / "fable"
    shutil.copytree(FABLE, fable)
    (fable / "pytorch_model.bin").write_bytes(b"never")
    (fable / "onnx").mkdir()
    (fable / "onnx" / "model.onnx").write_bytes(b"never" * 100_000)

    def make(**options):
        mirror = Mirror({"tales/Fable-8M": fable, "sentence/MiniLM": minilm}, **options)
        mirror.env = {"EDGE_NET_HUB_ENDPOINT": mirror.url, "EDGE_NET_CACHE": str(tmp_path / "cache"), "HF_TOKEN": "", "HF_ENDPOINT": ""}
        mirrors.append(mirror)
        return mirror

    yield make
    for mirror in mirrors:
        mirror.close()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def imported(artifacts):
    return hashlib.sha256((artifacts() / "model.onnx").read_bytes()).hexdigest()


def sha256_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def model_folder(cache):
    (folder,) = (path for path in (cache / "models").glob("*/*"))
    return folder


def test_a_checkpoint_is_imported_run_and_kept(program, json_of, hub, cache, imported, tmp_path):
    mirror = hub()
    program("import", "hf:tales/Fable-8M", "-o", tmp_path / "out", env=mirror.env)
    assert sha256_of(tmp_path / "out" / "model.onnx") == imported
    folder = model_folder(cache)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*NEEDED, "manifest.json"])
    assert mirror.file_bytes == sum((FABLE / name).stat().st_size for name in NEEDED)  # each byte once, nothing else
    assert any(host == "cdn" for host, _, _ in mirror.requests)
    here = json_of("run", FABLE, "Once upon a time", "-n", 5, "--temperature", 0)
    mirror.close()  # from the cache, without a hub
    asked = len(mirror.requests)
    there = json_of("run", "hf:tales/Fable-8M", "Once upon a time", "-n", 5, "--temperature", 0, env=mirror.env)
    assert there["text"] == here["text"]
    assert json_of("inspect", "hf:tales/Fable-8M", env=mirror.env)["description"]["layers"] > 0
    assert json_of("tokenize", "hf:tales/Fable-8M", "Once", env=mirror.env)["ids"]
    assert len(mirror.requests) == asked
    assert json_of("cache", "info", env=mirror.env)["models"][0]["id"] == "hf:tales/Fable-8M"
    assert json_of("cache", "clear", "hf:tales/Fable-8M", env=mirror.env)["freed_bytes"] > 16_000_000
    assert list((cache / "names").iterdir()) == []


def test_an_embedder_by_tag_from_a_hub_that_lists_pages(program, json_of, hub, cache, minilm):
    mirror = hub(tree_only=True)
    here = json_of("embed", minilm, "a text")["embeddings"]
    assert json_of("embed", "hf:sentence/MiniLM@v1", "a text", env=mirror.env)["embeddings"] == here
    assert (model_folder(cache) / "1_Pooling" / "config.json").exists()
    before = mirror.file_bytes
    assert json_of("pull", "hf:sentence/MiniLM", env=mirror.env)["fetched_bytes"] == 0  # by another name, the same blobs
    assert mirror.file_bytes == before
    assert_cache_is_sound(cache)


def test_pull_asks_again_and_fetches_what_changed(program, json_of, hub, tmp_path):
    mirror = hub()
    first = json_of("pull", "hf:tales/Fable-8M", env=mirror.env)
    config = tmp_path / "fable" / "generation_config.json"
    config.write_bytes(config.read_bytes() + b"\n")
    assert json_of("run", "hf:tales/Fable-8M", "Once", "-n", 1, env=mirror.env)["tokens"] == 1  # what is here
    second = json_of("pull", "hf:tales/Fable-8M", env=mirror.env)
    assert second["version"] != first["version"] and second["fetched_bytes"] == config.stat().st_size
    assert (tmp_path / "cache" / "models" / "hf+tales+Fable-8M" / second["version"] / "generation_config.json").read_bytes().endswith(b"\n")


def test_an_import_killed_20_times_fetches_little_twice(program, hub, cache, imported, tmp_path):
    mirror = hub(pause=0.03)
    rng = random.Random(3)
    words = ["import", "hf:tales/Fable-8M", "-o", tmp_path / "out"]
    size = sum((FABLE / name).stat().st_size for name in NEEDED)
    kills = 0
    while kills < 20:
        if killed(words, mirror.env, rng.uniform(0.02, 0.25)):
            kills += 1
            time.sleep(0.1)  # until what was on its way is counted
            assert mirror.file_bytes <= size + kills * MIB
            if (cache / "models").exists():
                for folder in (cache / "models").glob("*/*"):
                    assert (folder / "manifest.json").exists()
                assert_cache_is_sound(cache)
        else:  # it came through early: once more from nothing, with the kills that are left
            shutil.rmtree(cache)
            shutil.rmtree(tmp_path / "out")
            mirror.file_bytes = 0
    program(*words, env=mirror.env)
    assert mirror.file_bytes <= size + kills * MIB
    assert sha256_of(tmp_path / "out" / "model.onnx") == imported
    assert_cache_is_sound(cache)
    assert list((cache / "partial").iterdir()) == []


def test_the_token_goes_to_the_hub_alone(program, hub, cache):
    mirror = hub(token=TOKEN)
    done = program("run", "hf:tales/Fable-8M", "Once", env=mirror.env, check=False)
    assert done.returncode == 4 and "HF_TOKEN" in done.stderr, done.stderr
    done = program("run", "hf:tales/Fable-8M", "Once", env={**mirror.env, "HF_TOKEN": "wrong"}, check=False)
    assert done.returncode == 4 and "the token may not" in done.stderr and "wrong" not in done.stderr
    mirror.requests.clear()
    env = {**mirror.env, "EDGE_NET_HUB_TOKEN": TOKEN, "HF_TOKEN": "wrong"}
    done = program("pull", "hf:tales/Fable-8M", "--json", env=env)
    shown = program("config", "show", env=env)
    assert {sent for host, _, sent in mirror.requests if host == "hub"} == {f"Bearer {TOKEN}"}
    assert {sent for host, _, sent in mirror.requests if host == "cdn"} == {None}
    assert TOKEN not in done.stdout + done.stderr + shown.stdout + shown.stderr
    for path in cache.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()


def test_a_token_of_the_settings_is_for_their_owner(program, hub, tmp_path):
    mirror = hub(token=TOKEN)
    env = {**mirror.env, "EDGE_NET_CONFIG": str(tmp_path / "models.yaml")}
    program("config", "set", "hub.token", TOKEN, env=env)
    assert os.stat(tmp_path / "models.yaml").st_mode & 0o777 == 0o600
    program("pull", "hf:tales/Fable-8M", env=env)


def test_a_hub_that_is_busy_is_waited_for(program, hub):
    busy = [2]

    def change(host, path, answer):
        if busy[0] > 0 and "/resolve/" in path:
            busy[0] -= 1
            return 429, {"Retry-After": "1"}, b""
        return answer

    mirror = hub(change=change)
    start = time.monotonic()
    program("pull", "hf:tales/Fable-8M", env=mirror.env)
    assert time.monotonic() - start > 1 and busy == [0]


def test_a_place_that_expires_is_asked_for_again(program, hub):
    served = [0]

    def change(host, path, answer):
        served[0] += host == "cdn"
        return (403, {}, b"expired") if host == "cdn" and served[0] % 7 == 0 else answer

    program("pull", "hf:tales/Fable-8M", env=hub(change=change).env)
    assert served[0] > 60


@pytest.mark.parametrize("asked, code, said", [
    ("hf:tales/nothing", 5, "no such model"),
    ("hf:tales/Fable-8M@v2", 5, "no such model, revision"),
    ("hf:tales/Fable-8M/x.gguf", 5, "no file"),
    ("hf:tales", 2, "expected hf:org/name"),
    ("hf:tales/../Fable-8M", 2, "expected hf:org/name"),
])
def test_what_is_not_there_is_said(program, hub, asked, code, said):
    done = program("run", asked, "Once", env=hub().env, check=False)
    assert done.returncode == code and said in done.stderr, done.stderr


def of_model(path):
    return "/resolve/" in path or "//" in path


def flipped(body):
    return body[:len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1:] if body else body


def revision(change):
    """A lie about the list."""
    def lie(host, path, answer):
        if "/revision/" not in path:
            return answer
        listing = json.loads(answer[2])
        change(listing)
        return 200, {}, json.dumps(listing).encode()
    return lie


def rename(old, new):
    def change(listing):
        for file in listing["siblings"]:
            if file["rfilename"] == old:
                file["rfilename"] = new
    return revision(change)


def every_size(size):
    def change(listing):
        for file in listing["siblings"]:
            file["size"] = size
            if "lfs" in file:
                file["lfs"]["size"] = size
    return revision(change)


LIES = {
    "wrong bytes": lambda host, path, answer: (*answer[:2], flipped(answer[2])) if answer[0] == 206 else answer,
    "wrong bytes of small files": lambda host, path, answer: (*answer[:2], flipped(answer[2])) if host == "hub" and answer[0] == 206 else answer,
    "too few bytes": lambda host, path, answer: (*answer[:2], answer[2][:-1]) if answer[0] == 206 else answer,
    "too many bytes": lambda host, path, answer: (*answer[:2], answer[2] + b"x") if answer[0] == 206 else answer,
    "an end too soon": lambda host, path, answer: (answer[0], {**answer[1], "Content-Length": str(len(answer[2]) + 9), "Connection": "close"}, answer[2])
                       if answer[0] == 206 else answer,
    "200 for 206": lambda host, path, answer: (200, {}, answer[2]) if answer[0] == 206 else answer,
    "another range": lambda host, path, answer: (206, {"Content-Range": "bytes 1-5/9"}, answer[2]) if answer[0] == 206 else answer,
    "a content coding": lambda host, path, answer: (206, {**answer[1], "Content-Encoding": "gzip"}, answer[2]) if answer[0] == 206 else answer,
    "a loop": lambda host, path, answer: (302, {"Location": path}, b"") if of_model(path) else answer,
    "a file of this machine": lambda host, path, answer: (302, {"Location": "file:///etc/passwd"}, b"") if of_model(path) else answer,
    "another protocol": lambda host, path, answer: (302, {"Location": "gopher://localhost/"}, b"") if of_model(path) else answer,
    "no location": lambda host, path, answer: (302, {}, b"") if of_model(path) else answer,
    "nothing": lambda host, path, answer: None if of_model(path) else answer,
    "an empty list": lambda host, path, answer: (200, {}, b"{}") if "/api/" in path else answer,
    "a list that never ends": lambda host, path, answer: (200, {}, b"[" * (17 * MIB)) if "/api/" in path else answer,
    "deep JSON": lambda host, path, answer: (200, {}, b'{"a":' * 100_000) if "/api/" in path else answer,
    "another commit": revision(lambda listing: listing.update(sha="0" * 40)),
    "a commit that is a path": revision(lambda listing: listing.update(sha="../../../../../../../../../../../../../x")),
    "a name that leads out": rename("config.json", "../config.json"),
    "a name twice": rename("README.md", "config.json"),
    "huge sizes": every_size(1 << 39),
    "sizes beyond all": every_size(1 << 62),
    "no sizes": every_size(0),
    "sizes one less": revision(lambda listing: [file.update(size=file["size"] - 1) for file in listing["siblings"] if "lfs" not in file]),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_never_used(program, hub, cache, tmp_path, lie):
    mirror = hub(change=LIES[lie])
    env = {**mirror.env, "EDGE_NET_CONFIG": str(tmp_path / "models.yaml")}
    program("config", "set", "download.retries", "1", env=env)
    done = program("import", "hf:tales/Fable-8M", "-o", tmp_path / "out", env=env, check=False)
    assert done.returncode in (3, 5, 7, 8, 9), (done.returncode, done.stderr)
    assert "secret" not in done.stderr
    assert not (tmp_path / "out").exists()
    assert not list((cache / "models").glob("*/*"))
    assert_cache_is_sound(cache)
    assert not (tmp_path / "config.json").exists()
    mirror.change = lambda host, path, answer: answer  # honest again: nothing of the lie is left
    program("import", "hf:tales/Fable-8M", "-o", tmp_path / "out", env=env)
    for name in NEEDED:
        assert sha256_of(model_folder(cache) / name) == sha256_of(FABLE / name)


def test_a_slow_hub_is_given_up(program, hub, tmp_path):
    def change(host, path, answer):
        if host == "cdn":
            time.sleep(30)
        return answer

    env = {**hub(change=change).env, "EDGE_NET_CONFIG": str(tmp_path / "models.yaml")}
    program("config", "set", "download.retries", "0", env=env)
    program("config", "set", "download.timeout", "1000", env=env)
    start = time.monotonic()
    done = program("pull", "hf:tales/Fable-8M", env=env, check=False)
    assert done.returncode == 8 and time.monotonic() - start < 15, done.stderr


def test_damage_on_disk_is_found_and_mended(program, json_of, hub, cache):
    mirror = hub()
    program("pull", "hf:tales/Fable-8M", env=mirror.env)
    model = model_folder(cache) / "model-00001-of-00002.safetensors"
    model.chmod(0o644)
    with model.open("r+b") as file:
        file.seek(5_000_000)
        file.write(b"x" * 100)
    done = program("run", "hf:tales/Fable-8M", "Once", "-n", 1, "--json", env=mirror.env)
    assert "were changed" in done.stderr and json.loads(done.stdout)["tokens"] == 1
    assert sha256_of(model_folder(cache) / model.name) == sha256_of(FABLE / model.name)
    assert_cache_is_sound(cache)
