// The worker that owns the model: fetches module and files, starts the pool's threads, generates.
import { Core } from '/sdk/engine/core.js';
import { tell } from '/tell.js';

const fetched = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());

function startThread(start) {
  const thread = new Worker('/thread.js', { type: 'module' });
  return new Promise((resolve, reject) => {
    thread.onmessage = resolve;
    thread.onerror = reject;
    thread.postMessage(start);
  });
}

async function run({ moduleUrl, files, threads, requests, context }) {
  const module = await WebAssembly.compile(await fetched(moduleUrl));
  const contents = new Map();
  for (const name of files) contents.set(name, await fetched(`/model/${name}`));
  const core = await Core.instantiate(module, {
    size: (name) => contents.get(name)?.length ?? -1,
    read: (name, offset, out) => out.set(contents.get(name).subarray(offset, offset + out.length)),
  });
  await core.startThreads(threads, startThread);
  const session = core.openSession(core.openModel().model, { contextLength: context });
  contents.clear();
  const results = requests.map((request) => {
    core.clearCache(session); // each as the first
    return tell(core, session, request);
  });
  return {
    results,
    memoryBytes: core.memory.buffer.byteLength,
  };
}

onmessage = ({ data }) => run(data).then(postMessage, (error) => postMessage({ error: String(error) }));
