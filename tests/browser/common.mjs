// What the tests in a browser share: Chromium as Debian packages it, a registry with models, folders that go.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { program } from '../../sdk/test-support/models.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

/** A page whose errors fail the test that looks at `page.problems`. */
export async function open(browser, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') page.problems.push(message.text());
  });
  return page;
}

export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'enm-browser-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** `registry serve` on a free port; `pages` is the folder of a web page to serve beside it. */
export async function startRegistry(data, pages, port = 0) {
  const words = ['registry', 'serve', '--data', data, '--port', String(port)];
  if (pages !== undefined) words.push('--playground', pages);
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', () => reject(new Error('the registry did not start')));
  });
  const stop = (signal = 'SIGTERM') =>
    new Promise((resolve) => {
      child.once('exit', resolve);
      child.kill(signal);
    });
  return { url, stop };
}
