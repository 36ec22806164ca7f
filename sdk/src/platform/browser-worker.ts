import type { FileHandle } from '../cache/cache.js';
import type { WorkerPlatform } from './worker.js';

const scope = self as unknown as DedicatedWorkerGlobalScope;

export const worker: WorkerPlatform = {
  post: (message) => scope.postMessage(message),
  listen(onMessage) {
    scope.onmessage = ({ data }) => onMessage(data);
  },
  startSibling(message) {
    const sibling = new Worker(scope.location.href, { type: 'module' });
    return new Promise((resolve, reject) => {
      sibling.onmessage = () => resolve();
      sibling.onerror = (event) => reject(new Error(event.message));
      sibling.postMessage(message);
    });
  },
  readSync(file: FileHandle, offset: number, out: Uint8Array) {
    if (file.kind === 'bytes') return out.set(file.bytes.subarray(offset, offset + out.length));
    if (file.kind === 'path') throw new Error('no paths in a browser');
    out.set(
      new Uint8Array(new FileReaderSync().readAsArrayBuffer(file.blob.slice(offset, offset + out.length))),
    );
  },
  size(file) {
    if (file.kind === 'bytes') return file.bytes.length;
    return file.kind === 'blob' ? file.blob.size : -1;
  },
};
