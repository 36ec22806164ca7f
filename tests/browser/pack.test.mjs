// `npm pack`, installed into an empty Vite app that knows nothing of this repository: builds and runs, isolated and not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { makeModels, run, told } from '../../sdk/test-support/models.mjs';
import { serveFolder } from '../../sdk/test-support/server.mjs';
import { launch, open, root, startRegistry, temporaryFolder } from './common.mjs';

let models;
let work;
let registry;
let browser;
before(async () => {
  models = makeModels();
  work = temporaryFolder();
  registry = await startRegistry(join(work.path, 'data'));
  run(
    'publish',
    models.story,
    '--key',
    join(models.folder, 'key.pem'),
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

test('builds and runs', async () => {
  const app = join(work.path, 'app');
  const npm = (...words) => execFileSync('npm', words, { cwd: app, stdio: ['ignore', 'pipe', 'inherit'] });
  cpSync(join(root, 'tests/browser/pages/vite-app'), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', app], {
    cwd: join(root, 'sdk'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const tarball = readdirSync(app).find((name) => name.endsWith('.tgz'));
  npm('install', '--silent', `./${tarball}`, 'vite@7');
  const installed = readdirSync(join(app, 'node_modules/@ruvector/edge-net-models'), { recursive: true });
  assert.ok(installed.includes('dist/index.js'));
  assert.deepEqual(
    installed.filter((name) => name.includes('.spec.')),
    [],
  );
  npm('exec', '--', 'vite', 'build', '--logLevel', 'error');
  for (const isolated of [true, false]) {
    const server = await serveFolder(join(app, 'dist'), { isolated });
    const page = await open(browser);
    await page.goto(`${server.url}/`);
    await page.waitForFunction(() => window.ready);
    assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
    const options = { registry: registry.url, trustedKeys: [models.key] }; // another origin: CORS
    const { text, threads } = await page.evaluate((options) => window.tell(options), options);
    assert.equal(text, told(models.story, 'Once upon a time', 40).text);
    assert.equal(threads > 1, isolated);
    assert.deepEqual(page.problems, []);
    await page.context().close();
    server.close();
  }
});
