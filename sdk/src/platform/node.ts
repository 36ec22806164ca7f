import { readFile } from 'node:fs/promises';
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { FilesystemCache } from '../cache/filesystem.js';
import { EdgeNetError } from '../errors.js';
import type { Platform, Port } from './platform.js';

// Flags of the program, such as --input-type, are not meant for its workers.
function startWorker(): Port {
  const worker = new Worker(new URL('../engine/worker.js', import.meta.url), { execArgv: [] });
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onError) {
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.unref();
    },
    await: (answer) => (answer ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

export const platform: Platform = {
  startWorker,
  async readModule(kind, isa) {
    const name = `edge-net-models-${kind === 'full' ? 'full-' : ''}${isa}.wasm`;
    const bytes = await readFile(new URL(`../wasm/${name}`, import.meta.url));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  },
  canShareMemory: () => true,
  processors: availableParallelism,
  async openCache(storage, place) {
    if (storage === 'filesystem') return FilesystemCache.open(place ?? join(homedir(), '.edge-net', 'sdk'));
    throw new EdgeNetError(
      'unsupported',
      `storage "${storage}" is not for Node; expected filesystem or memory`,
    );
  },
  defaultStorage: 'filesystem',
  exclusively: (_name, _signal, work) => work(),
};
