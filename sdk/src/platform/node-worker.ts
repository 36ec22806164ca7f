import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { parentPort, Worker } from 'node:worker_threads';

import type { FileHandle } from '../cache/cache.js';
import type { WorkerPlatform } from './worker.js';

function readPath(path: string, offset: number, out: Uint8Array): void {
  const fd = openSync(path, 'r');
  try {
    for (let done = 0; done < out.length;) {
      const got = readSync(fd, out, done, out.length - done, offset + done);
      if (got === 0) throw new Error(`${path} ends before byte ${offset + out.length}`);
      done += got;
    }
  } finally {
    closeSync(fd);
  }
}

export const worker: WorkerPlatform = {
  post: (message) => parentPort!.postMessage(message),
  listen: (onMessage) => void parentPort!.on('message', onMessage),
  startSibling(message) {
    const sibling = new Worker(new URL('../engine/worker.js', import.meta.url), { execArgv: [] });
    return new Promise((resolve, reject) => {
      sibling.once('message', () => resolve());
      sibling.once('error', reject);
      sibling.postMessage(message);
    });
  },
  readSync(file: FileHandle, offset, out) {
    if (file.kind === 'bytes') return out.set(file.bytes.subarray(offset, offset + out.length));
    if (file.kind === 'blob') throw new Error('no blobs in Node');
    readPath(file.path, offset, out);
  },
  size(file) {
    if (file.kind === 'bytes') return file.bytes.length;
    return file.kind === 'path' ? statSync(file.path).size : -1;
  },
};
