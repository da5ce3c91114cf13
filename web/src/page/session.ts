// One model and one picture that change under way: what a page shows while people choose. Knows no
// DOM; Classifier.load, or a stand-in, is handed in.
import type { Classification, Progress } from '../shared/types.js';
import type { ClassifyOptions, ModelSource, PictureInput } from './types.js';

/** What a session needs of a Classifier. */
export interface Model {
  classify(picture: PictureInput, options?: ClassifyOptions): Promise<Classification>;
  dispose(): void;
}

/** The signal is the session's. */
export type SessionOptions = Omit<ClassifyOptions, 'signal'>;

export type Load<M extends Model> = (
  source: ModelSource,
  options: { signal: AbortSignal; onProgress: (progress: Progress) => void },
) => Promise<M>;

export interface SessionStatus<M extends Model> {
  /** 'loading' wins while a model is on its way; 'error' is the last request's. */
  state: 'idle' | 'loading' | 'ready' | 'classifying' | 'error';
  /** The working model: also while another is loading, and after that has failed. */
  model: M | undefined;
  /** Of the load under way. */
  progress: Progress | undefined;
  /** Of the current picture by the current model. */
  result: Classification | undefined;
  /** Why the last load failed, until the next one begins. An abort is no failure. */
  loadError: unknown;
  /** Why the current picture could not be classified by the current model. */
  pictureError: unknown;
}

/**
 * Loads, replaces, classifies. The last request wins: what an earlier one comes to, late, is never
 * reported. `subscribe`d listeners get the whole status at every change.
 */
export class Session<M extends Model> {
  readonly #load: Load<M>;
  readonly #listeners = new Set<(status: SessionStatus<M>) => void>();
  #loading: AbortController | undefined;
  #classifying: AbortController | undefined;
  #picture: PictureInput | undefined;
  #options: SessionOptions = {};
  #facts: Omit<SessionStatus<M>, 'state'> = {
    model: undefined,
    progress: undefined,
    result: undefined,
    loadError: undefined,
    pictureError: undefined,
  };

  constructor(load: Load<M>) {
    this.#load = load;
  }

  get status(): SessionStatus<M> {
    return { ...this.#facts, state: this.#state() };
  }

  /** Returns what ends the subscription. */
  subscribe(listener: (status: SessionStatus<M>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Loads a model in place of the one there is, which serves until the new one is there; a load
   * under way is abandoned. The current picture is then classified by the new model. Never rejects:
   * the status says how it went.
   */
  async load(source: ModelSource): Promise<void> {
    this.#loading?.abort();
    const { signal } = (this.#loading = new AbortController());
    const isCurrent = () => this.#loading?.signal === signal;
    this.#change({ progress: undefined, loadError: undefined });
    const onProgress = (progress: Progress) => {
      if (isCurrent()) this.#change({ progress });
    };
    let model: M;
    try {
      signal.throwIfAborted(); // a listener may have asked for another load
      model = await this.#load(source, { signal, onProgress });
    } catch (error) {
      if (!isCurrent()) return;
      this.#loading = undefined;
      this.#change({ progress: undefined, loadError: error });
      return;
    }
    if (!isCurrent()) {
      model.dispose(); // it came after all, too late
      return;
    }
    this.#loading = undefined;
    this.#facts.model?.dispose();
    this.#facts = { ...this.#facts, model, progress: undefined };
    await this.#classify();
  }

  /** Makes this the current picture and classifies it, now or when the first model is there. Never rejects. */
  async classify(picture: PictureInput, options: SessionOptions = {}): Promise<void> {
    this.#picture = picture;
    this.#options = options;
    await this.#classify();
  }

  /** Gives up the load under way; the model there is stays. */
  abortLoad(): void {
    if (!this.#loading) return;
    this.#loading.abort();
    this.#loading = undefined;
    this.#change({ progress: undefined });
  }

  /** Gives up the current picture. */
  abortPicture(): void {
    this.#classifying?.abort();
    this.#classifying = this.#picture = undefined;
    this.#change({ result: undefined, pictureError: undefined });
  }

  /** Ends everything; no status comes after. */
  dispose(): void {
    this.#listeners.clear();
    this.abortLoad();
    this.abortPicture();
    this.#facts.model?.dispose();
    this.#facts.model = undefined;
  }

  async #classify(): Promise<void> {
    this.#classifying?.abort();
    this.#classifying = undefined;
    const { model } = this.#facts;
    if (!model || this.#picture === undefined) {
      this.#change({ result: undefined, pictureError: undefined });
      return;
    }
    const { signal } = (this.#classifying = new AbortController());
    const finish = (facts: Partial<Omit<SessionStatus<M>, 'state'>>) => {
      if (this.#classifying?.signal !== signal) return; // of an older picture or model
      this.#classifying = undefined;
      this.#change(facts);
    };
    const picture = this.#picture;
    this.#change({ result: undefined, pictureError: undefined });
    // A listener may have asked for something else meanwhile.
    if (signal.aborted) return;
    try {
      finish({ result: await model.classify(picture, { ...this.#options, signal }) });
    } catch (error) {
      finish({ pictureError: error });
    }
  }

  #change(facts: Partial<Omit<SessionStatus<M>, 'state'>>): void {
    this.#facts = { ...this.#facts, ...facts };
    for (const listener of [...this.#listeners]) listener(this.status);
  }

  #state(): SessionStatus<M>['state'] {
    const { model, loadError, pictureError } = this.#facts;
    if (this.#loading) return 'loading';
    if (this.#classifying) return 'classifying';
    if (loadError !== undefined || pictureError !== undefined) return 'error';
    return model ? 'ready' : 'idle';
  }
}
