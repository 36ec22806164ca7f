// Settings for several models. Sessions of one model share its worker and its weights.
import { ModelWorker, workerSettings } from './model-worker.js';
import { InferenceSession, type SessionOptions } from './session.js';
import { ModelStore, type FetchedModel, type FetchOptions, type StoreOptions } from './store.js';

export type LoaderOptions = StoreOptions & SessionOptions;
export type LoadOptions = FetchOptions & SessionOptions;

/** A worker, and how many sessions it has or is about to have. */
interface Shared {
  worker: Promise<ModelWorker>;
  users: number;
}

export class ModelLoader extends ModelStore {
  private readonly shared = new Map<string, Shared>();

  constructor(private readonly settings: LoaderOptions = {}) {
    super(settings);
  }

  /** A model that runs. `model` is an id, "id@version", or the URL of a folder with manifest.json and manifest.sig. */
  async load(model: string, options: LoadOptions = {}): Promise<InferenceSession> {
    const fetched = await this.fetchModel(model, options);
    options.signal?.throwIfAborted();
    const asked = { ...this.settings, ...options };
    const { worker, release } = this.share(fetched, asked);
    try {
      return await InferenceSession.on(await worker, asked, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The worker that has these very files open, or a new one. */
  private share({ manifest, files }: FetchedModel, options: SessionOptions) {
    const settings = workerSettings(options);
    const key = JSON.stringify([
      settings,
      manifest.artifacts.map(({ filename, sha256 }) => [filename, sha256]),
    ]);
    const shared = this.shared.get(key) ?? { worker: ModelWorker.open(files, settings), users: 0 };
    this.shared.set(key, shared);
    shared.users += 1;
    const forget = () => {
      if (this.shared.get(key) === shared) this.shared.delete(key);
    };
    shared.worker.then(({ ended }) => ended.then(forget), forget);
    const release = () => {
      if (--shared.users > 0) return;
      forget();
      shared.worker.then(
        (worker) => worker.terminate(),
        () => {},
      );
    };
    return { worker: shared.worker, release };
  }
}
