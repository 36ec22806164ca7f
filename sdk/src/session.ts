// A model that runs: in a worker of its own, so that the caller's thread never waits for it.
import type { Calls, GenerateResult, MemoryInfo, OpenedModel } from './engine/messages.js';
import type { ChatRequest, EmbedRequest, SessionRequest, WritingOptions } from './engine/requests.js';
import { EdgeNetError } from './errors.js';
import { ModelWorker, workerSettings, type CallOptions, type WorkerOptions } from './model-worker.js';
import { ModelStore, type FetchOptions, type StoreOptions } from './store.js';

export interface GenerateConfig extends Omit<WritingOptions, 'stop' | 'jsonSchema'> {
  /** The text ends before any of these. */
  stopSequences?: string[];
  /** The text is a JSON document that this JSON schema allows. */
  schema?: object;
  signal?: AbortSignal;
}

/** Beside a text's, what the model's chat template is given. */
export interface ChatConfig
  extends GenerateConfig, Pick<ChatRequest, 'tools' | 'documents' | 'variables' | 'localTime'> {}

/** What is said by whom: "system", "user", "assistant", "tool"; templates may know more. */
export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

/** What is said of the texts beside them. */
export type EmbedOptions = Omit<EmbedRequest, 'texts'>;

export type SessionOptions = WorkerOptions & SessionRequest;

/** Text as it is written: iterate for the pieces; `result` has the whole and the figures. */
export interface TextStream extends AsyncIterable<string> {
  readonly result: Promise<GenerateResult>;
}

export class InferenceSession {
  private gone: EdgeNetError | undefined;

  private constructor(
    private readonly worker: ModelWorker,
    private readonly handle: number,
    private readonly release: () => void,
    private memory: MemoryInfo,
    /** Texts that may be written at a time. */
    readonly sequences: number,
  ) {}

  /** Fetches (or finds in the cache), verifies and opens a model: an id, "id@version", or the URL of a signed folder. */
  static async create(
    model: string,
    options: StoreOptions & FetchOptions & SessionOptions = {},
  ): Promise<InferenceSession> {
    const files = await new ModelStore(options).files(model, options);
    options.signal?.throwIfAborted();
    const worker = await ModelWorker.open(files, workerSettings(options));
    try {
      return await InferenceSession.on(worker, options, () => worker.terminate());
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  /** A session of a model that is open; `release` is called when it ends. For ModelLoader; others call `create`. */
  static async on(
    worker: ModelWorker,
    options: SessionOptions,
    release: () => void,
  ): Promise<InferenceSession> {
    const { contextLength = 0, sequences = 1 } = options;
    const { value, memory } = await worker.openSession({ contextLength, sequences });
    return new InferenceSession(worker, value, release, memory!, sequences);
  }

  /** What the model is for: "decoder" writes text, "embedder" makes vectors. */
  get kind(): OpenedModel['kind'] {
    return this.worker.opened.kind;
  }

  /** The kernels' instruction set. */
  get isa(): string {
    return this.worker.opened.isa;
  }

  get threads(): number {
    return this.worker.threads;
  }

  /** The text that follows `prompt`. */
  async generate(prompt: string, config: GenerateConfig = {}): Promise<string> {
    return (await this.generateStream(prompt, config).result).text;
  }

  /** The same, piece by piece; a piece never splits a character. Leaving the loop early stops the model. */
  generateStream(prompt: string, config: GenerateConfig = {}): TextStream {
    return this.stream('generate', { prompt, ...samplingOf(config) }, config.signal);
  }

  /** The model's answer to the messages, which its chat template renders. */
  async chat(messages: readonly ChatMessage[], config: ChatConfig = {}): Promise<string> {
    return (await this.chatStream(messages, config).result).text;
  }

  /** The same, piece by piece. What the cache holds of the chat so far is not computed again. */
  chatStream(messages: readonly ChatMessage[], config: ChatConfig = {}): TextStream {
    const request = { localTime: localTime(), ...samplingOf(config), messages };
    return this.stream('chat', request, config.signal);
  }

  private stream<Name extends 'generate' | 'chat'>(
    call: Name,
    request: Calls[Name][0],
    callerSignal: AbortSignal | undefined,
  ): TextStream {
    const pieces: string[] = [];
    let wake = () => {};
    let ended = false;
    const stop = new AbortController();
    const signal = callerSignal === undefined ? stop.signal : AbortSignal.any([callerSignal, stop.signal]);
    const onPiece = (piece: string) => {
      pieces.push(piece);
      wake();
    };
    const onEnd = () => {
      ended = true;
      wake();
    };
    const result: Promise<GenerateResult> = this.call(call, request, { onPiece, signal });
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

  /** The texts that follow the prompts, written side by side; the session was opened with as many `sequences`. */
  async generateBatch(prompts: readonly string[], config: GenerateConfig = {}): Promise<GenerateResult[]> {
    if (prompts.length > this.sequences) {
      throw new EdgeNetError(
        'invalid_argument',
        `${prompts.length} prompts; the session was opened with sequences: ${this.sequences}`,
      );
    }
    const stop = new AbortController();
    const signal = config.signal === undefined ? stop.signal : AbortSignal.any([config.signal, stop.signal]);
    const write = (prompt: string) => this.call('generate', { prompt, ...samplingOf(config) }, { signal });
    try {
      return await Promise.all(prompts.map(write));
    } catch (error) {
      stop.abort(error); // one failed: the others are of no use
      throw error;
    }
  }

  /** The text's vector. */
  async embed(text: string, options: EmbedOptions = {}): Promise<Float32Array> {
    return (await this.embedBatch([text], options))[0]!;
  }

  embedBatch(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    return this.call('embed', { texts, ...options });
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

  /** Forgets the texts that were read and written, once the calls before it have ended. */
  clearKVCache(): void {
    this.call('clearCache', undefined).catch(() => {});
  }

  /** Frees its memory, and the model's with the last session; calls that wait are rejected as cancelled. */
  dispose(): void {
    if (this.gone !== undefined) return;
    this.gone = new EdgeNetError('cancelled', 'the session was disposed of');
    this.worker.closeSession(this.handle, this.gone);
    this.release();
  }

  private async call<Name extends keyof Calls>(
    call: Name,
    argument: Calls[Name][0],
    options?: CallOptions,
  ): Promise<Calls[Name][1]> {
    if (this.gone !== undefined) throw this.gone;
    const { value, memory } = await this.worker.call(this.handle, call, argument, options);
    this.memory = memory ?? this.memory;
    return value;
  }
}

/** A request's part of a configuration. */
function samplingOf<Config extends GenerateConfig>({
  signal: _signal,
  stopSequences,
  schema,
  ...rest
}: Config) {
  return {
    ...rest,
    ...(stopSequences === undefined ? {} : { stop: stopSequences }),
    ...(schema === undefined ? {} : { jsonSchema: schema }),
  };
}

/** Seconds since 1970 as if local time were UTC. */
function localTime(): number {
  const now = new Date();
  return Math.floor(now.getTime() / 1000) - now.getTimezoneOffset() * 60;
}
