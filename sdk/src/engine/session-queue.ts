// The calls on one session in their order: texts side by side as long as there are sequences, anything else by itself.
import { EdgeNetError } from '../errors.js';
import type { Core } from './core.js';
import type { GenerateResult } from './messages.js';

/** A text that shall be written, or is. */
export interface TextCall {
  id: number;
  /** Starts it and gives its handle. */
  start: () => number;
  onPiece: (piece: string) => void;
  resolve: (result: GenerateResult) => void;
  reject: (error: unknown) => void;
}

interface RunningText extends TextCall {
  handle: number;
  begin: number;
  read: number; // when the prompt had been, in ms
}

type Waiting = { text: TextCall } | { alone: () => void };

export class SessionQueue {
  private waiting: Waiting[] = [];
  private running: RunningText[] = [];

  constructor(
    private readonly core: Core,
    private readonly session: number,
    private readonly sequences: number,
  ) {}

  add(text: TextCall): void {
    this.waiting.push({ text });
  }

  /** Calls `alone` when what was added before has ended. */
  addAlone(alone: () => void): void {
    this.waiting.push({ alone });
  }

  /** The text of that id ends as soon as may be; false if there is none. */
  cancel(id: number): boolean {
    const running = this.running.find((text) => text.id === id);
    if (running !== undefined) {
      this.core.cancelText(running.handle);
      this.settle();
      return true;
    }
    const at = this.waiting.findIndex((one) => 'text' in one && one.text.id === id);
    if (at < 0) return false;
    const [one] = this.waiting.splice(at, 1) as [{ text: TextCall }];
    one.text.reject(new EdgeNetError('cancelled', 'the text was cancelled before it began'));
    return true;
  }

  close(): void {
    this.waiting = [];
    this.running = [];
    this.core.closeSession(this.session);
  }

  /** Starts what may start and runs one pass; false if nothing is left to do. */
  step(): boolean {
    this.start();
    if (this.running.length === 0) return false;
    try {
      this.core.step(
        this.session,
        this.running.map(({ handle }) => handle),
      );
      this.settle();
    } catch (error) {
      this.fail(error);
    }
    return true;
  }

  private start(): void {
    for (let next; (next = this.waiting[0]) !== undefined;) {
      if (this.running.length >= ('text' in next ? this.sequences : 1)) return;
      this.waiting.shift();
      if ('text' in next) this.begin(next.text);
      else next.alone();
    }
  }

  private begin(text: TextCall): void {
    try {
      const begin = performance.now();
      const handle = text.start();
      this.running.push({ ...text, handle, begin, read: begin });
    } catch (error) {
      text.reject(error);
    }
  }

  /** Gives out what the last pass brought, and ends the texts that are done. */
  private settle(): void {
    const now = performance.now();
    this.running = this.running.filter((text) => {
      const state = this.core.textState(text.handle);
      if (text.read === text.begin && state !== 'reading prompt') text.read = now;
      const piece = this.core.takeText(text.handle);
      if (piece !== '') text.onPiece(piece);
      if (state === 'done') this.end(text, now);
      return state !== 'done';
    });
  }

  private end({ handle, begin, read, resolve }: RunningText, now: number): void {
    const result = this.core.textResult(handle);
    this.core.closeText(handle);
    const seconds = (ms: number) => Math.max(1e-6, ms / 1e3);
    resolve({
      ...result,
      prefillTokensPerSecond: (result.promptTokens - result.cachedTokens) / seconds(read - begin),
      decodeTokensPerSecond: Math.max(0, result.tokens - 1) / seconds(now - read), // the first token is the prompt's
    });
  }

  private fail(error: unknown): void {
    const failed = this.running;
    this.running = [];
    for (const { reject } of failed) reject(error);
    try {
      for (const { handle } of failed) this.core.closeText(handle);
    } catch {
      // A module that trapped may refuse; the callers know already.
    }
  }
}
