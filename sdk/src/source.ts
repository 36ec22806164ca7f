// Where published models come from. A source is believed in nothing: what it gives is held against signature and
// hashes by its caller.
import type { Bytes } from './bytes.js';
import { EdgeNetError, type Code } from './errors.js';
import { maxManifestBytes, parseManifest, type Artifact, type Manifest, type ModelRef } from './manifest.js';

export interface SignedManifest {
  manifest: Bytes;
  signature: Bytes | undefined;
}

export interface ListedModel {
  id: string;
  name: string;
  version: string;
  type: string;
  quantization?: string;
  size: number;
}

export interface ModelFilter {
  type?: string;
  quantization?: string;
  family?: string;
  text?: string;
}

export interface Source {
  /** A URL, for messages. */
  readonly name: string;
  /** As it was published; the newest version's when `ref` names none. */
  manifest(ref: ModelRef, signal?: AbortSignal): Promise<SignedManifest>;
  /** Bytes [offset, offset + length) of a file of that model, within its size. */
  read(
    manifest: Manifest,
    file: Artifact,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Bytes>;
}

export interface HttpOptions {
  fetch?: typeof fetch;
  timeoutMs?: number; // for one request, which is a manifest or a chunk
}

const maxSignatureBytes = 4096;
const maxListBytes = 16 << 20;

const codes = new Map<number, Code>([
  [401, 'untrusted'],
  [403, 'untrusted'],
  [404, 'not_found'],
  [408, 'unavailable'],
  [410, 'not_found'],
  [413, 'resource_exhausted'],
  [416, 'corrupt'],
  [425, 'unavailable'],
  [429, 'unavailable'],
]);

const codeOf = (status: number): Code =>
  codes.get(status) ?? (status >= 500 ? 'unavailable' : 'invalid_argument');

/** Requests with a time limit, whose failures are EdgeNetErrors. */
class Http {
  constructor(private readonly options: HttpOptions) {}

  async get(
    url: string,
    maxBytes: number,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<{ response: Response; bytes: Bytes }> {
    const timeout = AbortSignal.timeout(this.options.timeoutMs ?? 30_000);
    const both = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    try {
      const response = await (this.options.fetch ?? fetch)(url, { headers, signal: both });
      if (!response.ok) throw await failure(response, url);
      return { response, bytes: await readBody(response, maxBytes, url) };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof EdgeNetError) throw error;
      throw new EdgeNetError('unavailable', `${url}: ${(error as Error).message}`, { cause: error });
    }
  }

  async range(
    url: string,
    size: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Bytes> {
    if (length === 0) return new Uint8Array();
    const { response, bytes } = await this.get(
      url,
      length,
      { Range: `bytes=${offset}-${offset + length - 1}` },
      signal,
    );
    const whole = response.status === 200 && offset === 0 && length === size;
    if ((!whole && response.status !== 206) || bytes.length !== length) {
      throw new EdgeNetError(
        'unavailable',
        `${url}: asked for ${length} bytes at ${offset}, got status ${response.status} and ${bytes.length} bytes`,
      );
    }
    return bytes;
  }
}

async function failure(response: Response, url: string): Promise<EdgeNetError> {
  let detail = `HTTP status ${response.status}`;
  if (response.headers.get('content-type')?.startsWith('application/problem+json')) {
    const problem = (await response.json().catch(() => undefined)) as { detail?: unknown } | undefined;
    if (typeof problem?.detail === 'string') detail = problem.detail.slice(0, 500);
  } else {
    await response.body?.cancel();
  }
  return new EdgeNetError(codeOf(response.status), `${url}: ${detail}`);
}

// A length that was announced is not believed, nor one that was not.
async function readBody(response: Response, maxBytes: number, url: string): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader!.read()) {
    size += part.value.length;
    if (size > maxBytes) {
      await reader!.cancel();
      throw new EdgeNetError('resource_exhausted', `${url}: the answer is longer than ${maxBytes} bytes`);
    }
    parts.push(part.value);
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const absentIsUndefined = (error: unknown): undefined => {
  if (error instanceof EdgeNetError && error.code === 'not_found') return undefined;
  throw error;
};

/** A registry; see docs/formats/registry-protocol.md. */
export class RegistrySource implements Source {
  readonly name: string;
  private readonly http: Http;

  constructor(url: string, options: HttpOptions = {}) {
    this.name = url.replace(/\/+$/, '');
    this.http = new Http(options);
  }

  async manifest(ref: ModelRef, signal?: AbortSignal): Promise<SignedManifest> {
    const base = `${this.name}/v1/models/${encodeURIComponent(ref.id)}`;
    const query = ref.version === undefined ? '' : `?version=${encodeURIComponent(ref.version)}`;
    const manifest = (await this.http.get(base + query, maxManifestBytes, {}, signal)).bytes;
    // The signature of that very version: another may be published between the two requests.
    const { version } = await parseManifest(manifest);
    const signature = await this.http
      .get(`${base}/signature?version=${encodeURIComponent(version)}`, maxSignatureBytes, {}, signal)
      .then(({ bytes }) => bytes, absentIsUndefined);
    return { manifest, signature };
  }

  read(
    _manifest: Manifest,
    file: Artifact,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Bytes> {
    return this.http.range(`${this.name}/v1/blobs/${file.sha256}`, file.size, offset, length, signal);
  }

  /** The models that the registry has, all pages. Not verified: for choosing, not for using. */
  async list(filter: ModelFilter = {}, signal?: AbortSignal): Promise<ListedModel[]> {
    const query = new URLSearchParams({ limit: '100' });
    const names = { type: 'type', quantization: 'quantization', family: 'family', text: 'q' } as const;
    for (const [key, name] of Object.entries(names)) {
      const value = filter[key as keyof ModelFilter];
      if (value !== undefined) query.set(name, value);
    }
    const models: ListedModel[] = [];
    for (let page: string | undefined = `/v1/models?${query}`; page !== undefined;) {
      const { response, bytes } = await this.http.get(this.name + page, maxListBytes, {}, signal);
      const list = JSON.parse(new TextDecoder().decode(bytes)) as ListedModel[];
      models.push(...list);
      const next: string | undefined = /^<([^>]*)>;.*rel="next"/.exec(
        response.headers.get('link') ?? '',
      )?.[1];
      page = list.length > 0 && next !== undefined ? next.replace(this.name, '') : undefined;
    }
    return models;
  }
}

/** A folder on any web server: manifest.json, manifest.sig and the files beside them. */
export class FolderSource implements Source {
  readonly name: string;
  private readonly http: Http;

  constructor(url: string, options: HttpOptions = {}) {
    this.name = url.replace(/\/+$/, '');
    this.http = new Http(options);
  }

  async manifest(_ref: ModelRef, signal?: AbortSignal): Promise<SignedManifest> {
    const manifest = (await this.http.get(`${this.name}/manifest.json`, maxManifestBytes, {}, signal)).bytes;
    const signature = await this.http
      .get(`${this.name}/manifest.sig`, maxSignatureBytes, {}, signal)
      .then(({ bytes }) => bytes, absentIsUndefined);
    return { manifest, signature };
  }

  read(
    _manifest: Manifest,
    file: Artifact,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Bytes> {
    return this.http.range(`${this.name}/${file.filename}`, file.size, offset, length, signal);
  }
}
