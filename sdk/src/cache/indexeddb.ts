import type { Bytes } from '../bytes.js';
import { EdgeNetError } from '../errors.js';
import { chunkCount } from '../integrity.js';
import type { Cache, CachedFile, CachedModel, FileHandle } from './cache.js';

// chunks: Blob by [sha256, index]; models: CachedModel by [id, version]. Blobs stay on disk until they are read.
const chunksStore = 'chunks';
const modelsStore = 'models';

const finished = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failure(request.error));
  });

function failure(error: DOMException | null): EdgeNetError {
  const options = { cause: error };
  if (error?.name === 'QuotaExceededError') {
    return new EdgeNetError(
      'resource_exhausted',
      'the browser gives no more storage; free some or ask for persistence',
      options,
    );
  }
  return new EdgeNetError('io', `IndexedDB: ${error?.message}`, options);
}

/** The browser's database: survives reloads, shared by all tabs of the origin. */
export class IndexedDbCache implements Cache {
  private constructor(private readonly database: IDBDatabase) {}

  static async open(name = 'edge-net-models'): Promise<IndexedDbCache> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(chunksStore);
      request.result.createObjectStore(modelsStore);
    };
    return new IndexedDbCache(await finished(request));
  }

  private read<T>(store: string, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return finished(ask(this.database.transaction(store).objectStore(store)));
  }

  // Done is when the transaction is: a request that succeeded may still be undone.
  private write(store: string, change: (store: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(store, 'readwrite');
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(failure(transaction.error));
      change(transaction.objectStore(store));
    });
  }

  async readChunk(file: CachedFile, index: number): Promise<Bytes | undefined> {
    const blob = await this.read(
      chunksStore,
      (store) => store.get([file.sha256, index]) as IDBRequest<Blob | undefined>,
    );
    return blob && new Uint8Array(await blob.arrayBuffer());
  }

  writeChunk(file: CachedFile, index: number, bytes: Bytes): Promise<void> {
    return this.write(chunksStore, (store) => store.put(new Blob([bytes]), [file.sha256, index]));
  }

  async open(file: CachedFile): Promise<FileHandle> {
    const parts = await this.read(
      chunksStore,
      (store) => store.getAll(range(file.sha256)) as IDBRequest<Blob[]>,
    );
    const blob = new Blob(parts);
    if (parts.length !== chunkCount(file.size) || blob.size !== file.size) {
      throw new EdgeNetError('not_found', `file ${file.sha256} is not whole in the cache`);
    }
    return { kind: 'blob', blob };
  }

  models(): Promise<CachedModel[]> {
    return this.read(modelsStore, (store) => store.getAll() as IDBRequest<CachedModel[]>);
  }

  putModel(model: CachedModel): Promise<void> {
    return this.write(modelsStore, (store) => store.put(model, [model.id, model.version]));
  }

  removeModel(id: string, version: string): Promise<void> {
    return this.write(modelsStore, (store) => store.delete([id, version]));
  }

  files(): Promise<Map<string, number>> {
    return new Promise((resolve, reject) => {
      const sizes = new Map<string, number>();
      const request = this.database.transaction(chunksStore).objectStore(chunksStore).openCursor();
      request.onerror = () => reject(failure(request.error));
      request.onsuccess = () => {
        const cursor = request.result;
        if (cursor === null) return resolve(sizes);
        const [sha256] = cursor.key as [string, number];
        sizes.set(sha256, (sizes.get(sha256) ?? 0) + (cursor.value as Blob).size);
        cursor.continue();
      };
    });
  }

  removeFile(sha256: string): Promise<void> {
    return this.write(chunksStore, (store) => store.delete(range(sha256)));
  }
}

const range = (sha256: string): IDBKeyRange => IDBKeyRange.bound([sha256], [sha256, []]);
