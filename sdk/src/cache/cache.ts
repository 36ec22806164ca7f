// What a cache keeps: verified chunks by content, and which models they make. Everything read from one is verified
// again, so a cache may lose or damage what it likes.
import type { Bytes } from '../bytes.js';

/** A file as the model's worker reads it: by ranges, when it needs them. */
export type FileHandle =
  { kind: 'bytes'; bytes: Bytes } | { kind: 'blob'; blob: Blob } | { kind: 'path'; path: string };

export interface CachedFile {
  sha256: string;
  size: number;
}

export interface CachedModel {
  id: string;
  version: string;
  manifest: Bytes;
  signature: Bytes | undefined;
  files: CachedFile[];
  lastUsed: number; // milliseconds since 1970
}

export interface Cache {
  /** Chunk `index` of the file of that digest, or undefined where it is not whole. */
  readChunk(file: CachedFile, index: number): Promise<Bytes | undefined>;
  writeChunk(file: CachedFile, index: number, bytes: Bytes): Promise<void>;
  /** The whole file, all of whose chunks were written. */
  open(file: CachedFile): Promise<FileHandle>;

  models(): Promise<CachedModel[]>;
  /** Also notes when it was used. */
  putModel(model: CachedModel): Promise<void>;
  removeModel(id: string, version: string): Promise<void>;

  /** Digests of the files of which there are chunks, with the bytes that they take. */
  files(): Promise<Map<string, number>>;
  removeFile(sha256: string): Promise<void>;
}

/** Removes files that no model has. */
export async function removeUnused(cache: Cache): Promise<void> {
  const used = new Set((await cache.models()).flatMap((model) => model.files.map((file) => file.sha256)));
  for (const sha256 of (await cache.files()).keys()) {
    if (!used.has(sha256)) await cache.removeFile(sha256);
  }
}

const bytesIn = async (cache: Cache): Promise<number> =>
  [...(await cache.files()).values()].reduce((sum, size) => sum + size, 0);

/** Removes models not used for longest, and files of no model, until all is within `maxBytes`; never `keep`. */
export async function shrink(cache: Cache, maxBytes: number, keep: CachedModel): Promise<void> {
  if ((await bytesIn(cache)) <= maxBytes) return;
  await removeUnused(cache);
  const oldest = (await cache.models()).sort((a, b) => a.lastUsed - b.lastUsed);
  for (const model of oldest) {
    if ((await bytesIn(cache)) <= maxBytes) return;
    if (model.id === keep.id && model.version === keep.version) continue;
    await cache.removeModel(model.id, model.version);
    await removeUnused(cache);
  }
}
