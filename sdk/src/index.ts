export type { CachedModel } from './cache/cache.js';
export type { Progress } from './download.js';
export { hasRelaxedSimd, hasSimd } from './engine/features.js';
export type { GenerateResult, MemoryInfo } from './engine/messages.js';
export { EdgeNetError, type Code } from './errors.js';
export { ModelLoader, type LoaderOptions, type LoadOptions } from './loader.js';
export type { Artifact, Manifest } from './manifest.js';
export {
  InferenceSession,
  type ChatConfig,
  type ChatMessage,
  type EmbedOptions,
  type GenerateConfig,
  type SessionOptions,
  type TextStream,
} from './session.js';
export type { TrustedKey } from './signature.js';
export type { Compatibility, VerifiedManifest } from './store.js';
export type { ListedModel, ModelFilter } from './source.js';
