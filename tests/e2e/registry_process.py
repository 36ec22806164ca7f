"""A registry as a process, and a proxy in front of one that damages, delays or counts what passes."""
import http.client
import http.server
import json
import pathlib
import subprocess
import threading
import time
import urllib.parse

from conftest import PROGRAM


class Registry:
    def __init__(self, data, *flags, prefix=()):
        self.data, self.flags, self.prefix = data, flags, prefix
        self.log = pathlib.Path(f"{data}.log")
        self.port = 0
        self.start()

    def start(self):
        words = [*self.prefix, PROGRAM, "registry", "serve", "--data", self.data, "--port", str(self.port), *self.flags]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=log, text=True)
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.log.read_text()
        self.port = urllib.parse.urlsplit(self.url).port

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=30)

    def request(self, method, path, body=None, headers={}):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        result = answer.status, answer.headers, answer.read()
        connection.close()
        return result

    def json(self, path):
        status, _, body = self.request("GET", path)
        assert status == 200, body
        return json.loads(body)


class Proxy:
    """Forwards to a registry. `change(path, body)` may return other bytes; `pause` seconds before each blob."""

    def __init__(self, registry, change=lambda path, body: body, pause=0.0):
        proxy = self
        self.change, self.pause = change, pause
        self.blob_bytes = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                length = int(self.headers.get("Content-Length", 0))
                headers = {name: value for name, value in self.headers.items() if name not in ("Host", "Connection")}
                status, answer, body = registry.request(self.command, self.path, self.rfile.read(length), headers)
                body = proxy.change(self.path, body)
                if self.path.startswith("/v1/blobs/"):
                    time.sleep(proxy.pause)
                    proxy.blob_bytes += len(body)
                self.send_response(status)
                for name, value in answer.items():
                    if name not in ("Content-Length", "Connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = forward

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # a client that was killed
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()
