// Loading over HTTP: trust, damage, interruptions.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { ModelLoader, type LoaderOptions, type Progress } from './index.js';
import { parseManifest } from './manifest.js';
import { makeModels, type Models } from '../test-support/models.mjs';
import { serveFolder, type Fault, type FolderServer } from '../test-support/server.mjs';

let models: Models;
let server: FolderServer;
let place: string;
before(() => {
  models = makeModels();
});
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
const loader = (options: LoaderOptions = {}) =>
  new ModelLoader({
    trustedKeys: [models.key],
    cache: { storage: 'filesystem', place },
    ...options,
    download: { retries: 1, ...options.download },
  });
const story = () => `${server.url}/story`;
/** Where the cache keeps model.onnx. */
async function modelFile(): Promise<string> {
  const { artifacts } = await parseManifest(readFileSync(join(models.story, 'manifest.json')));
  const { sha256 } = artifacts.find(({ filename }) => filename === 'model.onnx')!;
  return join(place, 'files', sha256);
}

test('progress counts every chunk once, and the second time none is fetched', async () => {
  const seen = new Set<number>();
  let last: Progress | undefined;
  const progressCallback = (progress: Progress) => {
    seen.add(progress.chunk.index);
    last = progress;
  };
  const watch = { download: { progressCallback } };
  await loader(watch).preload(story());
  assert.equal(seen.size, last?.chunk.count);
  assert.equal(last?.loaded, last?.total);
  assert.equal(last?.fetched, last?.total);
  const before = server.sent;
  await loader(watch).preload(story());
  assert.equal(last?.fetched, 0);
  assert.ok(server.sent - before < 10_000); // the manifest and its signature
  assert.deepEqual(
    (await loader().getCachedModels()).map(({ id, version }) => `${id}@${version}`),
    ['story@1.1.0'],
  );
});

test('a signer who is not trusted is refused before a byte of the model is asked for', async () => {
  for (const trustedKeys of [[], [{ keyId: 'team', publicKey: Buffer.alloc(32, 1).toString('base64') }]]) {
    await assert.rejects(loader({ trustedKeys }).preload(story()), { code: 'untrusted' });
  }
  assert.equal(server.requests, 4);
  await loader({ trustedKeys: [], allowUnsigned: true }).preload(story());
});

test('an unsigned folder must be allowed', async () => {
  server.fault = (request, body) => (request.url?.endsWith('manifest.sig') ? { status: 404 } : body);
  await assert.rejects(loader().preload(story()), { code: 'untrusted' });
  await loader({ allowUnsigned: true }).preload(story());
});

test('bytes flipped on their way are fetched again; a server that keeps lying is refused', async () => {
  let flips = 0;
  const flip: Fault = (request, body) => {
    if (!request.url?.endsWith('model.onnx')) return body;
    const bad = Buffer.from(body);
    flips += 1;
    bad[(flips * 7919) % bad.length]! ^= 4;
    return bad;
  };
  const asked = new Set<string | undefined>();
  server.fault = (request, body) => {
    const { range } = request.headers;
    if (asked.has(range)) return body;
    asked.add(range);
    return flip(request, body);
  };
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
  let kept = 0;
  const progressCallback = ({ fetched }: Progress) => {
    kept = fetched;
    if (fetched > size() / 2) abort.abort();
  };
  await assert.rejects(
    loader({ download: { progressCallback } }).preload(story(), { signal: abort.signal }),
    { name: 'AbortError' },
  );
  let last: Progress | undefined;
  const watch = (progress: Progress) => {
    last = progress;
  };
  await loader({ download: { progressCallback: watch } }).preload(story());
  assert.ok(kept > size() / 2);
  assert.ok(last!.fetched <= last!.total - kept, `${last!.fetched} of ${last!.total} after ${kept}`);
  assert.ok(
    server.sent <= size() + 300_000 + 4 * 262_144 + 20_000,
    `${server.sent} bytes in all for ${size()}`,
  );
});

test('a byte flipped in the cache is found at 200 places and mended', async () => {
  await loader().preload(story());
  const path = await modelFile();
  const good = readFileSync(path);
  for (let i = 0; i < 200; ++i) {
    const at = Math.floor((i * good.length) / 200);
    const bad = Buffer.from(good);
    bad[at]! ^= 1;
    writeFileSync(path, bad);
    let fetched = 0;
    const progressCallback = (progress: Progress) => {
      fetched = progress.fetched;
    };
    await loader({ download: { progressCallback } }).preload(story());
    assert.ok(fetched > 0 && fetched <= 262_144, `byte ${at}: ${fetched} fetched`);
    assert.ok(readFileSync(path).equals(good));
  }
});

test('errors have codes', async () => {
  await assert.rejects(loader().preload(`${server.url}/nothing`), { code: 'not_found' });
  await assert.rejects(loader({ registry: 'http://127.0.0.1:1' }).preload('story'), { code: 'unavailable' });
  await assert.rejects(loader().preload('Story!'), { code: 'invalid_argument' });
  await assert.rejects(loader({ cache: { storage: 'filesystem', place, maxSize: 1000 } }).preload(story()), {
    code: 'resource_exhausted',
  });
  await assert.rejects(new ModelLoader({ cache: { storage: 'indexeddb' } }).preload(story()), {
    code: 'unsupported',
  });
  assert.throws(() => new ModelLoader({ backend: 'webgpu' as 'wasm' }), { code: 'unsupported' });
});
