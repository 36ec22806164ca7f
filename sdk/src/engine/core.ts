// One module instance over its memory: the C ABI of wasm/exports.cc with types.
import { codes, EdgeNetError } from '../errors.js';
import type {
  ChatRequest,
  EmbedRequest,
  GenerateRequest,
  GenerateResult,
  MemoryInfo,
  ModelRequest,
  SessionRequest,
} from './requests.js';

export interface Exports {
  _initialize(): void;
  __stack_pointer: WebAssembly.Global;
  __tls_size: WebAssembly.Global;
  __wasm_init_tls(at: number): void;
  allocate(size: number): number;
  release(at: number): void;
  result_data(): number;
  result_size(): number;
  error_code(): number;
  isa(): number;
  start_pool(threads: number): void;
  work(worker: number): void;
  open_model(data: number, size: number): number;
  close_model(model: number): number;
  open_session(model: number, data: number, size: number): number;
  close_session(session: number): number;
  generate(session: number, data: number, size: number): number;
  chat(session: number, data: number, size: number): number;
  render_chat(model: number, data: number, size: number): number;
  step_begin(session: number, texts: number, count: number): number;
  step_finish(session: number): number;
  generation_text(text: number): number;
  generation_state(text: number): number;
  generation_result(text: number): number;
  cancel(text: number): number;
  close_generation(text: number): number;
  clear_cache(session: number): number;
  embed(session: number, data: number, size: number): number;
  vectors_data(): number;
  memory_info(session: number): number;
}

/** What a model is for: "decoder" writes text, "embedder" makes vectors. */
export type Kind = 'decoder' | 'embedder';
export type TextState = 'reading prompt' | 'more' | 'done';
const states = ['reading prompt', 'more', 'done'] as const; // of generation_state, from 1

/** The module's two imports: files by name, bytes at once. */
export interface FileHooks {
  size(name: string): number; // -1 if there is none
  read(name: string, offset: number, out: Uint8Array): void;
}

export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  index: number;
  stack: number; // its upper end
  tls: number;
}

const stackBytes = 256 * 1024;
const decoder = new TextDecoder();

export const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: 512, maximum: 65536, shared: true });

export class Core {
  private constructor(
    private readonly exports: Exports,
    private readonly module: WebAssembly.Module,
    readonly memory: WebAssembly.Memory,
  ) {}

  static async instantiate(
    module: WebAssembly.Module,
    files: FileHooks,
    memory = newMemory(),
  ): Promise<Core> {
    const text = (at: number, size: number) =>
      decoder.decode(new Uint8Array(memory.buffer, at, size).slice());
    const host = {
      file_size: (at: number, size: number) => files.size(text(at, size)),
      file_read: (at: number, size: number, offset: number, out: number, length: number) => {
        try {
          files.read(text(at, size), offset, new Uint8Array(memory.buffer, out, length));
          return 1;
        } catch {
          return 0; // the module says what it wanted
        }
      },
    };
    const instance = await WebAssembly.instantiate(module, { env: { memory }, host });
    const core = new Core(instance.exports as unknown as Exports, module, memory);
    core.exports._initialize();
    return core;
  }

  /** `start` lets a worker of its own enter each thread; before openModel(). */
  async startThreads(threads: number, start: (thread: ThreadStart) => Promise<void>): Promise<void> {
    this.exports.start_pool(threads);
    for (let index = 1; index < threads; ++index) {
      const stack = (this.exports.allocate(stackBytes) + stackBytes) & ~15;
      const tls = (this.exports.allocate((this.exports.__tls_size.value as number) + 64) + 63) & ~63;
      await start({ module: this.module, memory: this.memory, index, stack, tls });
    }
  }

