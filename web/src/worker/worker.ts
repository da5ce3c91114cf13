// The worker: answers the page's calls (page/bridge.ts) with one loaded model.
import { toWire, VitrineError } from '../shared/errors.js';
import type { LoadMessage, Method, Methods, RunMessage, ToPage, ToWorker } from '../shared/messages.js';
import type { Classification, CoreInfo, Progress } from '../shared/types.js';
import { ModelCache } from './cache.js';
import { Core } from './core.js';
import { readJsonFiles } from './json_files.js';
import { Lane } from './lane.js';
import { fetchInput, readPicture } from './picture.js';
import { openWeights } from './weights.js';

declare const self: DedicatedWorkerGlobalScope;

interface Context {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

const post = (message: ToPage) => self.postMessage(message);

interface Loaded {
  core: Core;
  /** The types of picture files that the core decodes. */
  formats: readonly string[];
}

let loaded: Loaded | undefined;
const lane = new Lane();

async function load(
  { source, simd, threads, cache: mode }: LoadMessage,
  { onProgress }: Context,
): Promise<CoreInfo> {
  const cache = mode === 'no-store' ? Promise.resolve(undefined) : ModelCache.open();
  // All at once: the core compiles while the files are on their way.
  const reading = cache.then((opened) => readJsonFiles(source, opened, mode));
  const rest = Promise.all([
    Core.start(simd, threads),
    cache.then((opened) => openWeights(source.weights, opened, mode)),
  ]);
  rest.catch(() => {}); // awaited below: when several fail, config.json's failure says most
  const files = await reading;
  const [started, weights] = await rest;
  await weights.pour(
    {
      restart: () => started.create(files),
      write: (bytes) => started.writeWeights(bytes),
      expected: () => started.weightsExpected(),
      finish: () => started.finishWeights(),
    },
    {
      onProgress,
      onStoring(stored) {
        post({ storing: true });
        void stored.then(() => post({ storing: false }));
      },
    },
  );
  loaded = { core: started, formats: started.imageFormats() };
  return started.info();
}

/** What the core has been given. */
interface Given {
  core: Core;
  /** Undefined where its current picture is meant. */
  tensor: Float32Array | undefined;
  /** Milliseconds from the file, bitmap or frame to pixels in the core, whoever decoded. */
  decodeMs: number;
}

/** Fetches the picture, waits for its turn, makes it the core's current one and calls `result`. */
async function run<T>(message: RunMessage, { signal }: Context, result: (given: Given) => T): Promise<T> {
  const fetched = await fetchInput(message.input, signal);
  try {
    return await lane.run(signal, async () => {
      if (!loaded) throw new VitrineError('invalid_argument', 'no model is loaded');
      const { core, formats } = loaded;
      const start = performance.now();
      const picture = await readPicture(fetched, formats);
      signal.throwIfAborted();
      if (picture.kind === 'encoded') core.setEncoded(picture.bytes);
      if (picture.kind === 'pixels') core.setPixels(picture.pixels);
      const tensor = picture.kind === 'tensor' ? picture.tensor : undefined;
      return result({ core, tensor, decodeMs: performance.now() - start });
    });
  } finally {
    // Also where its turn never came: an open frame holds a buffer of its camera.
    if (fetched.input.kind === 'drawable') fetched.input.drawable.close();
  }
}

async function classify(message: RunMessage, context: Context): Promise<Classification> {
  requirePicture(message);
  return run(message, context, ({ core, decodeMs }) => {
    const { labels, ms } = core.classify(message.topK, message.alpha);
    return { labels, timing: { decode: decodeMs, ...ms } };
  });
}

async function features(message: RunMessage, context: Context): Promise<Float32Array> {
  requirePicture(message);
  return run(message, context, ({ core }) => core.features(message.alpha));
}

function logits(message: RunMessage, context: Context): Promise<Float32Array> {
  return run(message, context, ({ core, tensor }) =>
    tensor ? core.logitsOfTensor(tensor) : core.logits(message.alpha),
  );
}

function requirePicture({ input }: RunMessage): void {
  if (input.kind !== 'tensor') return;
  throw new VitrineError(
    'invalid_argument',
    'input: a Float32Array, which only logits() takes; expected a picture',
  );
}

const METHODS: { [M in Method]: (args: never, context: Context) => Promise<Methods[M]['result']> } = {
  load,
  classify,
  features,
  logits,
};

const running = new Map<number, AbortController>();

self.addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('abort' in data) running.get(data.abort)?.abort();
  else void answer(data);
});

async function answer({ id, method, args }: Exclude<ToWorker, { abort: number }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const context = { signal: controller.signal, onProgress: (progress: Progress) => post({ id, progress }) };
    const result = await METHODS[method](args as never, context);
    post({ id, result, heap: loaded?.core.heap ?? 0 });
  } catch (error) {
    post({ id, error: toWire(error) });
  } finally {
    running.delete(id);
  }
}
