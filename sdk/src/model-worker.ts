// A worker with a model in it, as its owner sees it: what sessions of the model share.
import { platform } from '#platform';

import type { FileHandle } from './cache/cache.js';
import { hasRelaxedSimd, hasSimd } from './engine/features.js';
import type { Calls, FromWorker, MemoryInfo, OpenedModel, Request, ToWorker } from './engine/messages.js';
import { EdgeNetError } from './errors.js';
import type { Port } from './platform/platform.js';

const maxThreads = 8;

export interface WorkerOptions {
  /** Threads of the model; as many as there are processors, at most 8, unless said. One where memory cannot be shared. */
  threads?: number;
  /** Bytes of weights, caches and working memory in all; as much as there is unless said. */
  memoryLimit?: number;
  /** A chat template (Jinja) in place of the model's own. */
  chatTemplate?: string;
  /** How low-bit products are computed: 4 with 8-bit activations, 0 with floats; as the model's file says unless said. */
  accuracyLevel?: number;
}

/** The options with what is not said filled in. */
export function workerSettings({
  threads,
  memoryLimit = 0,
  chatTemplate = '',
  accuracyLevel = -1,
}: WorkerOptions): Required<WorkerOptions> {
  const wanted = threads ?? Math.min(maxThreads, platform.processors());
  const possible = platform.canShareMemory() ? Math.max(1, wanted) : 1;
  return { threads: possible, memoryLimit, chatTemplate, accuracyLevel };
}

interface Answer<Name extends keyof Calls> {
  value: Calls[Name][1];
  memory: MemoryInfo | undefined; // of the session, after the call
}

interface Pending {
  session: number;
  resolve: (answer: { value: unknown; memory: MemoryInfo | undefined }) => void;
  reject: (error: unknown) => void;
  onPiece: ((piece: string) => void) | undefined;
}

export interface CallOptions {
  onPiece?: (piece: string) => void;
  signal?: AbortSignal;
}

const noSession = 0;

/** Of a model in parts, the part that the others are found by; '' if there is none. */
const firstGguf = (files: Map<string, FileHandle>): string =>
  [...files.keys()].filter((name) => name.endsWith('.gguf')).sort()[0] ?? '';

export class ModelWorker {
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private gone: EdgeNetError | undefined;
  private markEnded = () => {};
  /** Settles when the worker is no more. */
  readonly ended = new Promise<void>((resolve) => {
    this.markEnded = resolve;
  });
  opened: OpenedModel = { kind: 'decoder', isa: '' };

  private constructor(
    private readonly port: Port,
    readonly threads: number,
  ) {
    port.listen(
      (message) => this.hear(message as FromWorker),
      (error) => this.end(new EdgeNetError('internal', `the model's worker died: ${error.message}`)),
    );
  }

  /** Opens files that were verified. */
  static async open(
    files: Map<string, FileHandle>,
    { threads, ...settings }: Required<WorkerOptions>,
  ): Promise<ModelWorker> {
    if (!hasSimd()) {
      throw new EdgeNetError(
        'unsupported',
        'this engine has no WebAssembly SIMD; any browser since 2023 does',
      );
    }
    const kind = [...files.keys()].some((name) => name.endsWith('.onnx')) ? 'core' : 'full';
    const module = await platform.readModule(kind, hasRelaxedSimd() ? 'relaxed' : 'simd128');
    const worker = new ModelWorker(platform.startWorker(), threads);
    try {
      const modelFile = kind === 'full' ? firstGguf(files) : '';
      const request = { module, threads, ...settings, modelFile, files };
      worker.opened = (await worker.call(noSession, 'openModel', request)).value;
      return worker;
    } catch (error) {
      worker.terminate();
      throw error;
    }
  }

  openSession(request: Calls['openSession'][0]): Promise<Answer<'openSession'>> {
    return this.call(noSession, 'openSession', request);
  }

  /** Calls on it that wait are rejected with `why`. */
  closeSession(session: number, why: EdgeNetError): void {
    if (this.gone !== undefined) return;
    this.rejectAll(why, session);
    this.post({ closeSession: session });
  }

  async call<Name extends keyof Calls>(
    session: number,
    call: Name,
    argument: Calls[Name][0],
    { onPiece, signal }: CallOptions = {},
  ): Promise<Answer<Name>> {
    if (this.gone !== undefined) throw this.gone;
    signal?.throwIfAborted();
    const id = ++this.lastId;
    const answered = new Promise<Answer<Name>>((resolve, reject) => {
      this.pending.set(id, { session, resolve: resolve as Pending['resolve'], reject, onPiece });
    });
    this.post({ request: { id, session, call, argument } as Request });
    this.port.await(true);
    const cancel = () => this.post({ cancel: id });
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await answered;
    } finally {
      signal?.removeEventListener('abort', cancel);
      signal?.throwIfAborted(); // whatever the worker made of it
    }
  }

  /** Frees everything; calls that wait are rejected as cancelled. */
  terminate(): void {
    this.end(new EdgeNetError('cancelled', 'the model was closed'));
  }

  private post(message: ToWorker): void {
    this.port.post(message);
  }

  private hear(message: FromWorker): void {
    const pending = this.pending.get(message.id);
    if ('piece' in message) return pending?.onPiece?.(message.piece);
    this.pending.delete(message.id);
    this.port.await(this.pending.size > 0);
    if ('error' in message) {
      return pending?.reject(new EdgeNetError(message.error.code, message.error.message));
    }
    pending?.resolve({ value: message.value, memory: message.memory });
  }

  private rejectAll(why: EdgeNetError, session?: number): void {
    for (const [id, pending] of this.pending) {
      if (session !== undefined && pending.session !== session) continue;
      pending.reject(why);
      this.pending.delete(id);
    }
    this.port.await(this.pending.size > 0);
  }

  private end(why: EdgeNetError): void {
    if (this.gone !== undefined) return;
    this.gone = why;
    this.port.terminate();
    this.rejectAll(why);
    this.markEnded();
  }
}
