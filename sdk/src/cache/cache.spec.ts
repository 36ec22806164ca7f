// What every cache must do, run on each.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import 'fake-indexeddb/auto';

import {
  removeUnused,
  shrink,
  type Cache,
  type CachedFile,
  type CachedModel,
  type FileHandle,
} from './cache.js';
import { FilesystemCache } from './filesystem.js';
import { IndexedDbCache } from './indexeddb.js';
import { MemoryCache } from './memory.js';

const chunk = 262144;
const filled = (size: number, value: number) => new Uint8Array(size).fill(value);
const file = (digit: string, size: number): CachedFile => ({ sha256: digit.repeat(64), size });
const model = (id: string, version: string, files: CachedFile[], lastUsed: number): CachedModel => ({
  id,
  version,
  manifest: Uint8Array.of(1, 2),
  signature: Uint8Array.of(3),
  files,
  lastUsed,
});

async function bytesOf(handle: FileHandle): Promise<Uint8Array> {
  if (handle.kind === 'bytes') return handle.bytes;
  if (handle.kind === 'blob') return new Uint8Array(await handle.blob.arrayBuffer());
  return new Uint8Array(readFileSync(handle.path));
}

const folder = mkdtempSync(join(tmpdir(), 'enm-cache-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
let number = 0;
const caches: Record<string, { open: (name: string) => Promise<Cache>; lasting: boolean }> = {
  memory: { open: () => Promise.resolve(new MemoryCache()), lasting: false },
  filesystem: { open: (name) => FilesystemCache.open(join(folder, name)), lasting: true },
  indexeddb: { open: (name) => IndexedDbCache.open(name), lasting: true },
};

for (const [kind, { open, lasting }] of Object.entries(caches)) {
  describe(kind, () => {
    const fresh = () => open(`cache-${++number}`);

    test('chunks come back, in any order of writing', async () => {
      const cache = await fresh();
      const f = file('a', 2 * chunk + 10);
      assert.equal(await cache.readChunk(f, 0), undefined);
      await cache.writeChunk(f, 2, filled(10, 3));
      await cache.writeChunk(f, 0, filled(chunk, 1));
      assert.deepEqual(await cache.readChunk(f, 2), filled(10, 3));
      assert.deepEqual(await cache.readChunk(f, 0), filled(chunk, 1));
      await cache.writeChunk(f, 1, filled(chunk, 2));
      const whole = await bytesOf(await cache.open(f));
      assert.equal(whole.length, f.size);
      assert.deepEqual([whole[0], whole[chunk], whole[2 * chunk]], [1, 2, 3]);
    });

    test('a file that is not whole does not open', async () => {
      const cache = await fresh();
      await assert.rejects(cache.open(file('b', 10)), { code: 'not_found' });
      await cache.writeChunk(file('b', 2 * chunk), 0, filled(chunk, 1));
      await assert.rejects(cache.open(file('b', 2 * chunk)), { code: 'not_found' });
      assert.equal((await bytesOf(await cache.open(file('c', 0)))).length, 0);
    });

    test('models come back, and are replaced by name and version', async () => {
      const cache = await fresh();
      await cache.putModel(model('m', '1.0.0', [file('a', 10)], 1));
      await cache.putModel(model('m', '1.1.0', [file('a', 10)], 2));
      await cache.putModel({ ...model('m', '1.0.0', [file('a', 10)], 3), signature: undefined });
      const all = (await cache.models()).sort((a, b) => a.lastUsed - b.lastUsed);
      assert.deepEqual(
        all.map(({ version, lastUsed }) => [version, lastUsed]),
        [
          ['1.1.0', 2],
          ['1.0.0', 3],
        ],
      );
      assert.deepEqual([...all[0]!.manifest], [1, 2]);
      assert.deepEqual([...all[0]!.signature!], [3]);
      assert.equal(all[1]!.signature, undefined);
      await cache.removeModel('m', '1.0.0');
      assert.equal((await cache.models()).length, 1);
    });

    test('files of no model go, shared ones stay', async () => {
      const cache = await fresh();
      for (const digit of ['a', 'b', 'c']) await cache.writeChunk(file(digit, 10), 0, filled(10, 1));
      await cache.putModel(model('m', '1.0.0', [file('a', 10), file('b', 10)], 1));
      await cache.putModel(model('n', '1.0.0', [file('b', 10)], 2));
      await removeUnused(cache);
      assert.deepEqual([...(await cache.files()).keys()].sort(), ['a'.repeat(64), 'b'.repeat(64)]);
      await cache.removeModel('m', '1.0.0');
      await removeUnused(cache);
      assert.deepEqual([...(await cache.files()).keys()], ['b'.repeat(64)]);
      assert.equal(await cache.readChunk(file('a', 10), 0), undefined);
    });

    test('what was not used for longest makes room', async () => {
      const cache = await fresh();
      const models = ['a', 'b', 'c'].map((digit, i) => model(digit, '1.0.0', [file(digit, chunk)], i));
      for (const one of models) {
        await cache.writeChunk(one.files[0]!, 0, filled(chunk, 1));
        await cache.putModel(one);
      }
      await shrink(cache, 3 * chunk, models[0]!);
      assert.equal((await cache.models()).length, 3);
      await shrink(cache, 2 * chunk, models[0]!);
      assert.deepEqual((await cache.models()).map(({ id }) => id).sort(), ['a', 'c']);
    });

    test('survives its process', { skip: !lasting && 'memory does not' }, async () => {
      const name = `cache-${++number}`;
      const before = await open(name);
      await before.writeChunk(file('a', 10), 0, filled(10, 7));
      await before.putModel(model('m', '1.0.0', [file('a', 10)], 1));
      const after = await open(name);
      assert.deepEqual(await after.readChunk(file('a', 10), 0), filled(10, 7));
      assert.equal((await after.models())[0]?.id, 'm');
    });
  });
}
