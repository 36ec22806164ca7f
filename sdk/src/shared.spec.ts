// Sessions of one model in one worker.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ModelLoader, type LoaderOptions } from './index.js';
import { makeModels, told, type Models } from '../test-support/models.mjs';
import { serveFolder, type FolderServer } from '../test-support/server.mjs';

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

const loader = (options: LoaderOptions = {}) =>
  new ModelLoader({ trustedKeys: [models.key], cache: { storage: 'memory' }, threads: 1, ...options });
const story = () => `${server.url}/story`;

test('sessions of one model share its weights, and the last one closes it', async () => {
  const shared = loader();
  const [one, two] = await Promise.all([shared.load(story()), shared.load(story(), { contextLength: 64 })]);
  const [first, second] = [one.getMemoryInfo(), two.getMemoryInfo()];
  assert.equal(first.modelBytes, second.modelBytes);
  assert.ok(first.kvCacheBytes > second.kvCacheBytes && second.kvCacheBytes > 0);
  // One memory holds both sessions and the weights once.
  await two.generate('A big', { maxTokens: 4 });
  assert.ok(two.getMemoryInfo().totalBytes < first.totalBytes + first.modelBytes);
  one.dispose();
  one.dispose();
  assert.equal(await two.generate('A big', { maxTokens: 20 }), told(models.story, 'A big', 20).text);
  await assert.rejects(one.generate('x'), { code: 'cancelled' });
  two.dispose();
  await assert.rejects(two.generate('x'), { code: 'cancelled' });
  const again = await shared.load(story());
  assert.equal(await again.generate('A big', { maxTokens: 20 }), told(models.story, 'A big', 20).text);
  again.dispose();
});

test('two sessions write by turns, and neither disturbs the other', async () => {
  const shared = loader();
  const sessions = await Promise.all([shared.load(story()), shared.load(story())]);
  const prompts = ['Once upon a time', 'The little dog was'];
  const order: number[] = [];
  const texts = await Promise.all(
    sessions.map(async (session, i) => {
      let text = '';
      for await (const piece of session.generateStream(prompts[i]!, { maxTokens: 60 })) {
        text += piece;
        order.push(i);
        session.getMemoryInfo();
        if (order.length === 20) sessions[1 - i]!.clearKVCache(); // while both write
      }
      return text;
    }),
  );
  assert.deepEqual(
    texts,
    prompts.map((prompt) => told(models.story, prompt, 60).text),
  );
  const half = order.slice(0, order.length / 2);
  const share = half.filter((i) => i === 0).length / half.length;
  assert.ok(share > 0.3 && share < 0.7, `${share} of the first half are the first session's`);
  sessions.forEach((session) => session.dispose());
});

test('a session is disposed of while another writes', async () => {
  const shared = loader();
  const [one, two] = await Promise.all([shared.load(story()), shared.load(story())]);
  const endless = one.generate('Once', { maxTokens: 1000, temperature: 1 });
  const text = two.generate('A big', { maxTokens: 40 });
  one.dispose();
  await assert.rejects(endless, { code: 'cancelled' });
  assert.equal(await text, told(models.story, 'A big', 40).text);
  two.dispose();
});

test('a clear does not wait for what another session writes', async () => {
  const shared = loader();
  const [one, two] = await Promise.all([shared.load(story()), shared.load(story())]);
  await two.generate('A big', { maxTokens: 4 });
  let ended = false;
  const long = one.generate('Once', { maxTokens: 230 }).then(() => {
    ended = true;
  });
  two.clearKVCache();
  const { cachedTokens } = await two.generateStream('A big', { maxTokens: 1 }).result;
  assert.deepEqual([cachedTokens, ended], [0, false]);
  await long;
  one.dispose();
  two.dispose();
});

test('what does not fit is refused, and what is open goes on', async () => {
  await assert.rejects(loader({ memoryLimit: 1e6 }).load(story()), { code: 'resource_exhausted' });
  const shared = loader();
  const session = await shared.load(story());
  await assert.rejects(shared.load(story(), { contextLength: 1e6 }), { code: 'resource_exhausted' });
  await assert.rejects(shared.load(story(), { sequences: 2000 }), { code: 'resource_exhausted' });
  assert.equal(await session.generate('A big', { maxTokens: 8 }), told(models.story, 'A big', 8).text);
  session.dispose();
});
