import { concat, type Bytes } from '../bytes.js';
import { EdgeNetError } from '../errors.js';
import { chunkCount } from '../integrity.js';
import type { Cache, CachedFile, CachedModel, FileHandle } from './cache.js';

/** For as long as the page lives. */
export class MemoryCache implements Cache {
  private readonly chunks = new Map<string, Map<number, Bytes>>();
  private readonly records = new Map<string, CachedModel>();

  async readChunk(file: CachedFile, index: number): Promise<Bytes | undefined> {
    return this.chunks.get(file.sha256)?.get(index);
  }

  async writeChunk(file: CachedFile, index: number, bytes: Bytes): Promise<void> {
    const chunks = this.chunks.get(file.sha256) ?? new Map<number, Bytes>();
    chunks.set(index, bytes);
    this.chunks.set(file.sha256, chunks);
  }

  async open(file: CachedFile): Promise<FileHandle> {
    const chunks = this.chunks.get(file.sha256);
    const parts = Array.from({ length: chunkCount(file.size) }, (_, i) => chunks?.get(i));
    if (!parts.every((part) => part !== undefined)) {
      throw new EdgeNetError('not_found', `file ${file.sha256} is not whole in the cache`);
    }
    return { kind: 'bytes', bytes: concat(parts) };
  }

  async models(): Promise<CachedModel[]> {
    return [...this.records.values()];
  }

  async putModel(model: CachedModel): Promise<void> {
    this.records.set(`${model.id}@${model.version}`, model);
  }

  async removeModel(id: string, version: string): Promise<void> {
    this.records.delete(`${id}@${version}`);
  }

  async files(): Promise<Map<string, number>> {
    const size = (chunks: Map<number, Bytes>) =>
      [...chunks.values()].reduce((sum, chunk) => sum + chunk.length, 0);
    return new Map([...this.chunks].map(([sha256, chunks]) => [sha256, size(chunks)]));
  }

  async removeFile(sha256: string): Promise<void> {
    this.chunks.delete(sha256);
  }
}
