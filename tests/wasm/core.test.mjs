// The WebAssembly core in Node against the native program: run by `make wasm-tests`, which builds both.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { runInChromium } from './chromium.mjs';
import { startModule } from './module.mjs';
import { tell } from './browser/tell.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'build/bin/edge-net-models');
const fable = join(root, 'models/fable-8m');
const builds = {
  simd128: { folder: 'build/wasm/bin', name: 'simd128' },
  'relaxed-simd': { folder: 'build/wasm-relaxed/bin', name: 'relaxed' },
};
const path = (build) => join(root, build.folder, `edge-net-models-${build.name}.wasm`);
const fullPath = (build) => join(root, build.folder, `edge-net-models-full-${build.name}.wasm`);
const prompts = [
  'Once upon a time',
  'The little dog was',
  'Lily and Tom went to the park. They',
  'One day, a big',
];

let work;
before(() => {
  work = mkdtempSync(join(tmpdir(), 'enm-wasm-'));
  for (const level of ['0', '4']) {
    execFileSync(program, [
      'optimize',
      fable,
      '-o',
      join(work, `level${level}`),
      '--accuracy-level',
      level,
      '--external-data',
      '--quiet',
    ]);
  }
  execFileSync(program, ['optimize', fable, '-o', join(work, 'fp16'), '--quantize', 'fp16', '--quiet']);
  const gguf = ['--format', 'gguf', '--quantization', 'Q8_0', '--quiet'];
  execFileSync(program, ['optimize', fable, '-o', join(work, 'gguf', 'fable.gguf'), ...gguf]);
});
after(() => rmSync(work, { recursive: true }));

const native = (model, prompt, tokens, ...flags) =>
  JSON.parse(
    execFileSync(program, ['run', model, prompt, '-n', String(tokens), '--json', ...flags], {
      encoding: 'utf8',
    }),
  );

/** What the native program writes with the model, the module writes. */
function tellsTheSame(core, model, ...flags) {
  for (const prompt of prompts) {
    const expected = native(model, prompt, 64, ...flags);
    core.clearCache();
    const got = core.generate({ prompt, maxTokens: 64 });
    assert.equal(got.text, expected.text);
    assert.equal(got.cachedTokens, 0);
    assert.deepEqual(
      [got.tokens, got.promptTokens, got.finishReason],
      [expected.tokens, expected.prompt_tokens, expected.finish_reason],
    );
  }
}

