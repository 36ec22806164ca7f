// A model that runs: in a worker of its own, so that the caller's thread never waits for it.
import { platform } from '#platform';

import type { FileHandle } from './cache/cache.js';
import type { MemoryInfo } from './engine/core.js';
import { hasRelaxedSimd, hasSimd } from './engine/features.js';
import type {
  Calls,
  FromWorker,
  GenerateRequest,
  GenerateResult,
  OpenResult,
  Request,
} from './engine/messages.js';
import { EdgeNetError } from './errors.js';
import type { Port } from './platform/platform.js';
import { ModelStore, type FetchOptions, type StoreOptions } from './store.js';

export interface GenerateConfig {
  maxTokens?: number; // 128
  temperature?: number; // 0 always takes the likeliest token
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  seed?: number;
  /** The text ends before any of these. */
  stopSequences?: string[];
  signal?: AbortSignal;
}

export interface SessionOptions {
  /** Threads of the model; as many as there are processors, at most 8, unless said. One where memory cannot be shared. */
  threads?: number;
  /** Positions to make room for; the model's own limit unless said. */
  contextLength?: number;
}

/** Text as it is written: iterate for the pieces; `result` has the whole and the figures. */
export interface TextStream extends AsyncIterable<string> {
  readonly result: Promise<GenerateResult>;
}

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  onPiece?: ((piece: string) => void) | undefined;
}

const maxThreads = 8;

function threadCount(asked: number | undefined): number {
  if (!platform.canShareMemory()) return 1;
  return Math.max(1, asked ?? Math.min(maxThreads, platform.processors()));
}

export class InferenceSession {
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private gone: EdgeNetError | undefined;
  private memory: MemoryInfo = { modelBytes: 0, kvCacheBytes: 0, totalBytes: 0 };
  /** What the model is for: "decoder" writes text, "embedder" makes vectors. */
  kind: OpenResult['kind'] = 'decoder';
  /** The kernels' instruction set. */
  isa = '';
  readonly threads: number;

  private constructor(
    private readonly port: Port,
    options: SessionOptions,
  ) {
    this.threads = threadCount(options.threads);
    port.listen(
      (message) => this.hear(message as FromWorker),
      (error) => this.end(new EdgeNetError('internal', `the model's worker died: ${error.message}`)),
    );
  }

  /** Fetches (or finds in the cache), verifies and opens a model: an id, "id@version", or the URL of a signed folder. */
  static async create(
    model: string,
    options: StoreOptions & FetchOptions & SessionOptions = {},
  ): Promise<InferenceSession> {
    const files = await new ModelStore(options).files(model, options);
    options.signal?.throwIfAborted();
    return InferenceSession.open(files, options);
  }

  /** Opens files that were verified. For ModelLoader; others call `create`. */
  static async open(files: Map<string, FileHandle>, options: SessionOptions): Promise<InferenceSession> {
    if (!hasSimd()) {
      throw new EdgeNetError(
        'unsupported',
        'this engine has no WebAssembly SIMD; any browser since 2023 does',
      );
    }
    const module = await platform.readModule(hasRelaxedSimd() ? 'relaxed' : 'simd128');
    const session = new InferenceSession(platform.startWorker(), options);
    try {
      const request = { module, threads: session.threads, contextLength: options.contextLength ?? 0, files };
      ({ kind: session.kind, isa: session.isa } = await session.call('open', request));
      return session;
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  /** The text that follows `prompt`. */
  async generate(prompt: string, config: GenerateConfig = {}): Promise<string> {
    return (await this.generateStream(prompt, config).result).text;
  }

  /** The same, piece by piece; a piece never splits a character. Leaving the loop early stops the model. */
  generateStream(prompt: string, config: GenerateConfig = {}): TextStream {
    const pieces: string[] = [];
    let wake = () => {};
    let ended = false;
    const stop = new AbortController();
    const signal = config.signal === undefined ? stop.signal : AbortSignal.any([config.signal, stop.signal]);
    const onPiece = (piece: string) => {
      pieces.push(piece);
      wake();
    };
    const onEnd = () => {
      ended = true;
      wake();
    };
    const result = this.call('generate', requestOf(prompt, config), onPiece, signal);
    result.then(onEnd, onEnd); // a caller that only iterates sees the error there
    const iterate = async function* () {
      try {
        for (;;) {
          while (pieces.length > 0) yield pieces.shift()!;
          if (ended) break;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        await result;
      } finally {
        if (!ended) stop.abort(new EdgeNetError('cancelled', 'the reader left'));
      }
    };
    return { result, [Symbol.asyncIterator]: iterate };
  }

  /** The text's vector. */
  async embed(text: string): Promise<Float32Array> {
    return (await this.embedBatch([text]))[0]!;
  }

  embedBatch(texts: readonly string[]): Promise<Float32Array[]> {
    return this.call('embed', texts);
  }

  /** Cosine of the two texts' vectors. */
  async similarity(a: string, b: string): Promise<number> {
    const [x, y] = (await this.embedBatch([a, b])) as [Float32Array, Float32Array];
    const dot = (p: Float32Array, q: Float32Array) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
    return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
  }

  /** As of the last call that ended. */
  getMemoryInfo(): MemoryInfo {
    return { ...this.memory };
  }

  /** Forgets the text that was read and written. */
  clearKVCache(): void {
    this.call('clearCache', undefined).catch(() => {});
  }

  /** Frees everything; calls that wait are rejected as cancelled. */
  dispose(): void {
    this.end(new EdgeNetError('cancelled', 'the session was disposed of'));
  }

  private async call<Name extends keyof Calls>(
    call: Name,
    argument: Calls[Name][0],
    onPiece?: (piece: string) => void,
    signal?: AbortSignal,
  ): Promise<Calls[Name][1]> {
    if (this.gone !== undefined) throw this.gone;
    signal?.throwIfAborted();
    const id = ++this.lastId;
    const answered = new Promise<Calls[Name][1]>((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as Pending['resolve'], reject, onPiece });
    });
    this.port.post({ request: { id, call, argument } as Request });
    this.port.await(true);
    if (signal === undefined) return answered;
    const cancel = () => this.port.post({ cancel: id });
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const value = await answered;
      signal.throwIfAborted();
      return value;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  private hear(message: FromWorker): void {
    const pending = this.pending.get(message.id);
    if ('piece' in message) return pending?.onPiece?.(message.piece);
    this.pending.delete(message.id);
    this.port.await(this.pending.size > 0);
    if ('error' in message) {
      return pending?.reject(new EdgeNetError(message.error.code, message.error.message));
    }
    this.memory = message.memory;
    pending?.resolve(message.value);
  }

  private end(why: EdgeNetError): void {
    if (this.gone !== undefined) return;
    this.gone = why;
    this.port.terminate();
    for (const { reject } of this.pending.values()) reject(why);
    this.pending.clear();
  }
}

function requestOf(
  prompt: string,
  { signal: _signal, stopSequences, ...sampling }: GenerateConfig,
): GenerateRequest {
  return { prompt, ...sampling, ...(stopSequences === undefined ? {} : { stop: stopSequences }) };
}
