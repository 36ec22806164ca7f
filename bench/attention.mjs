// bench/attention.cc in the two WebAssembly builds, in Node: `node --experimental-wasm-relaxed-simd bench/attention.mjs`
// after `ninja attention_bench` in build/wasm and build/wasm-relaxed.
import { readFileSync } from 'node:fs';

for (const [name, folder] of [
  ['simd128', 'wasm'],
  ['relaxed', 'wasm-relaxed'],
]) {
  const memory = new WebAssembly.Memory({ initial: 512, maximum: 65536, shared: true });
  const module = new WebAssembly.Module(
    readFileSync(new URL(`../build/${folder}/bin/attention_bench.wasm`, import.meta.url)),
  );
  const bench = new WebAssembly.Instance(module, { env: { memory } }).exports;
  bench._initialize();
  for (let index = 0, operations; (operations = bench.bench_open(index)) > 0; ++index) {
    let fastest = Infinity; // milliseconds
    for (const end = performance.now() + 1000; performance.now() < end;) {
      const begin = performance.now();
      bench.bench_run();
      fastest = Math.min(fastest, performance.now() - begin);
    }
    const text = Buffer.from(memory.buffer, bench.bench_name(index), 80);
    console.log(
      `${text.toString('utf8', 0, text.indexOf(0)).padEnd(32)} ${name} ${(operations / fastest / 1e6).toFixed(1).padStart(6)} GFLOP/s`,
    );
  }
}