for (const [isa, build] of Object.entries(builds)) {
  describe(isa, () => {
    test('the module is small and imports a memory and two hooks', () => {
      const bytes = readFileSync(path(build));
      assert.ok(bytes.length < 1_000_000, `${bytes.length} bytes`);
      const gzipped = gzipSync(bytes, { level: 9 }).length;
      assert.ok(gzipped < 350_000, `${gzipped} bytes gzipped`);
      const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes)).map(
        (i) => `${i.module}.${i.name}`,
      );
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
            const text = Buffer.from(
              new Uint8Array(memory.buffer, checks.text_data(), checks.text_size()),
            ).toString();
            assert.match(text, new RegExp(` on ${isa}: $`));
          }
        } finally {
          await module.close();
        }
      });
    }

    for (const threads of [1, 2]) {
      test(`tells the native program's stories with ${threads} threads`, async () => {
        for (const folder of [join(work, 'level0'), join(work, 'fp16')]) {
          const core = await startModule(path(build), { folder, threads });
          try {
            assert.equal(core.open(), 'decoder');
            assert.equal(core.isa(), isa);
            tellsTheSame(core, folder);
          } finally {
            await core.close();
          }
        }
      });
    }

    test('the full module opens checkpoints and .gguf files, which the core refuses', async () => {
      for (const [folder, modelFile] of [
        [fable, ''],
        [join(work, 'gguf'), 'fable.gguf'],
      ]) {
        const core = await startModule(path(build), { folder });
        assert.throws(() => core.open({}, { modelFile }), { code: 'unsupported', message: /full module/ });
        await core.close();
        const full = await startModule(fullPath(build), { folder });
        try {
          assert.equal(full.open({}, { modelFile, accuracyLevel: 0 }), 'decoder');
          tellsTheSame(full, join(folder, modelFile), '--accuracy-level', '0');
        } finally {
          await full.close();
        }
      }
    });

    test('renders the chats that the native program renders, and answers them', async () => {
      const templates = join(root, 'tests/witness/chat_templates');
      const messages = [
        { role: 'system', content: 'You are\na pirate. ' },
        { role: 'user', content: 'Grüße, <how> are "you"? 日本' },
      ];
      writeFileSync(join(work, 'messages.json'), JSON.stringify(messages));
      for (const name of ['qwen3-0.6b', 'llama-3-8b-instruct', 'granite-3.0-8b-instruct', 'smollm3-3b']) {
        const file = join(templates, `${name}.jinja`);
        const chat = ['--messages', join(work, 'messages.json'), '--chat-template', file, '--json'];
        const run = (...words) => JSON.parse(execFileSync(program, words, { encoding: 'utf8' }));
        const folder = join(work, 'level0');
        const { core, close } = await startModule(path(build), { folder });
        try {
          const { model } = core.openModel({ chatTemplate: readFileSync(file, 'utf8') });
          const now = new Date();
          const localTime = Math.floor(now.getTime() / 1000) - now.getTimezoneOffset() * 60;
          const { text } = run('tokenize', folder, ...chat, '--add-generation-prompt');
          assert.equal(core.renderChat(model, { messages, localTime }), text);
          const session = core.openSession(model);
          const answer = core.beginAnswer(session, { messages, localTime, maxTokens: 8 });
          while (core.textState(answer) !== 'done') core.step(session, [answer]);
          assert.equal(core.textResult(answer).text, run('chat', folder, ...chat, '-n', '8').text);
        } finally {
          await close();
        }
      }
    });

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

    for (const [threads, isolated] of [
      [2, true],
      [1, false],
    ]) {
      test(`tells the same stories in Chromium ${isolated ? 'with two threads' : 'without isolation'}`, async () => {
        const folder = join(work, 'level0');
        const requests = prompts.map((prompt) => ({ prompt, maxTokens: 64 }));
        const made = await runInChromium({ module: path(build), folder, requests, threads, isolated });
        assert.equal(made.error, undefined);
        assert.equal(made.isolated, isolated);
        assert.deepEqual(
          made.results.map((one) => one.text),
          prompts.map((prompt) => native(folder, prompt, 64).text),
        );
      });
    }

    test('two sessions of one model, taking turns, write the texts of one', async () => {
      const { core } = await startModule(path(build), { folder: join(work, 'level4') });
      const { model } = core.openModel();
      const [alone, ...both] = [1, 2, 3].map(() => core.openSession(model));
      const expected = prompts.slice(0, 2).map((prompt) => tell(core, alone, { prompt, maxTokens: 48 }).text);
      core.closeModel(model); // its sessions keep it
      const texts = both.map((session, i) => core.beginText(session, { prompt: prompts[i], maxTokens: 48 }));
      const writes = (text) => core.textState(text) !== 'done';
      while (texts.some(writes)) both.forEach((session, i) => core.step(session, [texts[i]]));
      assert.deepEqual(
        texts.map((text) => core.textResult(text).text),
        expected,
      );
      const [one, other] = both.map((session) => core.memoryInfo(session));
      assert.deepEqual(one, other);
      assert.ok(one.modelBytes > 4e6 && one.kvCacheBytes > 1e6 && one.arenaBytes > 1e4, JSON.stringify(one));
    });

    test('a batch of ragged prompts writes what each writes alone', async () => {
      const { core } = await startModule(path(build), { folder: join(work, 'level0') });
      const { model } = core.openModel();
      const ragged = [...prompts.slice(1), `${prompts[0]} there was a little girl. `.repeat(30)];
      const alone = core.openSession(model);
      const expected = ragged.map((prompt) => {
        core.clearCache(alone);
        return tell(core, alone, { prompt, maxTokens: 48 });
      });
      const batch = core.openSession(model, { sequences: 4 });
      const texts = ragged.map((prompt) => core.beginText(batch, { prompt, maxTokens: 48 }));
      assert.throws(() => core.beginText(batch, { prompt: 'x' }), { code: 'resource_exhausted' });
      while (texts.some((text) => core.textState(text) !== 'done')) core.step(batch, texts);
      texts.forEach((text, i) => {
        const { text: got, tokens, promptTokens } = core.textResult(text);
        assert.deepEqual([got, tokens], [expected[i].text, expected[i].tokens]);
        assert.equal(promptTokens, expected[i].promptTokens);
      });
      assert.ok(core.textResult(texts[3]).promptTokens > 128); // several passes beside texts that are written
    });

    test('a prompt that begins like the one before is computed from where it differs', async () => {
      const core = await startModule(path(build), { folder: join(work, 'level0') });
      core.open();
      const first = core.generate({ prompt: `${prompts[2]} saw a cat.`, maxTokens: 20 });
      const second = core.generate({ prompt: `${prompts[2]} saw a dog.`, maxTokens: 20 });
      assert.equal(first.cachedTokens, 0);
      assert.ok(second.cachedTokens > 5 && second.cachedTokens < second.promptTokens);
      core.clearCache();
      const again = core.generate({ prompt: `${prompts[2]} saw a dog.`, maxTokens: 20 });
      assert.deepEqual([again.cachedTokens, again.text], [0, second.text]);
    });

    test('what does not fit is refused, and the module goes on', async () => {
      const memory = new WebAssembly.Memory({ initial: 512, maximum: 2048, shared: true }); // 128 MiB
      const { core } = await startModule(path(build), { folder: join(work, 'level4'), memory });
      const exhausted = (message) => ({ code: 'resource_exhausted', message });
      assert.throws(() => core.openModel({ memoryLimit: 1e6 }), exhausted(/of 1000000 are taken/));
      const { model } = core.openModel();
      const expected = tell(core, core.openSession(model), { prompt: prompts[0], maxTokens: 20 }).text;
      for (let round = 0; round < 3; ++round) {
        assert.throws(() => core.openSession(model, { contextLength: 1e6 }), exhausted(/1000000/));
        assert.throws(
          () => core.openSession(model, { sequences: 20 }),
          exhausted(/the system has no memory/),
        );
        assert.throws(
          () => core.openSession(model, { sequences: 2000 }),
          exhausted(/of 4294967296 are taken/),
        );
      }
      const opened = [];
      const fill = () => {
        for (;;) opened.push(core.openSession(model));
      };
      assert.throws(fill, exhausted(/no memory/));
      assert.ok(opened.length > 1);
      assert.equal(tell(core, opened[0], { prompt: prompts[0], maxTokens: 20 }).text, expected);
      opened.forEach((session) => core.closeSession(session));
      core.openSession(model, { sequences: 2 });
    });

    test('handles that are stale, of another kind or nothing are refused', async () => {
      const { core } = await startModule(path(build), { folder: join(work, 'level0') });
      const { exports } = core;
      const { model } = core.openModel();
      const session = core.openSession(model, { sequences: 2 });
      const other = core.openSession(model);
      const closed = core.openSession(model);
      core.closeSession(closed);
      const text = core.beginText(session, { prompt: prompts[0], maxTokens: 3 });
      const refused = { code: 'invalid_argument', message: /no (model|session|text) has the handle/ };
      for (const handle of [0, closed, 0xffffffff, session, other, text, model]) {
        if (handle !== model) {
          assert.throws(() => core.openSession(handle), refused);
          assert.throws(() => core.closeModel(handle), refused);
        }
        if (handle !== session && handle !== other) {
          assert.throws(() => core.beginText(handle, { prompt: 'x' }), refused);
          assert.throws(() => core.step(handle, []), refused);
          assert.throws(() => core.clearCache(handle), refused);
          assert.throws(() => core.memoryInfo(handle), refused);
          assert.throws(() => core.embed(handle, { texts: ['x'] }), refused);
          assert.throws(() => core.closeSession(handle), refused);
        }
        if (handle !== text) {
          assert.throws(() => core.step(session, [handle]), refused);
          for (const call of ['takeText', 'textState', 'textResult', 'cancelText', 'closeText']) {
            assert.throws(() => core[call](handle), refused);
          }
        }
      }
      assert.throws(() => core.step(other, [text]), refused);
      assert.throws(() => core.step(session, [text, text]), { code: 'invalid_argument', message: /twice/ });

      const at = exports.allocate(4);
      new Uint32Array(core.memory.buffer, at, 1)[0] = text;
      assert.equal(exports.step_finish(session), 0); // in no pass
      assert.equal(exports.step_begin(session, at, 1), 1);
      const busy = { code: 'invalid_argument', message: /is in a pass/ };
      assert.throws(() => core.closeSession(session), busy);
      assert.throws(() => core.closeText(text), busy);
      assert.throws(() => core.clearCache(session), busy);
      assert.equal(exports.step_begin(session, at, 1), 0);
      assert.equal(exports.step_finish(session), 1);
      while (core.textState(text) !== 'done') core.step(session, [text]);
      assert.equal(core.textResult(text).tokens, 3);
      core.closeSession(session);
      assert.throws(() => core.textResult(text), refused); // went with its session
    });

    test('errors are messages', async () => {
      const core = await startModule(path(build), { folder: root });
      assert.throws(() => core.open(), /tokenizer\.json/);
      const good = await startModule(path(build), { folder: join(work, 'level0') });
      good.open();
      const invalid = (message) => ({ code: 'invalid_argument', message });
      assert.throws(() => good.generate({ prompt: 'x', topP: 0 }), invalid(/top_p/));
      assert.throws(() => good.generate({ prompt: 7 }), invalid(/prompt: expected string, got integer/));
      assert.throws(() => good.generate({}), invalid(/"prompt" is missing/));
      assert.throws(() => good.generate({ prompt: 'x', top_p: 1 }), invalid(/unknown "top_p"/));
      assert.throws(() => good.generate({ prompt: 'x', temperature: NaN }), invalid(/temperature.*null/));
      assert.throws(() => good.generate({ prompt: 'x', topK: 2 ** 40 }), invalid(/topK/));
      assert.throws(() => good.generate({ prompt: 'x', seed: -1 }), invalid(/seed/));
      assert.throws(() => good.generate({ prompt: 'x', stop: ['a', 1] }), invalid(/stop/));
      assert.throws(() => good.embed(['x']), /use run/);
      assert.equal(good.generate({ prompt: 'Once upon a time', maxTokens: 3 }).tokens, 3);
    });
  });
}
