// Streams model.safetensors into the core: from the cache, the network, or a file at hand.
import { VitrineError } from '../shared/errors.js';
import type { WeightsMessage } from '../shared/messages.js';
import type { CacheMode, Progress } from '../shared/types.js';
import { type CachedFile, type CacheWriter, hasChanged, type ModelCache } from './cache.js';
import { requireFile } from './fetch.js';

const WHAT = 'model.safetensors';
/** How long a page whose server is silent waits before it takes its cached weights for good. */
const REVALIDATION_MS = 2000;
const PROGRESS_INTERVAL_MS = 30;

/** Where the bytes go: the core, as far as this file needs it. */
export interface WeightsSink {
  /** Before the first byte, and again when the bytes so far were for nothing. */
  restart(): void;
  write(bytes: Uint8Array): void;
  /** Bytes of the whole file, as the header in the bytes so far announces them; 0 until it is complete. */
  expected(): number;
  /** Throws when bytes are missing. */
  finish(): void;
}

export interface Events {
  onProgress: (progress: Progress) => void;
  /** A good copy is on its way to the cache, which `stored` awaits; the load does not. */
  onStoring: (stored: Promise<void>) => void;
}

/** Weights on their way: what is there already when the core is ready for them. */
export interface OpenWeights {
  pour(sink: WeightsSink, events: Events): Promise<void>;
}

export async function openWeights(
  message: WeightsMessage,
  cache: ModelCache | undefined,
  mode: CacheMode,
): Promise<OpenWeights> {
  switch (message.kind) {
    case 'url':
      return openUrl(message.url, cache, mode);
    case 'blob':
      return openStream(message.blob.stream());
    case 'stream':
      return openStream(message.stream);
  }
}

function openStream(stream: ReadableStream<Uint8Array>): OpenWeights {
  return {
    async pour(sink, events) {
      sink.restart();
      await pourStream(stream, sink, events, { cached: false });
      sink.finish();
    },
  };
}

async function openUrl(url: string, cache: ModelCache | undefined, mode: CacheMode): Promise<OpenWeights> {
  // Where they are kept here, the browser's HTTP cache need not keep them as well.
  const download = () => requireFile(url, WHAT, cache ? { cache: 'no-store' } : {});
  const kept = mode === 'default' ? await cache?.get(url) : undefined;
  if (!kept) {
    const response = await download();
    return { pour: (sink, events) => pourResponse(response, url, cache, sink, events) };
  }
  const validation = validate(url, kept);
  return {
    async pour(sink, events) {
      if ((await pourKept(kept, sink, events)) && (await validation)) return;
      await pourResponse(await download(), url, cache, sink, events);
    },
  };
}

/** Whether the cached file was whole and good. */
async function pourKept(kept: CachedFile, sink: WeightsSink, events: Events): Promise<boolean> {
  sink.restart();
  try {
    const bytes = await pourStream(kept.stream, sink, events, { cached: true });
    sink.finish();
    return bytes === kept.bytes;
  } catch {
    return false; // damaged, or of another model than config.json: the network will tell
  }
}

async function pourResponse(
  response: Response,
  url: string,
  cache: ModelCache | undefined,
  sink: WeightsSink,
  events: Events,
): Promise<void> {
  let store: CacheWriter | undefined;
  const startStore = (size: number) => (store = cache?.put(url, size, response.headers));
  try {
    sink.restart();
    await pourStream(response.body!, sink, events, { cached: false, url, startStore });
    sink.finish();
  } catch (error) {
    await store?.discard();
    throw error;
  }
  if (store) events.onStoring(store.commit());
}

interface PourOptions {
  cached: boolean;
  /** Of a download. */
  url?: string;
  /** Called when the size of the file is known: who else wants the bytes. */
  startStore?: (size: number) => CacheWriter | undefined;
}

/** Returns the number of bytes that the stream gave. */
async function pourStream(
  stream: ReadableStream<Uint8Array>,
  sink: WeightsSink,
  { onProgress }: Events,
  { cached, url, startStore }: PourOptions,
): Promise<number> {
  const reader = stream.getReader();
  let loaded = 0;
  let total = 0;
  let waiting: Uint8Array[] = [];
  let store: CacheWriter | undefined;
  let lastReport = 0;
  const report = () => {
    lastReport = performance.now();
    onProgress({ phase: 'weights', loaded, total, cached });
  };
  try {
    for (;;) {
      const { done, value: chunk } = await readChunk(reader, loaded, total, url);
      if (done) break;
      sink.write(chunk);
      loaded += chunk.length;
      if (total === 0) {
        waiting.push(chunk);
        total = sink.expected();
        if (total > 0) {
          store = startStore?.(total);
          for (const early of waiting) await store?.write(early);
          waiting = [];
        }
      } else {
        await store?.write(chunk);
      }
      if (performance.now() - lastReport >= PROGRESS_INTERVAL_MS) report();
    }
  } catch (error) {
    void reader.cancel(error).catch(() => {});
    throw error;
  }
  if (url !== undefined && loaded < total) throw brokenOff(url, loaded, total);
  report();
  return loaded;
}

async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  loaded: number,
  total: number,
  url: string | undefined,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (cause) {
    if (url !== undefined) throw brokenOff(url, loaded, total, cause);
    throw new VitrineError(
      'io',
      `${WHAT}: reading stopped after ${loaded} bytes (${String(cause)}); has the file changed? Choose it again`,
      { cause },
    );
  }
}

function brokenOff(url: string, loaded: number, total: number, cause?: unknown): VitrineError {
  const size = total > 0 ? ` of ${total}` : '';
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new VitrineError(
    'network',
    `${url}: the download broke off after ${loaded}${size} bytes${why}; load it again`,
    {
      cause,
    },
  );
}

/** False when the server has another file now; a server that cannot be asked changes nothing. */
async function validate(url: string, kept: CachedFile): Promise<boolean> {
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(REVALIDATION_MS) });
    return !(answer.ok && hasChanged(kept, answer.headers));
  } catch {
    return true;
  }
}
