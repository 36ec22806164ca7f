"""The registry over its socket: docs/formats/registry-protocol.md, line by line."""
import base64
import hashlib
import json
import random
import resource
import shutil
import socket
import threading
import time

import pytest

from registry_process import Registry


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    server = Registry(tmp_path_factory.mktemp("registry"), "--max-blob-size", "20MB")
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def model(program, artifacts, tmp_path_factory):
    """A folder signed by `k.pem` beside it."""
    folder = tmp_path_factory.mktemp("published") / "story"
    shutil.copytree(artifacts("--accuracy-level", "4"), folder)
    program("keys", "new", "--output", folder.parent / "k.pem", "--key-id", "publisher")
    program("keys", "trust", folder.parent / "k.pub.pem")
    return folder


@pytest.fixture(scope="module")
def published(program, registry, model):
    for version in ("1.0.0", "1.10.0", "1.9.0"):
        program("publish", model, "--name", "story", "--version", version, "--key", model.parent / "k.pem", "--registry", registry.url)
    return json.loads((model / "manifest.json").read_text())


def problem(answer, status, code):
    got, headers, body = answer
    document = json.loads(body)
    assert (got, document["code"]) == (status, code), document
    assert headers["Content-Type"] == "application/problem+json"
    assert document["status"] == status and document["detail"] and document["title"]
    return document


def test_reading(registry, published, model):
    assert [one["version"] for one in registry.json("/v1/models/story/versions")] == ["1.10.0", "1.9.0", "1.0.0"]
    status, headers, body = registry.request("GET", "/v1/models/story?version=1.9.0")
    assert body == (model / "manifest.json").read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    assert headers["ETag"] == f'"{digest}"' and headers["X-Model-Checksum"] == digest and headers["X-Model-Version"] == "1.9.0"
    assert "immutable" in headers["Cache-Control"] and headers["Access-Control-Allow-Origin"] == "*"
    assert registry.request("GET", "/v1/models/story?version=1.9.0", headers={"If-None-Match": f'"{digest}"'})[0] == 304
    assert registry.request("GET", "/v1/models/story")[1]["X-Model-Version"] == "1.10.0"  # the newest, not the latest
    assert registry.request("GET", "/v1/models/story/signature?version=1.9.0")[2] == (model / "manifest.sig").read_bytes()
    urls = registry.json("/v1/models/story/download?version=1.9.0")
    for name, artifact in published["artifacts"].items():
        assert hashlib.sha256(registry.request("GET", urls[name])[2]).hexdigest() == artifact["sha256"]
    problem(registry.request("GET", "/v1/models/nobody"), 404, "not_found")
    problem(registry.request("GET", "/v1/models/story?version=7"), 404, "not_found")
    assert registry.json("/v1/openapi.json")["openapi"].startswith("3.")


def test_listing_pages_and_filters(registry, program, published, model):
    for name in ("aa", "bb", "cc"):
        program("publish", model, "--name", name, "--version", "1.0.0", "--key", model.parent / "k.pem", "--registry", registry.url)
    names, path = [], "/v1/models?limit=2"
    while path:
        _, headers, body = registry.request("GET", path)
        names += [one["id"] for one in json.loads(body)]
        path = headers["Link"].split(">")[0][1:] if headers["Link"] else None
    assert names == ["aa", "bb", "cc", "story"]
    assert [one["id"] for one in registry.json("/v1/models?q=TOR")] == ["story"]
    assert registry.json("/v1/models?type=embedding") == []
    assert len(registry.json("/v1/models?type=text-generation")) == 4
    for limit in ("0", "x", "1000", "-1"):
        problem(registry.request("GET", f"/v1/models?limit={limit}"), 400, "bad_request")
    listed = json.loads(program("list", "--json", "--registry", registry.url).stdout)
    assert [one["id"] for one in listed] == names


