// One module instance over its memory: the C ABI of wasm/exports.cc with types.
import { codes, EdgeNetError } from '../errors.js';

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
  open(context: number): number;
  generate(data: number, size: number): number;
  generate_step(): number;
  generate_cancel(): void;
  prompt_tokens(): number;
  tokens(): number;
  reading_prompt(): number;
  finish(): number;
  clear_cache(): void;
  embed(data: number, size: number): number;
  vectors_data(): number;
  weight_bytes(): number;
  cache_bytes(): number;
}

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

  static async instantiate(module: WebAssembly.Module, files: FileHooks): Promise<Core> {
    const memory = newMemory();
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

  /** `start` lets a worker of its own enter each thread; before open(). */
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

  private withRequest(request: unknown, call: (at: number, size: number) => number): number {
    const utf8 = new TextEncoder().encode(JSON.stringify(request));
    const at = this.exports.allocate(utf8.length);
    this.bytes(at, utf8.length).set(utf8);
    try {
      return this.check(call(at, utf8.length));
    } finally {
      this.exports.release(at);
    }
  }

  /** "decoder" or "embedder". */
  open(contextLength: number): string {
    this.check(this.exports.open(contextLength));
    return this.result();
  }

  isa(): string {
    this.check(this.exports.isa());
    return this.result();
  }

  beginText(request: unknown): void {
    this.withRequest(request, (at, size) => this.exports.generate(at, size));
  }

  /** One pass of the model: the text that can be shown now, and whether that was the last. */
  step(): { text: string; readPrompt: boolean; done: boolean } {
    const readPrompt = this.exports.reading_prompt() !== 0;
    const more = this.check(this.exports.generate_step());
    return { text: this.result(), readPrompt, done: more === 2 };
  }

  cancel(): void {
    this.exports.generate_cancel();
  }

  endText(): { tokens: number; promptTokens: number; finishReason: string } {
    this.check(this.exports.finish());
    return {
      tokens: this.exports.tokens(),
      promptTokens: this.exports.prompt_tokens(),
      finishReason: this.result(),
    };
  }

  embed(texts: readonly string[]): Float32Array[] {
    const width = this.withRequest(texts, (at, size) => this.exports.embed(at, size));
    const all = new Float32Array(this.memory.buffer, this.exports.vectors_data(), texts.length * width);
    return texts.map((_, i) => all.slice(i * width, (i + 1) * width));
  }

  clearCache(): void {
    this.exports.clear_cache();
  }

  memoryInfo(): MemoryInfo {
    return {
      modelBytes: this.exports.weight_bytes(),
      kvCacheBytes: this.exports.cache_bytes(),
      totalBytes: this.memory.buffer.byteLength,
    };
  }
}

export interface MemoryInfo {
  modelBytes: number;
  kvCacheBytes: number;
  totalBytes: number; // all of the module's memory
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
