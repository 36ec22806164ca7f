// Loading over HTTP: trust, damage, interruptions.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { ModelLoader } from '../dist/index.js';
import { makeModels } from './models.mjs';
import { serveFolder } from './server.mjs';

let models;
let server;
let place;
before(() => (models = makeModels()));
after(() => models.remove());
beforeEach(async () => {
  server = await serveFolder(models.folder);
  place = mkdtempSync(join(tmpdir(), 'enm-loader-'));
});
afterEach(() => {
  server.close();
  rmSync(place, { recursive: true });
});

const size = () => statSync(join(models.story, 'model.onnx')).size;
const loader = (more = {}) =>
  new ModelLoader({ trustedKeys: [models.key], cache: { storage: 'filesystem', place }, download: { retries: 1, ...more.download }, ...more.options });
const story = () => `${server.url}/story`;
const modelFile = () => {
  const { artifacts } = JSON.parse(readFileSync(join(models.story, 'manifest.json'), 'utf8'));
  return join(place, 'files', Object.values(artifacts).find(({ filename }) => filename === 'model.onnx').sha256);
};

test('progress counts every chunk once, and the second time none is fetched', async () => {
  const seen = new Set();
  let last;
  const watch = { download: { progressCallback: (progress) => (seen.add(progress.chunk.index), (last = progress)) } };
  await loader(watch).preload(story());
  assert.equal(seen.size, last.chunk.count);
  assert.equal(last.loaded, last.total);
  assert.equal(last.fetched, last.total);
  const before = server.sent;
  await loader(watch).preload(story());
  assert.equal(last.fetched, 0);
  assert.ok(server.sent - before < 10_000); // the manifest and its signature
  assert.deepEqual((await loader().getCachedModels()).map(({ id, version }) => `${id}@${version}`), ['story@1.1.0']);
});

test('a signer who is not trusted is refused before a byte of the model is asked for', async () => {
  for (const trustedKeys of [[], [{ keyId: 'team', publicKey: Buffer.alloc(32, 1).toString('base64') }]]) {
    await assert.rejects(loader({ options: { trustedKeys } }).preload(story()), { code: 'untrusted' });
  }
  assert.equal(server.requests, 4);
  await loader({ options: { trustedKeys: [], allowUnsigned: true } }).preload(story());
});

test('an unsigned folder must be allowed', async () => {
  server.fault = (request, body) => (request.url.endsWith('manifest.sig') ? { status: 404 } : body);
  await assert.rejects(loader().preload(story()), { code: 'untrusted' });
  await loader({ options: { allowUnsigned: true } }).preload(story());
});

test('bytes flipped on their way are fetched again; a server that keeps lying is refused', async () => {
  let flips = 0;
  const flip = (request, body) => {
    if (!request.url.endsWith('model.onnx')) return body;
    const bad = Buffer.from(body);
    bad[(++flips * 7919) % bad.length] ^= 4;
    return bad;
  };
  const asked = new Set();
  server.fault = (request, body) => (asked.has(request.headers.range) ? body : (asked.add(request.headers.range), flip(request, body)));
  await loader().preload(story());
  assert.ok(flips > 20);
  rmSync(place, { recursive: true });
  server.fault = flip;
  await assert.rejects(loader().preload(story()), { code: 'corrupt' });
  assert.deepEqual(await loader().getCachedModels(), []);
});

test('outages are waited for', async () => {
  let requests = 0;
  server.fault = (_request, body) => (++requests % 3 === 0 ? { status: 503 } : body);
  await loader({ download: { retries: 4 } }).preload(story());
});

test('an aborted download goes on where it was', async () => {
  const abort = new AbortController();
  const progressCallback = ({ fetched }) => fetched > size() / 2 && abort.abort();
  await assert.rejects(loader({ download: { progressCallback } }).preload(story(), { signal: abort.signal }), { name: 'AbortError' });
  const first = server.sent;
  await loader().preload(story());
  assert.ok(server.sent <= size() + 300_000 + 4 * 262_144 + 20_000, `${server.sent} bytes in all for ${size()}`);
  assert.ok(server.sent - first < first);
});

test('a byte flipped in the cache is found at 200 places and mended', async () => {
  await loader().preload(story());
  const good = readFileSync(modelFile());
  for (let i = 0; i < 200; ++i) {
    const at = Math.floor((i * good.length) / 200);
    const bad = Buffer.from(good);
    bad[at] ^= 1;
    writeFileSync(modelFile(), bad);
    let fetched = 0;
    await loader({ download: { progressCallback: (progress) => (fetched = progress.fetched) } }).preload(story());
    assert.ok(fetched > 0 && fetched <= 262_144, `byte ${at}: ${fetched} fetched`);
    assert.ok(readFileSync(modelFile()).equals(good));
  }
});

test('errors have codes', async () => {
  await assert.rejects(loader().preload(`${server.url}/nothing`), { code: 'not_found' });
  await assert.rejects(loader({ options: { registry: 'http://127.0.0.1:1' } }).preload('story'), { code: 'unavailable' });
  await assert.rejects(loader().preload('Story!'), { code: 'invalid_argument' });
  await assert.rejects(loader({ options: { cache: { storage: 'filesystem', place, maxSize: 1000 } } }).preload(story()), { code: 'resource_exhausted' });
  await assert.rejects(new ModelLoader({ cache: { storage: 'indexeddb' } }).preload(story()), { code: 'unsupported' });
  assert.throws(() => new ModelLoader({ backend: 'webgpu' }), { code: 'unsupported' });
});