def test_ranges(registry, published, model):
    sha = next(one["sha256"] for one in published["artifacts"].values() if one["filename"] == "model.onnx")
    data = (model / "model.onnx").read_bytes()
    path = f"/v1/blobs/{sha}"
    for header, expected, content_range in [
        ("bytes=0-0", data[:1], f"bytes 0-0/{len(data)}"),
        ("bytes=262144-524287", data[262144:524288], f"bytes 262144-524287/{len(data)}"),
        ("bytes=-5", data[-5:], f"bytes {len(data) - 5}-{len(data) - 1}/{len(data)}"),
        (f"bytes={len(data) - 3}-", data[-3:], f"bytes {len(data) - 3}-{len(data) - 1}/{len(data)}"),
    ]:
        status, headers, body = registry.request("GET", path, headers={"Range": header})
        assert (status, body, headers["Content-Range"]) == (206, expected, content_range)
    status, headers, _ = registry.request("GET", path, headers={"Range": f"bytes={len(data)}-"})
    assert status == 416 and headers["Content-Range"] == f"bytes */{len(data)}"
    assert registry.request("GET", path, headers={"Range": "bytes=0-1,5-6"})[0] == 200
    assert registry.request("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"other"'})[0] == 200
    assert registry.request("GET", path, headers={"Range": "bytes=0-1", "If-Range": f'"{sha}"'})[0] == 206
    status, headers, body = registry.request("HEAD", path)
    assert (status, body, int(headers["Content-Length"]), headers["Accept-Ranges"]) == (200, b"", len(data), "bytes")
    problem(registry.request("GET", f"/v1/blobs/{'0' * 64}"), 404, "not_found")
    problem(registry.request("GET", "/v1/blobs/..%2F..%2Fcatalog.sqlite"), 404, "not_found")
    problem(registry.request("DELETE", path), 405, "method_not_allowed")


def test_uploads_go_on_where_they_were(registry):
    data = random.Random(1).randbytes(1_000_000)
    sha = hashlib.sha256(data).hexdigest()
    begin = json.dumps({"sha256": sha, "size": len(data)})
    status, headers, body = registry.request("POST", "/v1/uploads", begin)
    assert status == 201
    path = headers["Location"]
    part = {"Content-Type": "application/offset+octet-stream"}
    status, headers, _ = registry.request("PATCH", path, data[:300_000], {**part, "Upload-Offset": "0"})
    assert (status, headers["Upload-Offset"]) == (204, "300000")
    assert registry.request("GET", f"/v1/blobs/{sha}")[0] == 404  # not before it is whole
    problem(registry.request("PATCH", path, data[:10], {**part, "Upload-Offset": "0"}), 409, "wrong_offset")
    problem(registry.request("PATCH", path, data[:10], {**part, "Upload-Offset": "x"}), 400, "bad_request")
    problem(registry.request("PATCH", path, data[:10], {"Upload-Offset": "300000"}), 415, "bad_request")
    # A client that is cut off: what came counts.
    raw = socket.create_connection(("127.0.0.1", registry.port))
    raw.sendall(f"PATCH {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/offset+octet-stream\r\n"
                f"Upload-Offset: 300000\r\nContent-Length: 700000\r\n\r\n".encode() + data[300_000:500_000])
    time.sleep(0.3)
    raw.close()
    deadline = time.time() + 10
    while registry.request("HEAD", path)[1]["Upload-Offset"] != "500000" and time.time() < deadline:
        time.sleep(0.05)
    registry.kill()
    registry.start()
    document = json.loads(registry.request("POST", "/v1/uploads", begin)[2])
    assert document["offset"] == 500_000 and not document["complete"]
    status, headers, _ = registry.request("PATCH", path, data[500_000:], {**part, "Upload-Offset": "500000"})
    assert (status, headers["Upload-Offset"]) == (204, str(len(data)))
    assert registry.request("GET", f"/v1/blobs/{sha}")[2] == data
    assert json.loads(registry.request("POST", "/v1/uploads", begin)[2])["complete"]
    problem(registry.request("GET", path), 404, "no_such_upload")


def test_uploads_that_lie(registry):
    sha = hashlib.sha256(b"right").hexdigest()
    part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    path = registry.request("POST", "/v1/uploads", json.dumps({"sha256": sha, "size": 5}))[1]["Location"]
    problem(registry.request("PATCH", path, b"wrong", part), 422, "wrong_hash")
    problem(registry.request("PATCH", path, b"right", part), 404, "no_such_upload")
    path = registry.request("POST", "/v1/uploads", json.dumps({"sha256": sha, "size": 5}))[1]["Location"]
    problem(registry.request("PATCH", path, b"right and more", part), 413, "too_large")
    assert registry.request("DELETE", path)[0] == 204
    problem(registry.request("POST", "/v1/uploads", json.dumps({"sha256": sha, "size": 20_000_001})), 413, "too_large")
    for body in ("", "{}", "[1]", json.dumps({"sha256": "A" * 64, "size": 1}), json.dumps({"sha256": sha, "size": -1})):
        problem(registry.request("POST", "/v1/uploads", body), 400, "bad_request")
    for name in ("x", "..%2F..%2Flock", f"{sha}.5.5", f"{sha}.05"):
        problem(registry.request("PATCH", f"/v1/uploads/{name}", b"x", part), 404, "no_such_upload")


def test_ids_have_owners_and_versions_never_change(registry, program, published, model, tmp_path):
    program("keys", "new", "--output", tmp_path / "other.pem", "--key-id", "somebody")
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    done = program("publish", copy, "--name", "story", "--version", "3.0.0", "--key", tmp_path / "other.pem", "--registry", registry.url, check=False)
    assert done.returncode == 4 and "another key" in done.stderr
    (copy / "generation_config.json").write_text("{}")
    done = program("publish", copy, "--name", "story", "--version", "1.0.0", "--key", model.parent / "k.pem", "--registry", registry.url, check=False)
    assert done.returncode in (3, 6), done.stderr  # the old manifest does not fit; or the version is taken
    program("sign", copy, "--name", "story", "--version", "1.0.0", "--key", model.parent / "k.pem")
    done = program("publish", copy, "--key", model.parent / "k.pem", "--registry", registry.url, check=False)
    assert done.returncode == 6 and "never change" in done.stderr
    assert len(registry.json("/v1/models/story/versions")) == 3


def test_publishing_wants_blobs_and_a_signature_that_holds(registry, program, model, tmp_path):
    copy = tmp_path / "new"
    shutil.copytree(model, copy)
    (copy / "extra.txt").write_text("not uploaded")
    program("sign", copy, "--name", "new", "--key", model.parent / "k.pem")
    key = base64.b64decode("".join((model.parent / "k.pub.pem").read_text().split("-----")[2].split()))[12:]
    body = {"manifest": base64.b64encode((copy / "manifest.json").read_bytes()).decode(),
            "signature": json.loads((copy / "manifest.sig").read_text()), "publicKey": base64.b64encode(key).decode()}
    put = lambda body, path="/v1/models/new/1.0.0": registry.request("PUT", path, json.dumps(body) if isinstance(body, dict) else body)
    missing = problem(put(body), 409, "missing_blobs")["missing"]
    assert missing == [hashlib.sha256(b"not uploaded").hexdigest()]
    problem(put({**body, "publicKey": base64.b64encode(bytes(32)).decode()}), 422, "bad_signature")
    problem(put(body, "/v1/models/other/1.0.0"), 422, "bad_manifest")
    text = (copy / "manifest.json").read_bytes()
    rng = random.Random(3)
    for _ in range(200):
        at = rng.randrange(len(text))
        changed = text[:at] + bytes([text[at] ^ (1 << rng.randrange(8))]) + text[at + 1:]
        assert put({**body, "manifest": base64.b64encode(changed).decode()})[0] == 422
    for bad in ("", "{}", "[", '{"manifest":1}'):
        problem(put(bad), 422, "bad_manifest")
    assert put(b"x" * (25 << 20))[0] == 413
    assert registry.request("GET", "/v1/models/new")[0] == 404


@pytest.mark.parametrize("raw", [
    b"GARBAGE\r\n\r\n", b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"POST /v1/uploads HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/uploads HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"POST /v1/uploads HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    b"GET /../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /v1/models/%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"PATCH /v1/uploads/ HTTP/1.1\r\n\r\n", b"GET", b"",
])
def test_hostile_requests_get_an_error_or_nothing(registry, raw):
    with socket.create_connection(("127.0.0.1", registry.port)) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(20)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert registry.json("/v1/models?limit=1") is not None


def test_thousands_wait_while_others_publish_and_pull(registry, program, json_of, published, model, tmp_path):
    """5,000 idle connections and 100 readers who take a few bytes a second hold nobody up."""
    wanted = 5_200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        pytest.skip(f"only {hard} descriptors may be open here; {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    idle = [socket.create_connection(("127.0.0.1", registry.port)) for _ in range(5_000)]
    path = f"/v1/blobs/{max(published['artifacts'].values(), key=lambda one: one['size'])['sha256']}"
    slow = []
    for _ in range(100):
        reader = socket.create_connection(("127.0.0.1", registry.port))
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        slow.append(reader)
    done = threading.Event()

    def sip():
        while not done.is_set():
            for reader in slow:
                reader.recv(16)
            time.sleep(0.1)

    sipping = threading.Thread(target=sip)
    sipping.start()
    try:
        env = {"EDGE_NET_CACHE": str(tmp_path / "cache")}
        for i in range(5):
            program("publish", model, "--name", f"busy{i}", "--version", "1.0.0", "--key", model.parent / "k.pem", "--registry", registry.url)
            assert json_of("pull", f"busy{i}", "--registry", registry.url, env=env)["signed_by"] == "publisher"
    finally:
        done.set()
        sipping.join()
    for connection in (idle[0], idle[2_500], idle[-1]):  # and they were not forgotten
        connection.sendall(b"GET /v1/models?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
    for connection in (*idle, *slow):
        connection.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_failed_requests_are_logged(tmp_path):
    server = Registry(tmp_path / "data", "--quiet")
    assert server.request("GET", "/v1/models")[0] == 200
    problem(server.request("GET", "/v1/models/nothing%0a?version=secret"), 400, "bad_request")
    sha = "0" * 64
    blob = tmp_path / "data" / "blobs" / "00" / sha
    blob.parent.mkdir()
    blob.symlink_to(sha)  # a failure of the machine: it leads to itself
    told = problem(server.request("GET", f"/v1/blobs/{sha}"), 500, "internal")
    assert str(tmp_path) not in told["detail"] and "log" in told["detail"]
    server.stop()
    refused, failed = server.log.read_text().splitlines()
    assert ' level=warn method="GET" path="/v1/models/nothing%0a" status=400 reason="' in refused
    assert f' level=error method="GET" path="/v1/blobs/{sha}" status=500 reason="cannot open {blob}: ' in failed
    assert "secret" not in refused


def test_abandoned_uploads_and_unpublished_blobs_are_forgotten(tmp_path):
    server = Registry(tmp_path / "data", "--upload-expiry", "1s")
    data = b"nobody publishes this"
    sha = hashlib.sha256(data).hexdigest()
    part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    path = server.request("POST", "/v1/uploads", json.dumps({"sha256": sha, "size": len(data)}))[1]["Location"]
    assert server.request("PATCH", path, data, part)[0] == 204
    server.request("POST", "/v1/uploads", json.dumps({"sha256": "0" * 64, "size": 9}))
    time.sleep(2.1)
    server.stop()
    server.start()  # the sweep comes at the start, then each minute
    deadline = time.time() + 10
    while server.request("GET", f"/v1/blobs/{sha}")[0] != 404 and time.time() < deadline:
        time.sleep(0.05)
    assert server.request("GET", f"/v1/blobs/{sha}")[0] == 404
    assert list((tmp_path / "data" / "uploads").iterdir()) == []
    server.stop()


def test_one_server_a_folder(tmp_path, program):
    server = Registry(tmp_path / "data")
    done = program("registry", "serve", "--data", tmp_path / "data", "--port", 0, check=False)
    assert done.returncode == 6 and "locked by another process" in done.stderr
    done = program("registry", "serve", "--data", tmp_path / "other", "--port", server.port, check=False)
    assert done.returncode == 8 and str(server.port) in done.stderr
    server.stop()
