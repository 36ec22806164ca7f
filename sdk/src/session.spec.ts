// Models that run, in Node, against the native program.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { InferenceSession, type SessionOptions } from './index.js';
import { embedded, makeModels, minilm, run, told, type Models } from '../test-support/models.mjs';
import { serveFolder, type FolderServer } from '../test-support/server.mjs';

const execute = promisify(execFile);

let models: Models;
let server: FolderServer;
before(async () => {
  models = makeModels();
  server = await serveFolder(models.folder);
});
after(() => {
  server.close();
  models.remove();
});

const create = (options: SessionOptions = {}) =>
  InferenceSession.create(`${server.url}/story`, {
    trustedKeys: [models.key],
    cache: { storage: 'memory' },
    ...options,
  });

test('writes what the native program writes, whatever the number of threads', async () => {
  for (const threads of [1, 2]) {
    const session = await create({ threads });
    assert.equal(session.kind, 'decoder');
    for (const prompt of ['Once upon a time', 'The little dog was']) {
      const expected = told(models.story, prompt, 48);
      const result = await session.generateStream(prompt, { maxTokens: 48 }).result;
      assert.deepEqual(
        [result.text, result.tokens, result.promptTokens, result.finishReason],
        [expected.text, expected.tokens, expected.prompt_tokens, expected.finish_reason],
      );
    }
    session.dispose();
  }
});

test('streams pieces that make the text, and queues calls', async () => {
  const session = await create();
  const one = session.generateStream('Lily and', { maxTokens: 20 });
  const two = session.generate('A big', { maxTokens: 20 });
  let text = '';
  for await (const piece of one) text += piece;
  assert.equal(text, (await one.result).text);
  assert.equal(await two, told(models.story, 'A big', 20).text);
  const stopped = await session.generateStream('Once upon a time', { maxTokens: 200, stopSequences: ['.'] })
    .result;
  assert.equal(stopped.finishReason, 'stop');
  assert.ok(!stopped.text.includes('.'));
  const info = session.getMemoryInfo();
  assert.ok(
    info.modelBytes > 4e6 && info.kvCacheBytes > 1e6 && info.totalBytes > info.modelBytes + info.kvCacheBytes,
  );
  session.clearKVCache();
  assert.equal(await session.generate('A big', { maxTokens: 20 }), told(models.story, 'A big', 20).text);
  session.dispose();
});

test('an abort ends the text soon, and the session goes on', async () => {
  const session = await create({ threads: 1 });
  const abort = new AbortController();
  const stream = session.generateStream('Once', { maxTokens: 1000, temperature: 1, signal: abort.signal });
  let pieces = 0;
  await assert.rejects(
    async () => {
      for await (const _ of stream) {
        pieces += 1;
        if (pieces === 5) abort.abort();
      }
    },
    { name: 'AbortError' },
  );
  for await (const _ of session.generateStream('Once', { maxTokens: 1000, temperature: 1 })) break; // leaving stops it too
  assert.equal(await session.generate('A big', { maxTokens: 8 }), told(models.story, 'A big', 8).text);
  await assert.rejects(session.generate('x', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  session.dispose();
});

test("errors have the core's codes, and a disposed session says so", async () => {
  const session = await create();
  await assert.rejects(session.generate('x', { topP: 0 }), { code: 'invalid_argument', message: /top_p/ });
  await assert.rejects(session.embed('x'), { name: 'EdgeNetError' });
  await assert.rejects(create({ contextLength: 1e6 }), { code: 'resource_exhausted' });
  const waiting = session.generate('Once', { maxTokens: 1000 });
  session.dispose();
  await assert.rejects(waiting, { code: 'cancelled' });
  await assert.rejects(session.generate('x'), { code: 'cancelled' });
});

test('embeds as the native program does', async () => {
  const folder = join(models.folder, 'minilm');
  run('import', minilm(), '-o', folder, '--quiet');
  run('sign', folder, '--key', join(models.folder, 'key.pem'), '--quiet');
  const session = await InferenceSession.create(`${server.url}/minilm`, {
    trustedKeys: [models.key],
    cache: { storage: 'memory' },
  });
  const texts = ['A man is eating food.', 'A man eats a meal.', 'The sky is blue.'];
  const native = embedded(folder, texts);
  const got = await session.embedBatch(texts);
  got.forEach((vector, i) => {
    const cosine = vector.reduce((sum, value, j) => sum + value * native[i]![j]!, 0);
    assert.ok(cosine > 0.99999, String(cosine));
  });
  assert.ok(
    (await session.similarity(texts[0]!, texts[1]!)) > (await session.similarity(texts[0]!, texts[2]!)) + 0.3,
  );
  session.dispose();
});

test('a program ends when its last text is written, though nobody disposed of the session', async () => {
  const index = new URL('./index.js', import.meta.url).href;
  const options = { trustedKeys: [models.key], cache: { storage: 'memory' } };
  const source = `
    import { InferenceSession } from ${JSON.stringify(index)};
    const session = await InferenceSession.create('${server.url}/story', ${JSON.stringify(options)});
    console.log(await session.generate('A big', { maxTokens: 8 }));`;
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', source], {
    timeout: 30_000,
  });
  assert.equal(stdout, `${told(models.story, 'A big', 8).text}\n`);
});
