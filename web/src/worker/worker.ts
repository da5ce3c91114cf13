// The worker: answers the page's calls (see bridge.ts) with one loaded model.
import { toWire, VitrineError } from '../errors.js';
import type {
  Classification,
  CoreInfo,
  LoadMessage,
  Method,
  Methods,
  Progress,
  RunMessage,
  ToPage,
  ToWorker,
} from '../messages.js';
import { ModelCache } from './cache.js';
import { Core } from './core.js';
import { Lane } from './lane.js';
import { type Picture, readPicture } from './picture.js';
import { readTexts } from './texts.js';
import { openWeights } from './weights.js';

declare const self: DedicatedWorkerGlobalScope;

interface Context {
  signal: AbortSignal;
  onProgress: (progress: Progress) => void;
}

const post = (message: ToPage) => self.postMessage(message);

let core: Core | undefined;
const lane = new Lane();

async function load(
  { source, simd, threads, cache: mode }: LoadMessage,
  { onProgress }: Context,
): Promise<CoreInfo> {
  const cache = mode === 'no-store' ? Promise.resolve(undefined) : ModelCache.open();
  // All at once: the core compiles while the files are on their way.
  const reading = cache.then((opened) => readTexts(source, opened, mode));
  const rest = Promise.all([
    Core.start(simd, threads),
    cache.then((opened) => openWeights(source.weights, opened, mode)),
  ]);
  rest.catch(() => {}); // awaited below: when several fail, config.json's failure says most
  const texts = await reading;
  const [started, weights] = await rest;
  await weights.pour(
    {
      restart: () => started.create(texts),
      write: (bytes) => started.writeWeights(bytes),
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
  core = started;
  return core.info();
}

/** Reads the picture, waits for its turn, makes it the core's current one and calls `result`. */
async function run<T>(
  { input }: RunMessage,
  { signal }: Context,
  result: (core: Core, picture: Picture) => T,
): Promise<T> {
  const picture = await readPicture(input, signal);
  return lane.run(signal, () => {
    if (!core) throw new VitrineError('invalid_argument', 'no model is loaded');
    if (picture.kind === 'encoded') core.setEncoded(picture.bytes);
    if (picture.kind === 'pixels') core.setPixels(picture.pixels);
    return result(core, picture);
  });
}

function classify(message: RunMessage, context: Context): Promise<Classification> {
  return run(message, context, (core, picture) => {
    requirePicture(picture);
    const { labels, timing } = core.classify(message.topK, message.dropAlpha);
    const decode = picture.kind === 'pixels' ? picture.decodeMs : timing.decode;
    return { labels, timing: { ...timing, decode } };
  });
}

function features(message: RunMessage, context: Context): Promise<Float32Array> {
  return run(message, context, (core, picture) => {
    requirePicture(picture);
    return core.features(message.dropAlpha);
  });
}

function logits(message: RunMessage, context: Context): Promise<Float32Array> {
  return run(message, context, (core, picture) =>
    picture.kind === 'tensor' ? core.logitsOfTensor(picture.tensor) : core.logits(message.dropAlpha),
  );
}

function requirePicture(picture: Picture): void {
  if (picture.kind !== 'tensor') return;
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
    post({ id, result, heap: core?.heap ?? 0 });
  } catch (error) {
    post({ id, error: toWire(error) });
  } finally {
    running.delete(id);
  }
}