  private bytes(at: number, size: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, size);
  }

  private result(): string {
    return decoder.decode(this.bytes(this.exports.result_data(), this.exports.result_size()).slice());
  }

  private check(value: number): number {
    if (value !== 0) return value;
    throw new EdgeNetError(codes[this.exports.error_code()] ?? 'internal', this.result());
  }

  private withBytes(bytes: Uint8Array, call: (at: number, size: number) => number): number {
    const at = this.exports.allocate(bytes.length);
    this.bytes(at, bytes.length).set(bytes);
    try {
      return this.check(call(at, bytes.length));
    } finally {
      this.exports.release(at);
    }
  }

  private withRequest(request: unknown, call: (at: number, size: number) => number): number {
    return this.withBytes(new TextEncoder().encode(JSON.stringify(request)), call);
  }

  isa(): string {
    this.check(this.exports.isa());
    return this.result();
  }

  /** The model that the file hooks give during the call. */
  openModel(request: ModelRequest = {}): { model: number; kind: Kind } {
    const model = this.withRequest(request, (at, size) => this.exports.open_model(at, size));
    return { model, kind: this.result() as Kind };
  }

  closeModel(model: number): void {
    this.check(this.exports.close_model(model));
  }

  openSession(model: number, request: SessionRequest = {}): number {
    return this.withRequest(request, (at, size) => this.exports.open_session(model, at, size));
  }

  closeSession(session: number): void {
    this.check(this.exports.close_session(session));
  }

  /** Takes one of the session's sequences until closeText(). */
  beginText(session: number, request: GenerateRequest): number {
    return this.withRequest(request, (at, size) => this.exports.generate(session, at, size));
  }

  /** The same for the answer to a chat. */
  beginAnswer(session: number, request: ChatRequest): number {
    return this.withRequest(request, (at, size) => this.exports.chat(session, at, size));
  }

  /** The text that the model would be given. */
  renderChat(model: number, request: ChatRequest): string {
    this.withRequest(request, (at, size) => this.exports.render_chat(model, at, size));
    return this.result();
  }

  /** One pass of the model over texts of one session. */
  step(session: number, texts: readonly number[]): void {
    const handles = new Uint8Array(Uint32Array.from(texts).buffer);
    this.withBytes(handles, (at) => this.exports.step_begin(session, at, texts.length));
    this.check(this.exports.step_finish(session));
  }

  /** What can be shown since the last call. */
  takeText(text: number): string {
    this.check(this.exports.generation_text(text));
    return this.result();
  }

  textState(text: number): TextState {
    return states[this.check(this.exports.generation_state(text)) - 1]!;
  }

  textResult(text: number): GenerateResult {
    this.check(this.exports.generation_result(text));
    return JSON.parse(this.result()) as GenerateResult;
  }

  cancelText(text: number): void {
    this.check(this.exports.cancel(text));
  }

  closeText(text: number): void {
    this.check(this.exports.close_generation(text));
  }

  embed(session: number, request: EmbedRequest): Float32Array[] {
    const { texts } = request;
    const width = this.withRequest(request, (at, size) => this.exports.embed(session, at, size));
    const all = new Float32Array(this.memory.buffer, this.exports.vectors_data(), texts.length * width);
    return texts.map((_, i) => all.slice(i * width, (i + 1) * width));
  }

  /** But for what texts that are being written need. */
  clearCache(session: number): void {
    this.check(this.exports.clear_cache(session));
  }

  memoryInfo(session: number): MemoryInfo {
    this.check(this.exports.memory_info(session));
    return JSON.parse(this.result()) as MemoryInfo;
  }
}

/** Body of a pool thread: its own instance over the shared memory, its own stack and TLS. Does not return. */
export async function runThread(
  { module, memory, index, stack, tls }: ThreadStart,
  ready: () => void,
): Promise<void> {
  const unused = () => {
    throw new Error('a pool thread does not touch files');
  };
  const instance = await WebAssembly.instantiate(module, {
    env: { memory },
    host: { file_size: unused, file_read: unused },
  });
  const exports = instance.exports as unknown as Exports;
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  ready();
  exports.work(index);
}
