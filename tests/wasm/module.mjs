// A module in Node: its memory, its host hooks, its workers. What the tests and benches share.
import { readFileSync, openSync, readSync, statSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

const kPage = 65536;
const kStackBytes = 256 * 1024;

/** Hooks over a folder, or over nothing for modules that import none. */
export function folderHooks(folder, memory) {
  const name = (data, size) => Buffer.from(new Uint8Array(memory.buffer, data, size)).toString();
  return {
    file_size: (data, size) => {
      const path = join(folder, name(data, size));
      return existsSync(path) && statSync(path).isFile() ? statSync(path).size : -1;
    },
    file_read: (data, size, offset, out, length) => {
      const fd = openSync(join(folder, name(data, size)));
      return readSync(fd, new Uint8Array(memory.buffer, out, length), 0, length, offset) === length ? 1 : 0;
    },
  };
}

/** Compiles `path` and starts it with `threads` threads. `close()` ends the workers. */
export async function startModule(path, { folder = '.', threads = 1 } = {}) {
  const module = new WebAssembly.Module(readFileSync(path));
  const memory = new WebAssembly.Memory({ initial: 512, maximum: kPage, shared: true });
  const instance = new WebAssembly.Instance(module, { env: { memory }, host: folderHooks(folder, memory) });
  const core = instance.exports;
  core._initialize();
  const workers = [];
  if (threads > 1) {
    core.start_pool(threads);
    for (let index = 1; index < threads; ++index) {
      const stack = core.allocate(kStackBytes) + kStackBytes;
      const tls = core.allocate(core.__tls_size.value + 64);
      const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
        workerData: { module, memory, index, stack: stack & ~15, tls: (tls + 63) & ~63 },
      });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      workers.push(worker);
    }
  }
  const bytes = (data, size) => Buffer.from(new Uint8Array(memory.buffer, data, size));
  const text = () => bytes(core.result_data(), core.result_size()).toString();
  const check = (value) => {
    if (value === 0) throw new Error(text());
    return value;
  };
  const withRequest = (request, call) => {
    const utf8 = Buffer.from(JSON.stringify(request));
    const at = core.allocate(utf8.length);
    new Uint8Array(memory.buffer, at, utf8.length).set(utf8);
    try {
      return check(call(at, utf8.length));
    } finally {
      core.release(at);
    }
  };
  return {
    core,
    memory,
    bytes,
    open: (context = 0) => check(core.open(context)) && text(),
    isa: () => check(core.isa()) && text(),
    /** Greedy unless the request says otherwise. Times in seconds. */
    generate(request) {
      withRequest(request, core.generate);
      const begin = performance.now();
      let read = begin;
      let out = '';
      for (let more = 1; more === 1; ) {
        const reading = core.reading_prompt();
        more = check(core.generate_step());
        out += text();
        if (reading) read = performance.now();
      }
      const seconds = { prefill: (read - begin) / 1e3, decode: (performance.now() - read) / 1e3 };
      check(core.finish());
      return { text: out, tokens: core.tokens(), prompt_tokens: core.prompt_tokens(), finish_reason: text(), seconds };
    },
    embed(texts) {
      const width = withRequest(texts, core.embed);
      const all = bytes(core.vectors_data(), texts.length * width * 4);
      return texts.map((_, i) => Array.from({ length: width }, (_, j) => all.readFloatLE((i * width + j) * 4)));
    },
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}
