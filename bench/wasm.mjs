// The WebAssembly core in Node and in Chromium beside the native program, on the same 4-bit model of Phi-1.5's shape, two
// threads, taking turns: `make bench` makes the model first. A folder as argument measures that model.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { runInChromium } from '../tests/wasm/chromium.mjs';
import { startModule } from '../tests/wasm/module.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));
const folder = process.argv[2] ?? join(root, 'build/bench/phi-1.5-shape-int4');
const prompt = 'the '.repeat(64).trim();
const tokens = 24;
const rounds = 3;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const cores = {};
for (const [name, path] of [
  ['relaxed', 'build/wasm-relaxed'],
  ['simd128', 'build/wasm'],
]) {
  const begin = performance.now();
  const core = await startModule(join(root, path, `bin/edge-net-models-${name}.wasm`), {
    folder,
    threads: 2,
  });
  core.open({ contextLength: 512 });
  console.log(
    `${name}: opened in ${((performance.now() - begin) / 1e3).toFixed(1)} s, memory ${(core.core.memory.buffer.byteLength / 1e6).toFixed(0)} MB`,
  );
  core.generate({ prompt, maxTokens: 4 }); // both tiers of the engine's compiler have seen the kernels
  cores[name] = { core, prefill: [], decode: [] };
}
const native = { prefill: [], decode: [] };
for (let round = 0; round < rounds; ++round) {
  for (const { core, prefill, decode } of Object.values(cores)) {
    core.clearCache(); // else it holds the prompt already
    const made = core.generate({ prompt, maxTokens: tokens });
    prefill.push(made.promptTokens / made.seconds.prefill);
    decode.push((made.tokens - 1) / made.seconds.decode); // the first token is the prompt's
  }
  const made = JSON.parse(
    execFileSync(
      join(root, 'build/bin/edge-net-models'),
      ['bench', folder, '--threads', '2', '--prompt-tokens', '64', '--tokens', String(tokens), '--json'],
      { encoding: 'utf8' },
    ),
  );
  native.prefill.push(made.prefill_tokens_per_second);
  native.decode.push(made.decode_tokens_per_second);
}
for (const [name, { prefill, decode }] of Object.entries({ ...cores, native })) {
  const [p, d] = [median(prefill), median(decode)];
  console.log(
    `${name.padEnd(8)} prefill ${p.toFixed(1).padStart(7)} tokens/s, decode ${d.toFixed(1).padStart(6)}, ` +
      `of native ${(p / median(native.prefill)).toFixed(2)} and ${(d / median(native.decode)).toFixed(2)}`,
  );
}
await Promise.all(Object.values(cores).map(({ core }) => core.close()));

for (const [name, path] of [
  ['relaxed', 'build/wasm-relaxed'],
  ['simd128', 'build/wasm'],
]) {
  const made = await runInChromium({
    module: join(root, path, `bin/edge-net-models-${name}.wasm`),
    folder,
    threads: 2,
    context: 512,
    seconds: 300,
    requests: [4, tokens, tokens, tokens].map((maxTokens) => ({ prompt, maxTokens })),
  });
  if (made.error !== undefined) throw new Error(made.error);
  const runs = made.results.slice(1);
  console.log(
    `${name} in Chromium: prefill ${median(runs.map((r) => r.promptTokens / r.seconds.prefill)).toFixed(1)} tokens/s, ` +
      `decode ${median(runs.map((r) => (r.tokens - 1) / r.seconds.decode)).toFixed(1)}, memory ${(made.memoryBytes / 1e6).toFixed(0)} MB`,
  );
}
