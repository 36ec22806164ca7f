// The worker that owns the model: fetches module and files, starts the pool's threads, generates.
const kStackBytes = 256 * 1024;
const decoder = new TextDecoder();
const fetched = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());

async function startThreads(core, module, memory, threads) {
  core.start_pool(threads);
  for (let index = 1; index < threads; ++index) {
    const stack = (core.allocate(kStackBytes) + kStackBytes) & ~15;
    const tls = (core.allocate(core.__tls_size.value + 64) + 63) & ~63;
    const thread = new Worker('/thread.js', { type: 'module' });
    await new Promise((resolve, reject) => {
      thread.onmessage = resolve;
      thread.onerror = reject;
      thread.postMessage({ module, memory, index, stack, tls });
    });
  }
}

async function run({ moduleUrl, files, threads, requests, context }) {
  const module = await WebAssembly.compile(await fetched(moduleUrl));
  const memory = new WebAssembly.Memory({ initial: 512, maximum: 65536, shared: true });
  const bytes = (at, size) => new Uint8Array(memory.buffer, at, size).slice();
  const contents = new Map();
  for (const name of files) contents.set(name, await fetched(`/model/${name}`));
  const file = (at, size) => contents.get(decoder.decode(bytes(at, size)));
  const host = {
    file_size: (at, size) => file(at, size)?.length ?? -1,
    file_read: (at, size, offset, out, length) => {
      new Uint8Array(memory.buffer, out, length).set(file(at, size).subarray(offset, offset + length));
      return 1;
    },
  };
  const core = (await WebAssembly.instantiate(module, { env: { memory }, host })).exports;
  core._initialize();
  if (threads > 1) await startThreads(core, module, memory, threads);
  const text = () => decoder.decode(bytes(core.result_data(), core.result_size()));
  const check = (value) => {
    if (value === 0) throw new Error(text());
    return value;
  };
  check(core.open(context));
  contents.clear();
  const results = requests.map((request) => {
    const utf8 = new TextEncoder().encode(JSON.stringify(request));
    const at = core.allocate(utf8.length);
    new Uint8Array(memory.buffer, at, utf8.length).set(utf8);
    check(core.generate(at, utf8.length));
    core.release(at);
    const begin = performance.now();
    let read = begin;
    let out = '';
    for (let more = 1; more === 1; ) {
      const reading = core.reading_prompt();
      more = check(core.generate_step());
      out += text();
      if (reading) read = performance.now();
    }
    const now = performance.now();
    return { text: out, tokens: core.tokens(), promptTokens: core.prompt_tokens(), prefill: (read - begin) / 1e3, decode: (now - read) / 1e3 };
  });
  return { results, memoryBytes: memory.buffer.byteLength };
}

onmessage = ({ data }) => run(data).then(postMessage, (error) => postMessage({ error: String(error) }));
