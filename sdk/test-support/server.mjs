// A web server for tests: a folder with ranges, and every fault that a test asks for.
import { createServer } from 'node:http';
import { readFile, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';

const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};
const typeOf = (path) => types[path.slice(path.lastIndexOf('.'))] ?? 'application/octet-stream';

/**
 * Serves `folder`. `fault(request, body)` may return other bytes, or {status} to answer with that. `isolated` adds the
 * headers under which a page may share memory. Counts bytes sent as `sent`.
 */
export async function serveFolder(folder, { fault = (_request, body) => body, isolated = false } = {}) {
  const state = { sent: 0, requests: 0, fault };
  const headers = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };
  if (isolated) {
    Object.assign(headers, {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
  }
  const server = createServer(async (request, response) => {
    state.requests += 1;
    const name = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const path = join(folder, name.endsWith('/') ? `${name}index.html` : name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) return response.writeHead(404, headers).end();
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    let body = await readFile(path);
    let status = 200;
    if (range !== null) {
      const begin = Number(range[1]);
      const end = Math.min(Number(range[2]), info.size - 1);
      body = body.subarray(begin, end + 1);
      headers['Content-Range'] = `bytes ${begin}-${end}/${info.size}`;
      status = 206;
    } else {
      delete headers['Content-Range'];
    }
    const answer = state.fault(request, body);
    if (answer.status !== undefined) return response.writeHead(answer.status, headers).end();
    state.sent += answer.length;
    response
      .writeHead(status, { ...headers, 'Content-Type': typeOf(path), 'Content-Length': answer.length })
      .end(answer);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
}
