// Weights and small files kept between visits in the Cache API, where the page has one (it needs a
// secure context). An entry carries its own record of completeness: BYTES, the size that the file's
// header announces. It is stored only when the core has taken the whole file, and used only when as
// many bytes come back; anything else is fetched anew and replaced.
import { CACHE_NAME } from '../shared/messages.js';

const PREFIX = 'x-vitrine-';
export const BYTES = `${PREFIX}bytes`;
/** What of the server's answer is kept, under PREFIX, to notice a changed file; the surest first. */
const VALIDATORS = ['etag', 'last-modified', 'content-length'];
/** Bytes that may wait for the disk before reading from the network pauses. */
const MAX_WAITING_BYTES = 32 << 20;

export interface CachedFile {
  stream: ReadableStream<Uint8Array>;
  /** The file's size; 0 for an entry without a record, which is no file's size. */
  bytes: number;
  /** Of the entry: BYTES and what was kept of the server's answer. */
  headers: Headers;
}

/** Takes a file's bytes as they stream by. Failures to store are nobody's problem: it stops. */
export interface CacheWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** All bytes were written and are good. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

export class ModelCache {
  readonly #cache: Cache;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** undefined where there is no Cache API, or no permission to use it. */
  static async open(
    caches = (globalThis as { caches?: CacheStorage }).caches,
  ): Promise<ModelCache | undefined> {
    try {
      return caches && new ModelCache(await caches.open(CACHE_NAME));
    } catch {
      return undefined;
    }
  }

  /** What is stored for a URL. Whoever reads it must count its bytes. */
  async get(url: string): Promise<CachedFile | undefined> {
    const response = await this.#cache.match(url).catch(() => undefined);
    if (!response?.body) return undefined;
    const { body: stream, headers } = response;
    return { stream, headers, bytes: Number(headers.get(BYTES)) };
  }

  async getText(url: string): Promise<string | undefined> {
    const response = await this.#cache.match(url).catch(() => undefined);
    return response?.text();
  }

  async putText(url: string, text: string): Promise<void> {
    await this.#cache.put(url, new Response(text)).catch(() => {});
  }

  /** Starts an entry of `bytes` bytes. */
  put(url: string, bytes: number, served: Headers): CacheWriter {
    const headers = new Headers({ [BYTES]: String(bytes) });
    for (const name of VALIDATORS) {
      const value = served.get(name);
      if (value !== null) headers.set(PREFIX + name, value);
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
      {},
      new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING_BYTES }),
    );
    const writer = writable.getWriter();
    // The cache stores an entry when its stream has ended; one that ends in an error is not stored.
    const stored = this.#cache.put(url, new Response(readable, { headers })).then(
      () => true,
      () => false,
    );
    const failed = stored.then(() => {});
    writer.closed.catch(() => {});
    return {
      async write(chunk) {
        // Whichever comes first: room for more, or the news that the store has failed.
        await Promise.race([writer.ready, failed]).catch(() => {});
        writer.write(chunk).catch(() => {});
      },
      async commit() {
        await writer.close().catch(() => {});
        await stored;
      },
      async discard() {
        await writer.abort(new Error('incomplete')).catch(() => {});
        await stored;
      },
    };
  }
}

/** Whether the server's answer now is for another file than the answer that was stored. */
export function hasChanged(stored: CachedFile, now: Headers): boolean {
  for (const name of VALIDATORS) {
    const before = stored.headers.get(PREFIX + name);
    const after = now.get(name);
    // Compression on the way turns a strong ETag into a weak one.
    if (before !== null && after !== null) return before.replace(/^W\//, '') !== after.replace(/^W\//, '');
  }
  return false;
}
