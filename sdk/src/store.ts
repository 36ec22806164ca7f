// From a name to verified files: source, signature, chunks, cache.
import { platform } from '#platform';

import { removeUnused, shrink, type Cache, type CachedModel, type FileHandle } from './cache/cache.js';
import { MemoryCache } from './cache/memory.js';
import { download, fileOf, type Progress } from './download.js';
import { hasSimd } from './engine/features.js';
import { corrupt, EdgeNetError } from './errors.js';
import { compareVersions, parseManifest, parseModelRef, type Manifest, type ModelRef } from './manifest.js';
import { defaultRetry, retry, type RetryPolicy } from './retry.js';
import { verifySignature, type TrustedKey } from './signature.js';
import { FolderSource, RegistrySource, type ListedModel, type ModelFilter, type Source } from './source.js';

export interface StoreOptions {
  /** The registry's URL; the page's own origin unless said. */
  registry?: string;
  /** Whose signatures are believed. */
  trustedKeys?: readonly TrustedKey[];
  /** Take models that nobody trusted has signed. */
  allowUnsigned?: boolean;
  cache?: {
    enabled?: boolean;
    storage?: 'indexeddb' | 'memory' | 'filesystem';
    maxSize?: number; // bytes
    /** Name of the database, or path of the folder. */
    place?: string;
  };
  sources?: { timeout?: number }; // milliseconds, for one request
  download?: { parallel?: number; retries?: number; progressCallback?: (progress: Progress) => void };
  /** Only WebAssembly so far; "auto" takes what there is. */
  backend?: 'auto' | 'wasm';
  fetch?: typeof fetch;
}

export interface FetchOptions {
  version?: string;
  signal?: AbortSignal;
}

export interface Compatibility {
  compatible: boolean;
  /** What stands against it, in words. */
  problems: string[];
}

const defaultMaxSize = 2 * 1024 ** 3;
const mostBytes = 3 * 1024 ** 3; // of files, in a memory of 4 GiB with caches and working space

/** A manifest, and the trusted key that signed it; undefined where `allowUnsigned` let another pass. */
export type VerifiedManifest = Manifest & { signedBy: string | undefined };

export interface FetchedModel {
  manifest: VerifiedManifest;
  files: Map<string, FileHandle>;
}

/** A manifest that was verified, with its bytes. */
interface Offer {
  manifest: VerifiedManifest;
  record: CachedModel;
}

export class ModelStore {
  private readonly cache: Promise<Cache>;
  private readonly retryPolicy: RetryPolicy;

  constructor(private readonly options: StoreOptions = {}) {
    if (options.backend !== undefined && options.backend !== 'auto' && options.backend !== 'wasm') {
      throw new EdgeNetError(
        'unsupported',
        `backend "${options.backend as string}" is not in this build; expected auto or wasm`,
      );
    }
    this.retryPolicy = { ...defaultRetry, retries: options.download?.retries ?? defaultRetry.retries };
    const { enabled = true, storage = platform.defaultStorage, place } = options.cache ?? {};
    this.cache =
      !enabled || storage === 'memory'
        ? Promise.resolve(new MemoryCache())
        : platform.openCache(storage, place);
    this.cache.catch(() => {}); // whoever needs it sees why it could not be opened
  }

  /** Into the cache only. */
  async preload(model: string, options: FetchOptions = {}): Promise<void> {
    await this.files(model, options);
  }

  async isCached(model: string): Promise<boolean> {
    const ref = parseModelRef(model);
    return (await this.cachedVersions(ref)).length > 0;
  }

  async getCachedModels(): Promise<{ id: string; version: string; bytes: number; lastUsed: number }[]> {
    return (await (await this.cache).models()).map(({ id, version, files, lastUsed }) => ({
      id,
      version,
      bytes: files.reduce((sum, file) => sum + file.size, 0),
      lastUsed,
    }));
  }

  async clearCache(model: string): Promise<void> {
    const cache = await this.cache;
    for (const { id, version } of await this.cachedVersions(parseModelRef(model))) {
      await cache.removeModel(id, version);
    }
    await removeUnused(cache);
  }

  async clearAllCache(): Promise<void> {
    const cache = await this.cache;
    for (const { id, version } of await cache.models()) await cache.removeModel(id, version);
    await removeUnused(cache);
  }

  /** The verified manifest, from the registry or, where that does not answer, from the cache. */
  async getManifest(model: string, options: FetchOptions = {}): Promise<VerifiedManifest> {
    return (await this.offer(model, options)).manifest;
  }

  listModels(filter: ModelFilter = {}, signal?: AbortSignal): Promise<ListedModel[]> {
    return new RegistrySource(this.registry(), this.http()).list(filter, signal);
  }

  /** Whether this engine can run the model. */
  async checkCompatibility(model: string): Promise<Compatibility> {
    const manifest = await this.getManifest(model);
    const problems: string[] = [];
    if (!hasSimd()) problems.push('this engine has no WebAssembly SIMD');
    if (manifest.totalSize > mostBytes) {
      problems.push(`${manifest.totalSize} bytes of files do not fit a memory of 4 GiB`);
    }
    return { compatible: problems.length === 0, problems };
  }

  private registry(): string {
    const here = globalThis.location?.origin as string | undefined;
    const registry = this.options.registry ?? here;
    if (registry === undefined) {
      throw new EdgeNetError('invalid_argument', 'no registry: give its URL as `registry`');
    }
    return registry;
  }

