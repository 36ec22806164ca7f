// Runs the core in a real Chromium, headless: a page served from here, whose answer is posted back here.
import { spawn } from 'node:child_process';
import { createReadStream, mkdtempSync, readFileSync, rmSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const page = (name) => readFileSync(new URL(`./browser/${name}`, import.meta.url));
const sdk = new URL('../../sdk/dist/', import.meta.url);
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

function serve({ module, folder, isolated, plan }, answered) {
  const server = createServer((request, response) => {
    const headers = isolated ? { ...isolation } : {};
    const send = (type, body) => response.writeHead(200, { ...headers, 'Content-Type': type }).end(body);
    if (request.url === '/') return send('text/html', page('page.html'));
    if (request.url === '/plan') return send('application/json', JSON.stringify(plan));
    if (/^\/(host|thread|tell)\.js$/.test(request.url)) {
      return send('text/javascript', page(request.url.slice(1)));
    }
    if (/^\/sdk\/(engine\/core|errors)\.js$/.test(request.url)) {
      return send('text/javascript', readFileSync(new URL(request.url.slice('/sdk/'.length), sdk)));
    }
    if (request.url === '/core.wasm') return send('application/wasm', readFileSync(module));
    if (request.url.startsWith('/model/')) {
      const path = join(folder, request.url.slice('/model/'.length));
      response.writeHead(200, { ...headers, 'Content-Length': statSync(path).size });
      return createReadStream(path).pipe(response);
    }
    if (request.url !== '/answer') return response.writeHead(404).end();
    const parts = [];
    request
      .on('data', (part) => parts.push(part))
      .on('end', () => {
        send('text/plain', 'thanks');
        answered(JSON.parse(Buffer.concat(parts).toString()));
      });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

/** Opens `folder` with `module` in a page and runs the `requests`: {results, memoryBytes, isolated} or {error}. */
export async function runInChromium({
  module,
  folder,
  requests,
  threads = 1,
  isolated = true,
  context = 0,
  seconds = 120,
}) {
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  const plan = { moduleUrl: '/core.wasm', files, threads, requests, context };
  const profile = mkdtempSync(join(tmpdir(), 'enm-chromium-'));
  let server;
  let browser;
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no answer from the page in ${seconds} s`)),
        seconds * 1e3,
      );
      const settle = (then) => (value) => {
        clearTimeout(timer);
        then(value);
      };
      serve({ module, folder, isolated, plan }, settle(resolve)).then((started) => {
        server = started;
        const url = `http://127.0.0.1:${server.address().port}/`;
        const flags = [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--no-first-run',
          `--user-data-dir=${profile}`,
        ];
        browser = spawn('chromium', [...flags, url], { stdio: 'ignore', detached: true });
        browser.on('error', settle(reject));
      }, reject);
    });
  } finally {
    if (browser !== undefined && browser.exitCode === null) {
      const gone = new Promise((resolve) => browser.once('exit', resolve));
      process.kill(-browser.pid, 'SIGKILL'); // with its children, which write to the profile
      await gone;
    }
    server?.closeAllConnections();
    server?.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}
