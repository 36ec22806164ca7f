// What we write runs unchanged in transformers.js, in Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { build } from 'vite';

import { embedded, makeModels, minilm, run, told } from '../../sdk/test-support/models.mjs';
import { serveFolder } from '../../sdk/test-support/server.mjs';
import { launch, open, root, temporaryFolder } from './common.mjs';

let models;
let work;
let server;
let browser;
before(async () => {
  models = makeModels();
  work = temporaryFolder();
  await build({
    root: join(root, 'tests/browser/pages/transformers'),
    base: '/',
    logLevel: 'error',
    build: { outDir: work.path, target: 'es2022' },
  });
  symlinkSync(join(root, 'node_modules/onnxruntime-web/dist'), join(work.path, 'ort'));
  mkdirSync(join(work.path, 'models'));
  symlinkSync(models.story, join(work.path, 'models/story'));
  server = await serveFolder(work.path);
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
  work?.remove();
  models?.remove();
});

// By default files in a flat folder, as our other layout has them.
async function loaded(task, model, options = { dtype: 'fp32', subfolder: '' }) {
  const page = await open(browser);
  await page.goto(server.url);
  await page.waitForFunction(() => window.ready);
  await page.evaluate((given) => window.load(...given), [task, model, options]);
  return page;
}

test("fable-8m in 4 bits writes the native program's text", async () => {
  const page = await loaded('text-generation', 'story');
  for (const prompt of ['Once upon a time', 'The little dog was']) {
    const written = await page.evaluate(([prompt]) => window.write(prompt, 32), [prompt]);
    assert.equal(written, prompt + told(models.story, prompt, 32).text);
  }
  await page.context().close();
});

/** The checkpoint as transformers.js wants it, computed with floats. */
const layOut = (checkpoint, folder) =>
  run(
    ...['optimize', checkpoint, '-o', folder, '--quiet'],
    '--layout',
    'transformersjs',
    '--accuracy-level',
    '0',
  );

test('the layout for transformers.js loads by its own loader', async () => {
  const folder = join(work.path, 'models/layout');
  layOut(join(root, 'models/fable-8m'), folder);
  const page = await loaded('text-generation', 'layout', {});
  const written = await page.evaluate(() => window.write('Once upon a time', 32));
  assert.equal(written, 'Once upon a time' + told(folder, 'Once upon a time', 32).text);
  await page.context().close();
});

for (const family of [
  'llama-llama3',
  'qwen2-plain',
  'qwen3',
  'gemma',
  'gemma2',
  'gemma3',
  'mistral',
  'phi3',
]) {
  test(`transformers.js writes what our runtime does: ${family}`, async () => {
    const folder = join(work.path, 'models', family);
    const checkpoints = join(work.path, 'checkpoints');
    if (!existsSync(checkpoints)) {
      const script = join(root, 'tests/golden/tiny_checkpoints.py');
      execFileSync(join(root, 'build/venv/bin/python'), [script, checkpoints]);
    }
    layOut(join(checkpoints, family), folder);
    const page = await loaded('text-generation', family, {});
    const prompt = 'Hello,world!What,is,a,window?'.repeat(3);
    const written = await page.evaluate((prompt) => window.write(prompt, 12), prompt);
    assert.equal(written, prompt + told(folder, prompt, 12).text);
    await page.context().close();
  });
}

test("MiniLM in 8 bits makes the native program's vectors", async () => {
  const folder = join(work.path, 'models/minilm');
  run('optimize', minilm(), '-o', folder, '--quantization', 'int8', '--quiet');
  const page = await loaded('feature-extraction', 'minilm');
  const texts = ['A man is eating food.', 'The sky is blue.'];
  const got = []; // one by one: the scale of 8-bit activations is that of the whole batch
  for (const text of texts) {
    const [vector] = await page.evaluate((text) => window.embed([text]), text);
    got.push(vector);
  }
  const native = embedded(folder, texts);
  got.forEach((vector, i) => {
    const cosine = vector.reduce((sum, value, j) => sum + value * native[i][j], 0);
    assert.ok(cosine > 0.999, `cosine ${cosine}`);
  });
  await page.context().close();
});
