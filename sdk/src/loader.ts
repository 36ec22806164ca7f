// Settings for several models.
import { InferenceSession, type SessionOptions } from './session.js';
import { ModelStore, type FetchOptions, type StoreOptions } from './store.js';

export type LoaderOptions = StoreOptions & SessionOptions;
export type LoadOptions = FetchOptions & SessionOptions;

export class ModelLoader extends ModelStore {
  constructor(private readonly settings: LoaderOptions = {}) {
    super(settings);
  }

  /** A model that runs. `model` is an id, "id@version", or the URL of a folder with manifest.json and manifest.sig. */
  async load(model: string, options: LoadOptions = {}): Promise<InferenceSession> {
    const files = await this.files(model, options);
    options.signal?.throwIfAborted();
    return InferenceSession.open(files, { ...this.settings, ...options });
  }
}