  private http() {
    const { fetch, sources } = this.options;
    return { ...(fetch && { fetch }), ...(sources?.timeout !== undefined && { timeoutMs: sources.timeout }) };
  }

  /** Where to ask, and for what. A URL names a folder; the model in it is what its manifest says. */
  private locate(model: string, version: string | undefined): { source: Source; ref: ModelRef | undefined } {
    if (/^https?:\/\//.test(model)) return { source: new FolderSource(model, this.http()), ref: undefined };
    const ref = parseModelRef(model);
    if (version !== undefined) {
      if (ref.version !== undefined && ref.version !== version) {
        throw new EdgeNetError('invalid_argument', `two versions: ${ref.version} and ${version}`);
      }
      ref.version = version;
    }
    return { source: new RegistrySource(this.registry(), this.http()), ref };
  }

  /** Manifest and signature, verified: no other byte is used before. */
  private async offer(
    model: string,
    { version, signal }: FetchOptions,
  ): Promise<Offer & { source: Source | undefined }> {
    const { source, ref } = this.locate(model, version);
    const cached = ref === undefined ? [] : await this.cachedVersions(ref);
    if (ref?.version !== undefined && cached[0] !== undefined) {
      return { ...(await this.verified(cached[0], ref)), source };
    }
    try {
      const { manifest, signature } = await retry(this.retryPolicy, signal, () =>
        source.manifest(ref ?? { id: '' }, signal),
      );
      const record: CachedModel = {
        id: '',
        version: '',
        manifest,
        signature,
        files: [],
        lastUsed: Date.now(),
      };
      const offer = await this.verified(record, ref);
      if (ref !== undefined) refuseRollback(offer.manifest, cached[0], source);
      return { ...offer, source };
    } catch (error) {
      const offline = error instanceof EdgeNetError && error.code === 'unavailable';
      if (!offline || cached[0] === undefined) throw error;
      return { ...(await this.verified(cached[0], ref)), source: undefined };
    }
  }

  private async verified(record: CachedModel, ref: ModelRef | undefined): Promise<Offer> {
    const signedBy = await this.checkSignature(record);
    const manifest = { ...(await parseManifest(record.manifest)), signedBy };
    const isAnother =
      ref !== undefined && (manifest.id !== ref.id || manifest.version !== (ref.version ?? manifest.version));
    if (isAnother) {
      throw corrupt(`asked for ${ref.id}@${ref.version ?? 'newest'}, got ${manifest.id}@${manifest.version}`);
    }
    const files = manifest.artifacts.map(fileOf);
    return {
      manifest,
      record: { ...record, id: manifest.id, version: manifest.version, files, lastUsed: Date.now() },
    };
  }

  private async checkSignature({ manifest, signature }: CachedModel): Promise<string | undefined> {
    try {
      return await verifySignature(manifest, signature, this.options.trustedKeys ?? []);
    } catch (error) {
      const untrusted = error instanceof EdgeNetError && error.code === 'untrusted';
      if (!untrusted || this.options.allowUnsigned !== true) throw error;
      return undefined;
    }
  }

  /**
   * A model's files, each byte verified; fetched where the cache lacks them. `model` is an id, "id@version", or the URL
   * of a folder with manifest.json and manifest.sig.
   */
  async files(model: string, options: FetchOptions = {}): Promise<Map<string, FileHandle>> {
    return (await this.fetchModel(model, options)).files;
  }

  protected async fetchModel(model: string, options: FetchOptions): Promise<FetchedModel> {
    const cache = await this.cache;
    const { manifest, record, source } = await this.offer(model, options);
    const maxSize = this.options.cache?.maxSize ?? defaultMaxSize;
    if (manifest.totalSize > maxSize) {
      throw new EdgeNetError(
        'resource_exhausted',
        `${manifest.id} has ${manifest.totalSize} bytes; the cache may have ${maxSize} (cache.maxSize)`,
      );
    }
    const { parallel = 4, progressCallback } = this.options.download ?? {};
    const { signal } = options;
    const how = { parallel, retry: this.retryPolicy, signal, onProgress: progressCallback };
    await platform.exclusively(`edge-net-models:${manifest.id}@${manifest.version}`, signal, () =>
      download(source, manifest, cache, how),
    );
    await cache.putModel(record);
    await shrink(cache, maxSize, record);
    const files = new Map<string, FileHandle>();
    for (const artifact of manifest.artifacts) {
      files.set(artifact.filename, await cache.open(fileOf(artifact)));
    }
    return { manifest, files };
  }

  /** Of the cache, the newest first. */
  private async cachedVersions(ref: ModelRef): Promise<CachedModel[]> {
    const models = await (await this.cache).models();
    return models
      .filter(({ id, version }) => id === ref.id && (ref.version === undefined || version === ref.version))
      .sort((a, b) => compareVersions(b.version, a.version));
  }
}

// A source that hides a newer version hides what was mended in it.
function refuseRollback(offered: Manifest, newest: CachedModel | undefined, source: Source): void {
  if (newest === undefined || compareVersions(offered.version, newest.version) >= 0) return;
  throw new EdgeNetError(
    'untrusted',
    `${source.name} offers ${offered.id}@${offered.version} as the newest; ${newest.version} is in the cache already. Ask for the older one by its version`,
  );
}
