"""publish -> pull across processes that die, over wires that lie, onto disks that fill."""
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import pytest

from conftest import PROGRAM
from registry_process import Proxy, Registry

MIB = 1 << 20


@pytest.fixture
def registry(tmp_path):
    server = Registry(tmp_path / "registry")
    yield server
    server.stop()


@pytest.fixture
def model(program, artifacts, tmp_path):
    folder = tmp_path / "story"
    shutil.copytree(artifacts("--accuracy-level", "4"), folder)
    key_id = f"team-{time.time_ns()}"
    program("keys", "new", "--output", tmp_path / "k.pem", "--key-id", key_id)
    program("keys", "trust", tmp_path / "k.pub.pem")
    program("sign", folder, "--key", tmp_path / "k.pem", "--name", "story")
    return folder


def publish(program, model, registry):
    program("publish", model, "--key", model.parent / "k.pem", "--registry", registry.url)


def size_of(model):
    return sum(path.stat().st_size for path in model.iterdir() if path.name not in ("manifest.json", "manifest.sig"))


def assert_cache_is_sound(cache):
    """Every blob is what its name says, and every model is whole."""
    for blob in (cache / "blobs").glob("*"):
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    for folder in (cache / "models").glob("*/*"):
        manifest = json.loads((folder / "manifest.json").read_text())
        for artifact in manifest["artifacts"].values():
            assert hashlib.sha256((folder / artifact["filename"]).read_bytes()).hexdigest() == artifact["sha256"]


def killed(words, env, seconds):
    """Starts the program and kills it after that time; true if it had not ended by itself."""
    process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **env})
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def test_a_pull_killed_50_times_loses_nothing(program, registry, model, tmp_path):
    publish(program, model, registry)
    trusted = tmp_path / "keys"
    env = {"EDGE_NET_CACHE": str(tmp_path / "cache"), "EDGE_NET_KEYS": str(trusted)}
    program("keys", "trust", model.parent / "k.pub.pem", env=env)
    proxy = Proxy(registry, pause=0.02)
    rng = random.Random(5)
    kills = 0
    size = size_of(model)
    while kills < 50:
        before = proxy.blob_bytes
        if killed(["pull", "story", "--registry", proxy.url], env, rng.uniform(0.005, 0.12)):
            kills += 1
        else:  # it came through: once more from nothing
            assert before <= proxy.blob_bytes
            shutil.rmtree(tmp_path / "cache")
            continue
        assert_cache_is_sound(tmp_path / "cache") if (tmp_path / "cache").exists() else None
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    proxy.blob_bytes = 0
    for kills in range(1, 51):  # one download in many pieces: what each kill wastes is bounded
        if not killed(["pull", "story", "--registry", proxy.url], env, rng.uniform(0.02, 0.06)):
            break
    done = program("pull", "story", "--registry", proxy.url, "--json", env=env)
    assert json.loads(done.stdout)["bytes"] >= size
    time.sleep(0.1)
    assert proxy.blob_bytes <= size + kills * MIB
    assert_cache_is_sound(tmp_path / "cache")
    assert program("verify", "story", "--check-signature", env=env)
    proxy.close()


def test_a_publish_killed_50_times_is_seen_whole_or_not_at_all(program, registry, model, tmp_path):
    rng = random.Random(6)
    visible = 0
    kills = 0
    proxy = Proxy(registry)
    while kills < 50:
        name = f"story{visible}"
        words = ["publish", model, "--name", name, "--version", "1.0.0", "--key", model.parent / "k.pem", "--registry", proxy.url]
        if kills % 2 == 0:
            dead = killed(words, {}, rng.uniform(0.005, 0.2))
        else:
            process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.005, 0.2))
            dead = True
            registry.kill()
            registry.start()
            process.kill()
            process.wait()
        kills += dead
        status, _, body = registry.request("GET", f"/v1/models/{name}")
        assert status in (200, 404)
        if status == 200:
            visible += 1
            for artifact in json.loads(body)["artifacts"].values():
                data = registry.request("GET", f"/v1/blobs/{artifact['sha256']}")[2]
                assert hashlib.sha256(data).hexdigest() == artifact["sha256"]
        for blob in (registry.data / "blobs").glob("*/*"):
            assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
        if kills % 7 == 0:  # other bytes, so that there is something to upload again
            (model / "notes.txt").write_bytes(rng.randbytes(3_000_000))
            (model / "manifest.json").unlink(missing_ok=True)
    program("publish", model, "--name", "last", "--version", "1.0.0", "--key", model.parent / "k.pem", "--registry", registry.url)
    assert registry.request("GET", "/v1/models/last")[0] == 200
    proxy.close()


