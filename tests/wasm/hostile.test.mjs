// Models that mean harm (tests/hostile) in the WebAssembly core: an error, never a trap, and the module goes on.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { Core } from '../../sdk/dist/engine/core.js';
import { EdgeNetError } from '../../sdk/dist/errors.js';
import { tell } from './browser/tell.js';
import { filesIn } from './module.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const module = new WebAssembly.Module(
  readFileSync(join(root, 'build/wasm/bin/edge-net-models-simd128.wasm')),
);
// A quarter of a gigabyte: what asks for more than there is must be told so.
const smallMemory = () => new WebAssembly.Memory({ initial: 512, maximum: 4096, shared: true });

let corpus;
before(() => {
  corpus = mkdtempSync(join(tmpdir(), 'enm-hostile-'));
  execFileSync(join(root, 'build/venv/bin/python'), [join(root, 'tests/hostile/make_files.py'), corpus]);
});
after(() => rmSync(corpus, { recursive: true }));

/** Opens the model and asks it something; what it answers. */
function ask(core, { verb, text }) {
  const { model } = core.openModel();
  try {
    const session = core.openSession(model);
    try {
      return verb === 'run'
        ? tell(core, session, { prompt: text, maxTokens: 4 }).text
        : [...core.embed(session, { texts: [text] })[0]];
    } finally {
      core.closeSession(session);
    }
  } finally {
    core.closeModel(model);
  }
}

test('hostile models are refused, and good ones answer afterwards', async () => {
  let files;
  const hooks = {
    size: (name) => files.size(name),
    read: (name, offset, out) => files.read(name, offset, out),
  };
  const core = await Core.instantiate(module, hooks, smallMemory());
  const cases = JSON.parse(readFileSync(join(corpus, 'cases.json'), 'utf8'));
  const [good] = cases;
  const askAs = (one) => {
    files = filesIn(join(corpus, one.folder));
    return ask(core, one);
  };
  const expected = askAs(good);
  const problems = [];
  for (const one of cases.filter(({ special }) => !special)) {
    let error = null;
    try {
      askAs(one);
    } catch (thrown) {
      error = thrown;
    }
    const refused =
      error instanceof EdgeNetError && error.code !== 'internal' && !error.message.includes('\n');
    if (one.says === null ? error !== null : !refused) problems.push(`${one.name}: ${error}`);
    if (error instanceof WebAssembly.RuntimeError) break; // the module is gone
    assert.deepEqual(askAs(good), expected, one.name);
  }
  assert.deepEqual(problems, []);
});
