// What the owner of a worker and the worker say to each other.
import type { FileHandle } from '../cache/cache.js';
import type { Code } from '../errors.js';
import type { Kind, ThreadStart } from './core.js';
import type * as requests from './requests.js';

export interface OpenModel extends requests.ModelRequest {
  module: ArrayBuffer;
  threads: number;
  files: Map<string, FileHandle>;
}

export interface OpenedModel {
  kind: Kind;
  isa: string;
}

export interface GenerateResult extends requests.GenerateResult {
  prefillTokensPerSecond: number; // of the tokens that the cache did not hold
  decodeTokensPerSecond: number;
}

export interface MemoryInfo extends requests.MemoryInfo {
  totalBytes: number; // all of the module's memory, whoever uses it
}

/** The calls, each with what it takes and gives. Those on a session name it. */
export interface Calls {
  openModel: [OpenModel, OpenedModel];
  openSession: [requests.SessionRequest, number];
  generate: [requests.GenerateRequest, GenerateResult];
  chat: [requests.ChatRequest, GenerateResult];
  embed: [requests.EmbedRequest, Float32Array[]];
  clearCache: [undefined, undefined];
}

export type Request = {
  [Name in keyof Calls]: { id: number; session: number; call: Name; argument: Calls[Name][0] };
}[keyof Calls];

export type ToWorker =
  | { thread: ThreadStart }
  | { request: Request }
  | { cancel: number } // the id of a request
  | { closeSession: number };

export type FromWorker =
  | { id: number; piece: string }
  | { id: number; value: unknown; memory?: MemoryInfo }
  | { id: number; error: { code: Code; message: string } };
