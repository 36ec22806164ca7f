// Tiny checkpoints of every family in the full module write the tokens, and make the vectors, that transformers did.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startModule } from './module.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const golden = JSON.parse(readFileSync(join(root, 'tests/golden/families.json'), 'utf8'));
const module = join(root, 'build/wasm/bin/edge-net-models-full-simd128.wasm');

let work;
before(() => {
  work = mkdtempSync(join(tmpdir(), 'enm-families-'));
  const script = join(root, 'tests/golden/tiny_checkpoints.py');
  execFileSync(join(root, 'build/venv/bin/python'), [script, work]);
});
after(() => rmSync(work, { recursive: true }));

// As tests/golden/tiny_checkpoints.py has them.
const token = (i) =>
  i < 94
    ? String.fromCharCode(33 + i)
    : String.fromCharCode(65 + Math.floor((i - 94) / 26), 97 + ((i - 94) % 26));
const text = (ids) => ids.map(token).join('');
const prompt = (length) => text(Array.from({ length }, (_, i) => (i * i * 7 + i * 3 + 11) % 94));

for (const [name, { greedy, results }] of Object.entries(golden)) {
  test(name, async () => {
    const core = await startModule(module, { folder: join(work, name) });
    try {
      if (greedy) {
        assert.equal(core.open(), 'decoder');
        const begin = prompt(results.at(-1).length);
        const told = core.generate({ prompt: begin, maxTokens: greedy.length });
        assert.equal(told.text, text(greedy));
      } else {
        assert.equal(core.open(), 'embedder');
        core.embed(results.map(({ length }) => prompt(length))).forEach((vector, i) => {
          results[i].mean.forEach((expected, at) => {
            const difference = Math.abs(vector[at] - expected);
            assert.ok(difference <= 1e-3 + 1e-4 * Math.abs(expected), `${at}: ${vector[at]}, ${expected}`);
          });
        });
      }
    } finally {
      await core.close();
    }
  });
}
