// What differs between a page and Node, on the side of the caller. `#platform` is one of browser.ts and node.ts.
import type { Cache } from '../cache/cache.js';

/** core: what runs .onnx files; full: what reads checkpoints and .gguf files, too. */
export type ModuleKind = 'core' | 'full';

/** A worker as its owner sees it. */
export interface Port {
  post(message: unknown): void;
  /** `onError` is told that the worker is gone: it could not start, or trapped. */
  listen(onMessage: (message: unknown) => void, onError: (error: Error) => void): void;
  /** Whether an answer is awaited: a program ends while none is, also if nobody disposed of the model. */
  await(answer: boolean): void;
  terminate(): void;
}

export interface Platform {
  startWorker(): Port;
  /** A module of the package, as bytes. */
  readModule(kind: ModuleKind, isa: 'relaxed' | 'simd128'): Promise<ArrayBuffer>;
  /** Whether memory can be shared with workers, so that a model may run in more than one thread. */
  canShareMemory(): boolean;
  processors(): number;
  /** The cache that outlives the process: a database in a page, a folder in Node. */
  openCache(storage: 'indexeddb' | 'filesystem', place?: string): Promise<Cache>;
  defaultStorage: 'indexeddb' | 'filesystem';
  /** Runs `work` while no other tab does, under that name. */
  exclusively<T>(name: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T>;
}
