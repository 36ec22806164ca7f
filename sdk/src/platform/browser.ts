import { IndexedDbCache } from '../cache/indexeddb.js';
import { EdgeNetError } from '../errors.js';
import type { ModuleKind, Platform, Port } from './platform.js';

// Bundlers find assets and workers by exactly this form of a URL.
const modules = {
  core: {
    relaxed: () => new URL('../wasm/edge-net-models-relaxed.wasm', import.meta.url),
    simd128: () => new URL('../wasm/edge-net-models-simd128.wasm', import.meta.url),
  },
  full: {
    relaxed: () => new URL('../wasm/edge-net-models-full-relaxed.wasm', import.meta.url),
    simd128: () => new URL('../wasm/edge-net-models-full-simd128.wasm', import.meta.url),
  },
};

function startWorker(): Port {
  const worker = new Worker(new URL('../engine/worker.js', import.meta.url), { type: 'module' });
  return {
    post: (message) => worker.postMessage(message),
    listen(onMessage, onError) {
      worker.onmessage = ({ data }) => onMessage(data);
      worker.onerror = (event) => onError(new Error(event.message ?? 'the worker could not be started'));
    },
    await() {}, // pages do not end
    terminate: () => worker.terminate(),
  };
}

async function readModule(kind: ModuleKind, isa: 'relaxed' | 'simd128'): Promise<ArrayBuffer> {
  const url = modules[kind][isa]();
  const response = await fetch(url);
  if (!response.ok) throw new EdgeNetError('not_found', `${url}: HTTP status ${response.status}`);
  return response.arrayBuffer();
}

export const platform: Platform = {
  startWorker,
  readModule,
  canShareMemory: () => globalThis.crossOriginIsolated === true,
  processors: () => navigator.hardwareConcurrency ?? 1,
  async openCache(storage, place) {
    if (storage === 'indexeddb') return IndexedDbCache.open(place);
    throw new EdgeNetError(
      'unsupported',
      `storage "${storage}" is not for browsers; expected indexeddb or memory`,
    );
  },
  defaultStorage: 'indexeddb',
  exclusively(name, signal, work) {
    const locks = navigator.locks as LockManager | undefined; // pages over plain HTTP have none
    if (locks === undefined) return work();
    return locks.request(name, signal === undefined ? {} : { signal }, work) as ReturnType<typeof work>;
  },
};
