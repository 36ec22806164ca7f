// A module in Node, driven call by call: what the tests and benches of the core share. Programs use the SDK's sessions.
import { existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { Core } from '../../sdk/dist/engine/core.js';
import { tell } from './browser/tell.js';

const poolThread = new URL('../../sdk/dist/engine/worker.js', import.meta.url);

/** The files of a folder. */
export const filesIn = (folder) => ({
  size: (name) => {
    const path = join(folder, name);
    return existsSync(path) && statSync(path).isFile() ? statSync(path).size : -1;
  },
  read: (name, offset, out) => {
    if (readSync(openSync(join(folder, name)), out, 0, out.length, offset) !== out.length) {
      throw new Error(`${name} is too short`);
    }
  },
});

/** Compiles `path` and starts it with `threads` threads. `close()` ends the workers. */
export async function startModule(path, { folder = '.', threads = 1, memory = undefined } = {}) {
  const core = await Core.instantiate(new WebAssembly.Module(readFileSync(path)), filesIn(folder), memory);
  const workers = [];
  await core.startThreads(threads, (thread) => {
    const worker = new Worker(poolThread);
    workers.push(worker);
    worker.postMessage({ thread });
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  let session = 0;
  return {
    core,
    /** The folder's model and a session of it, which the calls below use. */
    open(request = {}, modelRequest = {}) {
      const { model, kind } = core.openModel(modelRequest);
      session = core.openSession(model, request);
      return kind;
    },
    isa: () => core.isa(),
    /** Greedy unless the request says otherwise. Times in seconds. */
    generate: (request) => tell(core, session, request),
    clearCache: () => core.clearCache(session),
    embed: (texts) => core.embed(session, { texts }),
    close: () => Promise.all(workers.map((worker) => worker.terminate())),
  };
}