def test_a_byte_flipped_on_the_wire_is_found_200_times(program, registry, model, tmp_path):
    publish(program, model, registry)
    rng = random.Random(7)
    flips = 0

    def flip(path, body):
        nonlocal flips
        if not body or flips >= target:
            return body
        flips += 1
        at = rng.randrange(len(body))
        return body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1:]

    proxy = Proxy(registry, flip)
    env = {"EDGE_NET_CACHE": str(tmp_path / "cache")}
    for target in range(20, 201, 20):
        # Twenty answers in a row are damaged: retries find good ones, or the pull is refused.
        while flips < target:
            done = program("pull", "story", "--registry", proxy.url, check=False, env=env)
            assert done.returncode in (0, 3, 4, 5, 8, 9), done.stderr
            if (tmp_path / "cache").exists():
                assert_cache_is_sound(tmp_path / "cache")
                shutil.rmtree(tmp_path / "cache")
    assert program("pull", "story", "--registry", proxy.url, env=env)
    proxy.close()


def test_a_full_disk_is_said_and_harms_nothing(program, registry, model, tmp_path):
    publish(program, model, registry)
    env = {"EDGE_NET_CACHE": str(tmp_path / "cache")}
    words = [PROGRAM, "pull", "story", "--registry", registry.url]
    env["EDGE_NET_KEYS"] = str(tmp_path / "keys")
    program("keys", "trust", model.parent / "k.pub.pem", env=env)
    limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (3 * MIB, 3 * MIB)))
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **env}, preexec_fn=limit)
    assert done.returncode == 7 and "free some space" in done.stderr, done.stderr
    assert_cache_is_sound(tmp_path / "cache")
    assert program("pull", "story", "--registry", registry.url, env=env)
    assert_cache_is_sound(tmp_path / "cache")


def test_a_full_registry_says_so_and_goes_on(program, model, tmp_path):
    limit = ["prlimit", f"--fsize={3 * MIB}", "--"]
    server = Registry(tmp_path / "small", prefix=["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", *limit])
    done = program("publish", model, "--key", model.parent / "k.pem", "--registry", server.url, check=False)
    assert done.returncode == 7, done.stderr
    assert server.json("/v1/models") == []
    server.stop()
    server.prefix = ()
    server.start()
    publish(program, model, server)
    assert [one["id"] for one in server.json("/v1/models")] == ["story"]
    server.stop()


def test_run_pulls_what_it_is_named_and_refuses_strangers(program, json_of, registry, model, tmp_path):
    publish(program, model, registry)
    env = {"EDGE_NET_CACHE": str(tmp_path / "cache"), "EDGE_NET_REGISTRY": registry.url}
    assert json_of("run", "story@1.0.0", "Once upon a time", "-n", 3, env=env)["tokens"] == 3
    registry.stop()
    assert json_of("run", "story", "Once upon a time", "-n", 3, env=env)["tokens"] == 3  # from the cache
    registry.start()
    stranger = {**env, "EDGE_NET_KEYS": str(tmp_path / "nobody")}
    done = program("run", "story", "Once", env=stranger, check=False)
    assert done.returncode == 4 and "keys trust" in done.stderr
    assert json_of("run", "story", "Once", "-n", 3, "--allow-untrusted", env=stranger)["tokens"] == 3
    done = program("pull", "story", "--output", tmp_path / "mine", env=env)
    assert (tmp_path / "mine" / "model.onnx").read_bytes() == (model / "model.onnx").read_bytes()
    done = program("pull", "story", "--output", tmp_path / "mine", env=env, check=False)
    assert done.returncode == 6
    assert json_of("cache", "info", env=env)["models"][0]["id"] == "story"
    assert json_of("cache", "clear", "story", env=env)["freed_bytes"] > 6_000_000
    assert json_of("cache", "info", env=env)["models"] == []


def test_several_processes_pull_at_once(program, registry, model, tmp_path):
    publish(program, model, registry)
    proxy = Proxy(registry, pause=0.01)
    keys = tmp_path / "keys"
    env = {**os.environ, "EDGE_NET_CACHE": str(tmp_path / "cache"), "EDGE_NET_KEYS": str(keys)}
    program("keys", "trust", model.parent / "k.pub.pem", env={"EDGE_NET_KEYS": str(keys)})
    pulls = [subprocess.Popen([PROGRAM, "pull", "story", "--registry", proxy.url], env=env, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [process.wait() for process in pulls] == [0] * 4
    assert proxy.blob_bytes == size_of(model)  # each chunk once
    assert_cache_is_sound(tmp_path / "cache")
    proxy.close()
