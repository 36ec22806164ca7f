"""A hub of models as huggingface.co serves them, from folders: the listing, redirections of large files to another host, ranges.

What each request is answered can be changed by a test; what was asked, with which token, and how many bytes of files went out is counted.
"""
import functools
import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse

LARGE = 100_000  # bytes from which a file is kept by its SHA-256 on the other host


@functools.lru_cache(maxsize=None)
def hashes_of(path, changed):
    """(git blob id, SHA-256)"""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), hashlib.sha256(data).hexdigest()


def hashes(path):
    return hashes_of(path, path.stat().st_mtime_ns)


class Mirror:
    """`models` = {"org/name": folder}. `change(host, path, answer)` may return another (status, headers, body) or None to say nothing."""

    def __init__(self, models, token=None, tree_only=False, change=lambda host, path, answer: answer, pause=0.0):
        self.models = {name: {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
                       for name, folder in models.items()}
        self.token, self.tree_only, self.change, self.pause = token, tree_only, change, pause
        self.requests = []  # (host, path, Authorization)
        self.file_bytes = 0
        self.lock = threading.Lock()
        self.hub, self.cdn = self.serve("hub"), self.serve("cdn")
        self.url = f"http://127.0.0.1:{self.hub.server_port}"
        self.cdn_url = f"http://localhost:{self.cdn.server_port}"

    def serve(self, host):
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with mirror.lock:
                    mirror.requests.append((host, self.path, self.headers.get("Authorization")))
                answer = mirror.change(host, self.path, mirror.answer(host, self.path, self.headers))
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                if "Content-Range" in headers or status == 200 and "/api/" not in self.path:
                    time.sleep(mirror.pause)
                    with mirror.lock:
                        mirror.file_bytes += len(body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # a client that was killed
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def commit(self, name):
        return hashlib.sha1("".join(hashes(path)[0] for path in self.models[name].values()).encode()).hexdigest()

    def entry(self, name, path, keys):
        size = path.stat().st_size
        git_blob_id, sha256 = hashes(path)
        out = {keys[0]: name, "size": size, keys[1]: git_blob_id}
        if size >= LARGE:
            out["lfs"] = {keys[2]: sha256, "size": size, "pointerSize": 134}
        return out

    def answer(self, host, path, headers):
        url = urllib.parse.urlsplit(path)
        if host == "cdn":  # a signed URL: the signature stands for the token
            name, file = urllib.parse.unquote(url.path[1:]).split("//")
            if url.query != "signature=secret":
                return 403, {}, b"no signature"
            return self.file(self.models[name][file], headers)
        if self.token and headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"X-Error-Code": "GatedRepo"}, b"who are you?"
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/]+)", url.path):
            name, kind, revision = match.groups()
            if name not in self.models or revision not in ("main", "v1", self.commit(name)):
                return 404, {}, b"{}"
            return self.tree(name, url.query) if kind == "tree" else self.revision(name)
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", url.path):
            name, commit, file = match.group(1), match.group(2), urllib.parse.unquote(match.group(3))
            if name not in self.models or commit != self.commit(name) or file not in self.models[name]:
                return 404, {}, b"Entry not found"
            path = self.models[name][file]
            size = path.stat().st_size
            if size < LARGE:
                return self.file(path, headers)
            where = f"{self.cdn_url}/{name}//{file}?signature=secret"
            return 302, {"Location": where, "X-Linked-Size": str(size)}, b"Found. Redirecting to " + where.encode()
        return 404, {}, b"{}"

    def revision(self, name):
        keys = ("rfilename", "blobId", "sha256")
        files = [{"rfilename": file} if self.tree_only else self.entry(file, path, keys) for file, path in self.models[name].items()]
        return 200, {"Content-Type": "application/json"}, json.dumps({"id": name, "sha": self.commit(name), "siblings": files}).encode()

    def tree(self, name, query):
        """Pages of three files; the next one's address is the real hub's, as a mirror would pass it on."""
        start = int(urllib.parse.parse_qs(query).get("cursor", ["0"])[0])
        files = list(self.models[name].items())
        page = [{"type": "file", **self.entry(file, path, ("path", "oid", "oid"))} for file, path in files[start:start + 3]]
        headers = {"Content-Type": "application/json"}
        if start + 3 < len(files):
            after = f"https://huggingface.co/api/models/{name}/tree/{self.commit(name)}?recursive=true&cursor={start + 3}"
            headers["Link"] = f'<{after}>; rel="next"'
        return 200, headers, json.dumps(page).encode()

    @staticmethod
    def file(path, headers):
        size = path.stat().st_size
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", headers.get("Range", ""))
        first, last = (int(match.group(1)), int(match.group(2))) if match else (0, size - 1)
        if first >= size:
            return 416, {}, b""
        with path.open("rb") as data:
            data.seek(first)
            body = data.read(last - first + 1)
        return (206, {"Content-Range": f"bytes {first}-{first + len(body) - 1}/{size}"}, body) if match else (200, {}, body)

    def close(self):
        for server in (self.hub, self.cdn):
            server.shutdown()
            server.server_close()
