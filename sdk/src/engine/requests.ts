// Made by tools/request_types.mjs from schemas/requests.json.
export interface ModelRequest {
  /** Bytes of weights, caches and working memory in all; 0 for as much as there is. */
  memoryLimit?: number;
  /** A chat template in place of the model's own. */
  chatTemplate?: string;
  /** The .onnx or .gguf file of the folder; found by name where it is not said. */
  modelFile?: string;
  /** How low-bit products are computed: 4 with 8-bit activations, 0 with floats, -1 as the file says. -1 unless said. */
  accuracyLevel?: number;
}

export interface SessionRequest {
  /** Positions to make room for, a text; 0 for the model's own limit, at most 4096. */
  contextLength?: number;
  /** Texts that may be written at a time. 1 unless said. */
  sequences?: number;
}

export interface WritingOptions {
  /** Tokens to write at most. 128 unless said. */
  maxTokens?: number;
  /** 0 always takes the likeliest token. 0 unless said. */
  temperature?: number;
  /** Choose among the k likeliest; 0 for all. 0 unless said. */
  topK?: number;
  /** Choose among the likeliest that reach p together. 1 unless said. */
  topP?: number;
  /** Leave out tokens this much less likely than the likeliest. 0 unless said. */
  minP?: number;
  /** Above 1 avoids repetition. 1 unless said. */
  repetitionPenalty?: number;
  /** The same seed writes the same text. 0 unless said. */
  seed?: number;
  /** The text ends before the first of these. */
  stop?: readonly string[];
  /** Tells each token's log-probability, and so many of the likeliest ones at its place. */
  logprobs?: number;
  /** The text is a JSON document that this schema allows. */
  jsonSchema?: object;
  /** The text fits this grammar, in GBNF. */
  grammar?: string;
}

export interface GenerateRequest extends WritingOptions {
  /** How the text begins. */
  prompt: string;
}

export interface ChatRequest extends WritingOptions {
  /** The chat so far, each message with a role and a content. */
  messages: readonly object[];
  /** JSON schemas of functions that the model may call. */
  tools?: readonly object[];
  /** Texts that the answer may draw from. */
  documents?: readonly object[];
  /** What else the model's template asks for. */
  variables?: object;
  /** Begin the answer, so that the model goes on with it. true unless said. */
  addGenerationPrompt?: boolean;
  /** Seconds since 1970 as if local time were UTC, for templates that tell the date. */
  localTime?: number;
}

export interface EmbedRequest {
  /** One vector for each. */
  texts: readonly string[];
  /** The kind of the texts, whose prefix is put before them: "query", "passage" or another that the model names; the model's usual one unless said. */
  prompt?: string;
  /** Numbers of a vector that are kept, of models that were trained for it; 0 for all. 0 unless said. */
  dimensions?: number;
}

export interface GenerateResult {
  /** What follows the prompt. */
  text: string;
  /** Tokens that were written. */
  tokens: number;
  /** Tokens of the prompt. */
  promptTokens: number;
  /** Those of the prompt that the cache held before, and that were not computed again. */
  cachedTokens: number;
  /** Why the text ends. */
  finishReason: 'stop' | 'length' | 'context_full' | 'cancelled';
  /** Of each token, if the request asks for them. */
  logprobs: readonly TokenLogprob[];
}

export interface LikelyToken {
  /** In the vocabulary. */
  id: number;
  /** Parts of characters as U+FFFD. */
  text: string;
  /** Of the text, as UTF-8. */
  bytes: readonly number[];
  /** Natural logarithm of its probability, before temperature, penalty and grammar. */
  logprob: number;
}

export interface TokenLogprob {
  /** In the vocabulary. */
  id: number;
  /** Parts of characters as U+FFFD. */
  text: string;
  /** Of the text, as UTF-8. */
  bytes: readonly number[];
  /** Natural logarithm of its probability, before temperature, penalty and grammar. */
  logprob: number;
  /** The likeliest at its place, likeliest first. */
  top: readonly LikelyToken[];
}

export interface MemoryInfo {
  /** Of the weights, which sessions of a model share. */
  modelBytes: number;
  /** Of the session's key-value cache. */
  kvCacheBytes: number;
  /** Of the session's working memory. */
  arenaBytes: number;
}
