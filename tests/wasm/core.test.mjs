// The WebAssembly core in Node against the native program: run by `make wasm-tests`, which builds both.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { runInChromium } from './chromium.mjs';
import { startModule } from './module.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'build/bin/edge-net-models');
const fable = join(root, 'models/fable-8m');
const builds = {
  simd128: { folder: 'build/wasm/bin', name: 'edge-net-models-simd128.wasm' },
  'relaxed-simd': { folder: 'build/wasm-relaxed/bin', name: 'edge-net-models-relaxed.wasm' },
};
const path = (build) => join(root, build.folder, build.name);
const prompts = ['Once upon a time', 'The little dog was', 'Lily and Tom went to the park. They', 'One day, a big'];

let work;
before(() => {
  work = mkdtempSync(join(tmpdir(), 'enm-wasm-'));
  for (const level of ['0', '4']) {
    execFileSync(program, ['optimize', fable, '-o', join(work, `level${level}`), '--accuracy-level', level, '--external-data', '--quiet']);
  }
  execFileSync(program, ['optimize', fable, '-o', join(work, 'fp16'), '--quantize', 'fp16', '--quiet']);
});
after(() => rmSync(work, { recursive: true }));

const native = (folder, prompt, tokens) =>
  JSON.parse(execFileSync(program, ['run', folder, prompt, '-n', String(tokens), '--json'], { encoding: 'utf8' }));

for (const [isa, build] of Object.entries(builds)) {
  describe(isa, () => {
    test('the module is small and imports a memory and two hooks', () => {
      const bytes = readFileSync(path(build));
      assert.ok(bytes.length < 1 << 20, `${bytes.length} bytes`);
      const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map((i) => `${i.module}.${i.name}`);
      assert.deepEqual(imports.sort(), ['env.memory', 'host.file_read', 'host.file_size']);
    });

    for (const threads of [1, 2]) {
      test(`every kernel agrees with its scalar reference on ${threads} threads`, async () => {
        const module = await startModule(join(root, build.folder, 'kernel_checks.wasm'), { threads });
        try {
          const { memory, exports: checks } = module.core;
          const count = checks.check_count();
          assert.ok(count >= 9);
          for (let i = 0; i < count; ++i) {
            assert.ok(checks.check_run(i) > 0);
            const text = Buffer.from(new Uint8Array(memory.buffer, checks.text_data(), checks.text_size())).toString();
            assert.match(text, new RegExp(` on ${isa}: $`));
          }
        } finally {
          await module.close();
        }
      });
    }

    for (const threads of [1, 2]) {
      test(`tells the native program's stories with ${threads} threads`, async () => {
        for (const folder of [fable, join(work, 'level0'), join(work, 'fp16')]) {
          const core = await startModule(path(build), { folder, threads });
          try {
            assert.equal(core.open(), 'decoder');
            assert.equal(core.isa(), isa);
            for (const prompt of prompts) {
              const expected = native(folder, prompt, 64);
              const got = core.generate({ prompt, maxTokens: 64 });
              assert.equal(got.text, expected.text);
              assert.deepEqual([got.tokens, got.promptTokens, got.finishReason],
                [expected.tokens, expected.prompt_tokens, expected.finish_reason]);
            }
          } finally {
            await core.close();
          }
        }
      });
    }

    test('level 4 gives the same text whatever the number of threads', async () => {
      const texts = [];
      for (const threads of [1, 2]) {
        const core = await startModule(path(build), { folder: join(work, 'level4'), threads });
        core.open();
        texts.push(prompts.map((prompt) => core.generate({ prompt, maxTokens: 64 }).text));
        await core.close();
      }
      assert.deepEqual(texts[0], texts[1]);
      assert.ok(texts[0].every((text) => text.length > 40));
    });

    test('ten thousand parallel loops beside an allocating host', async () => {
      const core = await startModule(path(build), { folder: join(work, 'level4'), threads: 2 });
      core.open();
      const first = core.generate({ prompt: prompts[0], maxTokens: 100 }).text;
      for (let round = 0; round < 5; ++round) {
        const held = Array.from({ length: 200 }, (_, i) => core.core.exports.allocate(1 + i * 37));
        assert.equal(core.generate({ prompt: prompts[0], maxTokens: 100 }).text, first);
        held.forEach((at) => core.core.exports.release(at));
      }
      await core.close();
    });

    for (const [threads, isolated] of [[2, true], [1, false]]) {
      test(`tells the same stories in Chromium ${isolated ? 'with two threads' : 'without isolation'}`, async () => {
        const folder = join(work, 'level0');
        const requests = prompts.map((prompt) => ({ prompt, maxTokens: 64 }));
        const made = await runInChromium({ module: path(build), folder, requests, threads, isolated });
        assert.equal(made.error, undefined);
        assert.equal(made.isolated, isolated);
        assert.deepEqual(made.results.map((one) => one.text), prompts.map((prompt) => native(folder, prompt, 64).text));
      });
    }

    test('errors are messages', async () => {
      const core = await startModule(path(build), { folder: root });
      assert.throws(() => core.open(), /tokenizer\.json/);
      assert.throws(() => core.generate({ prompt: 'x' }), /no model is open/);
      const good = await startModule(path(build), { folder: fable });
      good.open();
      assert.throws(() => good.generate({ prompt: 'x', topP: 0 }), /top_p/);
      assert.throws(() => good.generate({ prompt: 7 }), /prompt/);
      assert.throws(() => good.embed(['x']), /use run/);
      assert.equal(good.generate({ prompt: 'Once upon a time', maxTokens: 3 }).tokens, 3);
    });
  });
}
