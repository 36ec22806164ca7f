// What a session and its worker say to each other.
import type { FileHandle } from '../cache/cache.js';
import type { Code } from '../errors.js';
import type { MemoryInfo, ThreadStart } from './core.js';

export interface GenerateRequest {
  prompt: string;
  maxTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  seed?: number;
  stop?: string[];
}

export interface OpenRequest {
  module: ArrayBuffer;
  threads: number;
  contextLength: number;
  files: Map<string, FileHandle>;
}

export interface GenerateResult {
  text: string;
  tokens: number;
  promptTokens: number;
  finishReason: 'stop' | 'length' | 'context_full' | 'cancelled';
  prefillTokensPerSecond: number;
  decodeTokensPerSecond: number;
}

export interface OpenResult {
  kind: 'decoder' | 'embedder';
  isa: string;
}

/** The calls, each with what it takes and gives. */
export interface Calls {
  open: [OpenRequest, OpenResult];
  generate: [GenerateRequest, GenerateResult];
  embed: [readonly string[], Float32Array[]];
  clearCache: [undefined, undefined];
}

export type Request = {
  [Name in keyof Calls]: { id: number; call: Name; argument: Calls[Name][0] };
}[keyof Calls];

export type ToWorker = { thread: ThreadStart } | { request: Request } | { cancel: number };

export type FromWorker =
  | { id: number; piece: string }
  | { id: number; value: unknown; memory: MemoryInfo }
  | { id: number; error: { code: Code; message: string } };
