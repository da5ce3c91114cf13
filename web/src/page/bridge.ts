import { fromWire, VitrineError } from '../shared/errors.js';
import type { Method, Methods, ToPage, ToWorker } from '../shared/messages.js';
import type { Progress } from '../shared/types.js';

/** How long a disposed worker may take to write its weights to the cache. */
const MAX_STORING_MS = 10_000;

interface Call {
  resolve(result: never): void;
  reject(reason: unknown): void;
  onProgress: ((progress: Progress) => void) | undefined;
}

export interface CallOptions {
  transfer?: Transferable[];
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** What the bridge needs of a Worker. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'addEventListener'>;

/** Calls into the worker as promises, each with its AbortSignal and progress. */
export class Bridge {
  /** Bytes of the WebAssembly heap after the last call. */
  heap = 0;
  readonly #worker: WorkerLike;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #storing = false;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #closed: VitrineError | undefined;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.addEventListener('message', (event) => this.#receive(event.data as ToPage));
    worker.addEventListener('error', (event) => {
      // Without a message the script itself could not be fetched or was refused.
      const { message } = event;
      this.close(
        message
          ? new VitrineError('internal', `the worker failed: ${message}; please report this`)
          : new VitrineError(
              'network',
              "the worker's script could not be started; is worker.js served beside index.js, as JavaScript, " +
                'with the same Cross-Origin-Embedder-Policy as the page, and does worker-src of its ' +
                'Content-Security-Policy allow it?',
            ),
      );
    });
  }

  call<M extends Method>(
    method: M,
    args: Methods[M]['args'],
    options: CallOptions = {},
  ): Promise<Methods[M]['result']> {
    const { transfer = [], signal, onProgress } = options;
    return new Promise((resolve, reject) => {
      if (this.#closed) throw this.#closed;
      signal?.throwIfAborted();
      const id = ++this.#lastId;
      this.#worker.postMessage({ id, method, args }, transfer);
      const onAbort = () => {
        this.#calls.delete(id);
        this.#worker.postMessage({ abort: id } satisfies ToWorker);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const settle =
        <T>(done: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', onAbort);
          done(value);
        };
      this.#calls.set(id, { resolve: settle(resolve), reject: settle(reject), onProgress });
    });
  }

  /**
   * Ends the worker and with it all of its memory; open and later calls fail with `reason`. A worker
   * that is writing its weights to the cache ends when it has.
   */
  close(reason: VitrineError): void {
    if (this.#closed) return;
    this.#closed = reason;
    if (!this.#storing) this.#worker.terminate();
    else this.#deadline = setTimeout(() => this.#worker.terminate(), MAX_STORING_MS);
    for (const call of this.#calls.values()) call.reject(reason);
    this.#calls.clear();
  }

  #receive(message: ToPage): void {
    if ('storing' in message) {
      this.#storing = message.storing;
      if (this.#closed && !this.#storing) {
        clearTimeout(this.#deadline);
        this.#worker.terminate();
      }
      return;
    }
    const call = this.#calls.get(message.id);
    if (!call) return; // aborted meanwhile
    if ('progress' in message) {
      call.onProgress?.(message.progress);
      return;
    }
    this.#calls.delete(message.id);
    if ('error' in message) {
      call.reject(fromWire(message.error));
    } else {
      this.heap = message.heap;
      call.resolve(message.result as never);
    }
  }
}
