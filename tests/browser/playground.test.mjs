// The page in Chromium, on a real registry: what a person sees, with screenshots into build/screenshots.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { makeModels, run, told } from '../../sdk/test-support/models.mjs';
import { launch, open, root, startRegistry, temporaryFolder } from './common.mjs';

const screenshots = join(root, 'build/screenshots');
let models;
let work;
let registry;
let browser;
before(async () => {
  mkdirSync(screenshots, { recursive: true });
  models = makeModels();
  work = temporaryFolder();
  const pages = join(work.path, 'pages');
  cpSync(join(root, 'examples/playground/dist'), pages, { recursive: true });
  writeFileSync(join(pages, 'trusted-keys.json'), JSON.stringify([models.key]));
  registry = await startRegistry(join(work.path, 'data'), pages);
  const key = join(models.folder, 'key.pem');
  run('publish', models.story, '--key', key, '--registry', registry.url, '--quiet');
  const stranger = join(work.path, 'stranger.pem');
  run('keys', 'new', '--output', stranger, '--key-id', 'stranger', '--quiet');
  run(
    'publish',
    models.story,
    '--name',
    'strange-story',
    '--key',
    stranger,
    '--registry',
    registry.url,
    '--quiet',
  );
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await registry?.stop();
  work?.remove();
  models?.remove();
});

const text = (page, id) => page.textContent(`#${id}`);
const choose = (page, name) => page.click(`.model:has(strong:text-is("${name}"))`);
const ready = (page) => page.waitForSelector('#write:not([hidden])', { timeout: 30_000 });

/** The native program's text with the page's settings and the seed that Math.random() = 0.5 gives. */
function seeded(model) {
  const sampling = ['--temperature', '0.8', '--top-p', '0.95', '--seed', String(2 ** 30)];
  return JSON.parse(run('run', model, 'Once upon a time', '-n', '160', ...sampling, '--json')).text;
}

/** Moves a slider, as a hand does: the page hears of it. */
const slide = (page, id, value) =>
  page.$eval(
    `#${id}`,
    (input, value) => {
      input.value = String(value);
      input.dispatchEvent(new Event('input'));
    },
    value,
  );

/** Slows the chunks down, so that there is something to see. */
const slowly = (page, ms) =>
  page.route('**/v1/blobs/*', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    await route.continue().catch(() => {});
  });

for (const colorScheme of ['light', 'dark']) {
  test(`a story, ${colorScheme}`, async () => {
    const page = await open(browser, { viewport: { width: 1000, height: 900 }, colorScheme });
    const shot = (name, more = {}) =>
      page.screenshot({ path: join(screenshots, `${colorScheme}-${name}.png`), ...more });
    await slowly(page, 60);
    await page.goto(registry.url);
    await page.waitForSelector('.model');
    await shot('1-choose');
    await choose(page, 'story');
    await page.waitForFunction(() => /[2-9]\.\d MB of/.test(document.getElementById('loaded').textContent));
    await shot('2-fetch');
    await ready(page);
    assert.equal(await text(page, 'signer'), 'team');
    assert.match(
      await text(page, 'load-state'),
      /story 1\.1\.0 is ready after .* s: relaxed-simd, \d threads\./,
    );
    assert.equal(await page.evaluate(() => crossOriginIsolated), true);
    await page.evaluate(() => {
      Math.random = () => 0.5; // the seed of the story
    });
    await page.click('#go');
    await page.waitForFunction(() => document.getElementById('text').textContent.length > 150);
    await shot('3-writing');
    await page.waitForFunction(() => /tokens\/s/.test(document.getElementById('write-state').textContent));
    await shot('4-written', { fullPage: true });
    assert.equal(await text(page, 'text'), seeded(models.story));
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
}

test("a reload finds the model in the cache, and greedy text is the native program's", async () => {
  const page = await open(browser);
  await page.goto(registry.url);
  await choose(page, 'story');
  await ready(page);
  await page.reload();
  await choose(page, 'story');
  await ready(page);
  assert.equal(await text(page, 'fetched'), 'nothing');
  await page.fill('#prompt', 'The little dog was');
  await slide(page, 'temperature', 0);
  await slide(page, 'length', 60);
  await page.click('#go');
  await page.waitForFunction(() => /tokens\/s/.test(document.getElementById('write-state').textContent));
  assert.equal(await text(page, 'text'), told(models.story, 'The little dog was', 60).text);
  await page.context().close();
});

test('a download that was cut off goes on after a reload', async () => {
  const page = await open(browser);
  await slowly(page, 80);
  await page.goto(registry.url);
  await choose(page, 'story');
  await page.waitForFunction(() => /[3-9]\.\d MB of/.test(document.getElementById('loaded').textContent));
  await page.reload();
  await page.unroute('**/v1/blobs/*');
  await choose(page, 'story');
  await ready(page);
  const fetched = Number.parseFloat(await text(page, 'fetched'));
  assert.ok(fetched < 4.5, `${fetched} MB fetched again of 6.7`);
  await page.context().close();
});

test('stop stops', async () => {
  const page = await open(browser);
  await page.goto(registry.url);
  await choose(page, 'story');
  await ready(page);
  await slide(page, 'length', 400);
  await page.click('#go');
  await page.waitForFunction(() => document.getElementById('text').textContent.length > 20);
  await page.click('#go');
  await page.waitForFunction(() => document.getElementById('go').textContent === 'Write');
  await page.context().close();
});

test('what nobody trusted signed, and what was damaged, is not run, and the page says why', async () => {
  const page = await open(browser);
  await page.goto(registry.url);
  await choose(page, 'strange-story');
  await page.waitForSelector('#load-state.wrong');
  assert.match(await text(page, 'load-state'), /Nobody whom this page trusts/);
  await page.route('**/v1/blobs/*', async (route) => {
    const answer = await route.fetch();
    const body = Buffer.from(await answer.body());
    if (body.length > 0) body[Math.floor(body.length / 2)] ^= 1;
    await route.fulfill({ response: answer, body });
  });
  await choose(page, 'story');
  await page.waitForSelector('#load-state.wrong:has-text("not what was signed")', { timeout: 30_000 });
  assert.equal(await page.isVisible('#write'), false);
  await page.context().close();
});

test('the page itself is small', () => {
  const dist = join(root, 'examples/playground/dist/assets');
  const scripts = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const bytes = scripts.reduce((sum, name) => sum + readFileSync(join(dist, name)).length, 0);
  assert.ok(bytes < 100_000, `${bytes} bytes of script`);
});
