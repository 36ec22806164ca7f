// The other side: what a worker needs of its surroundings. `#worker` is one of browser-worker.ts and node-worker.ts.
import type { FileHandle } from '../cache/cache.js';

export interface WorkerPlatform {
  post(message: unknown): void;
  listen(onMessage: (message: unknown) => void): void;
  /** Another worker of the same code, which gets `message`; resolves when it answers. */
  startSibling(message: unknown): Promise<void>;
  /** At once: the module asks from within a call. */
  readSync(file: FileHandle, offset: number, out: Uint8Array): void;
  size(file: FileHandle): number;
}
