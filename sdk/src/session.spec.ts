// Models that run, in Node, against the native program.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { InferenceSession, type SessionOptions } from './index.js';
import {
  chatTemplates,
  embedded,
  fable,
  makeModels,
  minilm,
  run,
  told,
  type Models,
} from '../test-support/models.mjs';
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

test('one signal stops two texts, the one that is written and the one that waits', async () => {
  const session = await create({ threads: 1 });
  const abort = new AbortController();
  const config = { maxTokens: 1000, temperature: 1, signal: abort.signal };
  const texts = ['Once', 'A big'].map((prompt) => session.generateStream(prompt, config));
  for await (const _ of texts[0]!) {
    abort.abort();
    break;
  }
  for (const { result } of texts) await assert.rejects(result, { name: 'AbortError' });
  const side = await create({ threads: 1, sequences: 2 });
  const again = new AbortController();
  let pieces = 0;
  const both = ['Once', 'A big'].map((prompt) =>
    side.generateStream(prompt, { maxTokens: 1000, temperature: 1, signal: again.signal }),
  );
  const read = both.map(async (text) => {
    for await (const _ of text) if (++pieces === 6) again.abort();
  });
  for (const one of read) await assert.rejects(one, { name: 'AbortError' });
  for (const one of [session, side]) {
    assert.equal(await one.generate('A big', { maxTokens: 8 }), told(models.story, 'A big', 8).text);
    one.dispose();
  }
});

test('a prompt that begins like the one before is computed from where it differs', async () => {
  const session = await create();
  const write = (prompt: string) => session.generateStream(prompt, { maxTokens: 12 }).result;
  const first = await write('Lily and Tom went to the park. They saw a cat.');
  const second = await write('Lily and Tom went to the park. They saw a dog.');
  assert.equal(first.cachedTokens, 0);
  assert.ok(second.cachedTokens > 5 && second.cachedTokens < second.promptTokens);
  session.clearKVCache();
  const again = await write('Lily and Tom went to the park. They saw a dog.');
  assert.deepEqual([again.cachedTokens, again.text], [0, second.text]);
  session.dispose();
});

test('a batch writes what each prompt gives alone, in their order', async () => {
  const session = await create({ sequences: 4 });
  const prompts = ['Once upon a time', 'A big', `Lily and ${'the very '.repeat(80)}`, 'The little dog was'];
  const results = await session.generateBatch(prompts, { maxTokens: 32 });
  assert.deepEqual(
    results.map(({ text }) => text),
    prompts.map((prompt) => told(models.story, prompt, 32).text),
  );
  await assert.rejects(session.generateBatch([...prompts, 'x']), {
    code: 'invalid_argument',
    message: /sequences: 4/,
  });
  const tooLong = 'x '.repeat(5000);
  await assert.rejects(session.generateBatch(['Once', tooLong], { maxTokens: 1000 }), {
    code: 'resource_exhausted',
  });
  assert.deepEqual(await session.generateBatch([]), []);
  // More calls than sequences wait for each other.
  const many = Array.from({ length: 6 }, () => session.generate('A big', { maxTokens: 20 }));
  assert.deepEqual(await Promise.all(many), Array(6).fill(told(models.story, 'A big', 20).text));
  session.dispose();
});

test('keeps to a schema or a grammar, and tells log-probabilities', async () => {
  const session = await create({ threads: 1 });
  const schema = {
    type: 'object',
    properties: { name: { type: 'string', maxLength: 12 }, old: { type: 'boolean' } },
    required: ['name', 'old'],
  };
  const answer = await session.generateStream('Once upon a time', { schema, maxTokens: 60, logprobs: 2 })
    .result;
  const { name, old } = JSON.parse(answer.text) as { name: string; old: boolean };
  assert.deepEqual([answer.finishReason, typeof name, typeof old], ['stop', 'string', 'boolean']);
  assert.ok(name.length <= 12);
  assert.equal(answer.logprobs.length, answer.tokens);
  const bytes = Uint8Array.from(answer.logprobs.flatMap((token) => token.bytes));
  assert.equal(new TextDecoder().decode(bytes), answer.text);
  for (const { top, logprob } of answer.logprobs) {
    assert.equal(top.length, 2);
    assert.ok(logprob <= top[0]!.logprob && top[1]!.logprob <= top[0]!.logprob);
  }
  const word = await session.generate('Once upon a time', { grammar: 'root ::= " yes" | " no"' });
  assert.ok([' yes', ' no'].includes(word));
  await assert.rejects(session.generate('x', { grammar: 'root ::= root' }), {
    code: 'invalid_argument',
    message: /no text fits/,
  });
  await assert.rejects(session.generate('x', { schema: { not: {} } }), {
    code: 'unsupported',
    message: /"not"/,
  });
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
  const short = embedded(folder, texts, '--prompt', 'query', '--dimensions', '64');
  const shortGot = await session.embedBatch(texts, { prompt: 'query', dimensions: 64 });
  shortGot.forEach((vector, i) => {
    assert.equal(vector.length, 64);
    assert.ok(vector.every((value, j) => Math.abs(value - short[i]![j]!) < 1e-4));
  });
  await assert.rejects(session.embed('x', { dimensions: 1000 }), { code: 'invalid_argument' });
  session.dispose();
});

test('checkpoints and .gguf files run in the full module', async () => {
  const folder = join(models.folder, 'gguf');
  run('optimize', fable, '-o', join(folder, 'fable.gguf'), '--quantization', 'Q8_0', '--quiet');
  const checkpoint = join(models.folder, 'checkpoint');
  cpSync(fable, checkpoint, { recursive: true });
  for (const path of [folder, checkpoint]) {
    run('sign', path, '--key', join(models.folder, 'key.pem'), '--quiet');
    const session = await InferenceSession.create(`${server.url}/${basename(path)}`, {
      trustedKeys: [models.key],
      cache: { storage: 'memory' },
      accuracyLevel: 0,
    });
    const native = told(path, 'Once upon a time', 24, '--accuracy-level', '0');
    assert.equal(await session.generate('Once upon a time', { maxTokens: 24 }), native.text);
    session.dispose();
  }
});

test('chats as the native program does', async () => {
  const template = join(chatTemplates, 'qwen3-0.6b.jinja');
  const messages = [
    { role: 'system', content: 'You tell stories.' },
    { role: 'user', content: 'One about a dog, please.' },
  ];
  const file = join(models.folder, 'messages.json');
  writeFileSync(file, JSON.stringify(messages));
  const flags = ['--messages', file, '--chat-template', template, '-n', '24', '--json'];
  const native = JSON.parse(run('chat', models.story, ...flags)) as { text: string; tokens: number };
  const session = await create({ chatTemplate: readFileSync(template, 'utf8') });
  assert.equal(await session.chat(messages, { maxTokens: 24 }), native.text);
  const stream = session.chatStream(messages, { maxTokens: 24 });
  let streamed = '';
  for await (const piece of stream) streamed += piece;
  assert.equal(streamed, native.text);
  assert.equal((await stream.result).tokens, native.tokens);
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
