// A model's files from a source into a cache, chunk by chunk, each verified as it comes.
import type { Cache, CachedFile } from './cache/cache.js';
import { corrupt } from './errors.js';
import { chunkCount, chunkLength, chunkSize, sha256Hex } from './integrity.js';
import type { Artifact, Manifest } from './manifest.js';
import { retry, type RetryPolicy } from './retry.js';
import type { Source } from './source.js';

export interface Progress {
  model: string; // id@version
  file: string;
  loaded: number; // bytes of the model that are here and verified
  total: number;
  fetched: number; // of them, over the wire just now
  /** The chunk that this is about, counted over all files in the manifest's order. */
  chunk: { index: number; count: number; from: 'cache' | 'source' };
  bytesPerSecond: number;
  etaSeconds: number | undefined; // undefined until something was fetched
}

export interface DownloadOptions {
  parallel: number; // chunks on their way at a time
  retry: RetryPolicy;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

interface Chunk {
  artifact: Artifact;
  index: number; // in its file
  place: number; // in the model
}

/**
 * Makes every file of `manifest` whole in `cache`. What is there is hashed and kept where it is right, so an
 * interrupted download goes on from what it had.
 */
export async function download(
  source: Source | undefined,
  manifest: Manifest,
  cache: Cache,
  options: DownloadOptions,
): Promise<void> {
  const chunks = listChunks(manifest);
  const report = reporter(manifest, chunks.length, options);
  const missing: Chunk[] = [];
  const { parallel } = options;
  await inParallel(chunks, parallel, options.signal, async (chunk) => {
    if (await isCached(cache, chunk)) report(chunk, 'cache');
    else missing.push(chunk);
  });
  if (missing.length === 0) return;
  if (source === undefined) {
    const model = `${manifest.id}@${manifest.version}`;
    throw corrupt(`${missing.length} chunks of ${model} are missing or damaged in the cache`);
  }
  missing.sort((a, b) => a.place - b.place);
  await inParallel(missing, parallel, options.signal, async (chunk, signal) => {
    const bytes = await retry(options.retry, signal, () => fetchChunk(source, manifest, chunk, signal));
    await cache.writeChunk(fileOf(chunk.artifact), chunk.index, bytes);
    report(chunk, 'source');
  });
}

export const fileOf = ({ sha256, size }: Artifact): CachedFile => ({ sha256, size });

function listChunks(manifest: Manifest): Chunk[] {
  const chunks: Chunk[] = [];
  for (const artifact of manifest.artifacts) {
    for (let index = 0; index < chunkCount(artifact.size); ++index) {
      chunks.push({ artifact, index, place: chunks.length });
    }
  }
  return chunks;
}

async function isCached(cache: Cache, { artifact, index }: Chunk): Promise<boolean> {
  const bytes = await cache.readChunk(fileOf(artifact), index);
  return (
    bytes?.length === chunkLength(artifact.size, index) && (await sha256Hex(bytes)) === artifact.chunks[index]
  );
}

async function fetchChunk(
  source: Source,
  manifest: Manifest,
  { artifact, index }: Chunk,
  signal: AbortSignal,
) {
  const offset = index * chunkSize;
  const bytes = await source.read(manifest, artifact, offset, chunkLength(artifact.size, index), signal);
  const got = await sha256Hex(bytes);
  if (got === artifact.chunks[index]) return bytes;
  const where = `${artifact.filename}: the bytes at ${offset} from ${source.name}`;
  throw corrupt(`${where} have SHA-256 ${got}; the manifest says ${artifact.chunks[index]}`);
}

/** Runs `work` on each item, `parallel` at a time; the first failure aborts the others and is thrown. */
async function inParallel<T>(
  items: readonly T[],
  parallel: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const both = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const run = async () => {
    while (next < items.length) {
      both.throwIfAborted();
      await work(items[next++]!, both);
    }
  };
  const runners = Array.from({ length: Math.max(1, Math.min(parallel, items.length)) }, () =>
    run().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(runners);
  signal?.throwIfAborted();
  failed.signal.throwIfAborted();
}

function reporter(manifest: Manifest, count: number, { onProgress }: DownloadOptions) {
  let loaded = 0;
  let fetched = 0;
  let begin: number | undefined;
  return ({ artifact, index, place }: Chunk, from: 'cache' | 'source') => {
    const length = chunkLength(artifact.size, index);
    loaded += length;
    if (from === 'source') fetched += length;
    begin ??= performance.now();
    const bytesPerSecond = fetched / Math.max(1e-3, (performance.now() - begin) / 1e3);
    onProgress?.({
      model: `${manifest.id}@${manifest.version}`,
      file: artifact.filename,
      loaded,
      total: manifest.totalSize,
      fetched,
      chunk: { index: place, count, from },
      bytesPerSecond,
      etaSeconds: fetched > 0 ? (manifest.totalSize - loaded) / bytesPerSecond : undefined,
    });
  };
}
