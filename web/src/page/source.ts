// Turns what the caller calls a model into messages that say where each of its files is.
import { VitrineError } from '../shared/errors.js';
import type { JsonMessage, SourceMessage, WeightsMessage } from '../shared/messages.js';
import type { JsonSource, LabelsSource, ModelParts, ModelSource, WeightsSource } from './types.js';

export const CONFIG = 'config.json';
export const PREPROCESSOR = 'preprocessor_config.json';
export const LABELS = 'labels.json';
export const WEIGHTS = 'model.safetensors';

export interface ResolvedSource {
  message: SourceMessage;
  transfer: Transferable[];
}

/** `baseUrl` is what relative URLs are relative to. */
export function resolveSource(
  source: ModelSource,
  labels: LabelsSource | undefined,
  baseUrl: string | undefined,
): ResolvedSource {
  const resolved = resolveModel(source, baseUrl);
  if (labels !== undefined) resolved.message.labels = jsonMessage(labels, baseUrl);
  return resolved;
}

function resolveModel(source: ModelSource, baseUrl: string | undefined): ResolvedSource {
  if (typeof source === 'string' || source instanceof URL) return fromFolderUrl(absolute(source, baseUrl));
  if (typeof source === 'object' && source !== null) {
    if (Symbol.iterator in source) return fromFiles([...source]);
    if ('config' in source && 'weights' in source) return fromParts(source, baseUrl);
  }
  throw new VitrineError(
    'invalid_argument',
    `model source: ${describe(source)}, expected the URL of a model folder, its files, or { config, weights }`,
  );
}

function fromFolderUrl(folder: URL): ResolvedSource {
  const inFolder = (name: string) => {
    const url = new URL(folder);
    url.pathname = url.pathname.replace(/\/?$/, `/${name}`);
    return url.href;
  };
  const json = (name: string, optional: boolean): JsonMessage => ({
    kind: 'url',
    url: inFolder(name),
    optional,
  });
  return {
    message: {
      config: json(CONFIG, false),
      preprocessor: json(PREPROCESSOR, true),
      labels: json(LABELS, true),
      weights: { kind: 'url', url: inFolder(WEIGHTS) },
    },
    transfer: [],
  };
}

function fromFiles(files: File[]): ResolvedSource {
  const paths = files.map((file) => file.webkitRelativePath || file.name);
  const depth = (path: string) => path.split('/').length;
  const base = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  const configs = paths.filter((path) => base(path) === CONFIG).sort((a, b) => depth(a) - depth(b));
  const [config, next] = configs;
  if (config === undefined) throw missingFile(CONFIG, paths);
  if (next !== undefined && depth(next) === depth(config)) {
    throw new VitrineError(
      'invalid_argument',
      `several models (${config}, ${next}, …): choose the folder of one`,
    );
  }
  const folder = config.slice(0, -CONFIG.length);
  const file = (name: string) => files[paths.indexOf(folder + name)];
  const optional = (name: string): JsonMessage | undefined => {
    const blob = file(name);
    return blob && { kind: 'blob', blob };
  };
  const siblings = paths.filter((path) => path.startsWith(folder) && depth(path) === depth(config)).map(base);
  const checkpoints = siblings.filter((name) => name.endsWith('.safetensors'));
  const weights = file(WEIGHTS) ?? (checkpoints.length === 1 ? file(checkpoints[0]!) : undefined);
  if (!weights) throw missingWeights(siblings, checkpoints);
  return {
    message: {
      config: { kind: 'blob', blob: file(CONFIG)! },
      preprocessor: optional(PREPROCESSOR),
      labels: optional(LABELS),
      weights: { kind: 'blob', blob: weights },
    },
    transfer: [],
  };
}

function missingFile(name: string, found: string[]): VitrineError {
  const list =
    found.length === 0 ? 'no files' : found.slice(0, 5).join(', ') + (found.length > 5 ? ', …' : '');
  return new VitrineError(
    'invalid_argument',
    `no ${name} among the files (found ${list}); expected a model folder with ${CONFIG} and ${WEIGHTS}`,
  );
}

function missingWeights(siblings: string[], checkpoints: string[]): VitrineError {
  if (checkpoints.length > 1 || siblings.includes(`${WEIGHTS}.index.json`)) {
    return new VitrineError(
      'unsupported',
      `the weights are split over several files (${checkpoints.join(', ')}); join them into one ${WEIGHTS} ` +
        'with safetensors.torch.save_file',
    );
  }
  const torch = siblings.find((name) => /\.(bin|pth?|ckpt|h5|onnx|tflite|msgpack)$/.test(name));
  if (torch) {
    return new VitrineError(
      'unsupported',
      `the weights are in ${torch}, expected ${WEIGHTS}; save them with safetensors.torch.save_file`,
    );
  }
  return missingFile(WEIGHTS, siblings);
}

function fromParts(parts: ModelParts, baseUrl: string | undefined): ResolvedSource {
  const optional = (source: JsonSource | LabelsSource | undefined) =>
    source === undefined ? undefined : jsonMessage(source, baseUrl);
  const { weights, transfer } = weightsMessage(parts.weights, baseUrl);
  return {
    message: {
      config: jsonMessage(parts.config, baseUrl),
      preprocessor: optional(parts.preprocessor),
      labels: optional(parts.labels),
      weights,
    },
    transfer,
  };
}

function jsonMessage(source: JsonSource | LabelsSource, baseUrl: string | undefined): JsonMessage {
  if (source instanceof URL) return { kind: 'url', url: source.href, optional: false };
  if (source instanceof Blob) return { kind: 'blob', blob: source };
  if (typeof source !== 'string') return { kind: 'text', text: JSON.stringify(source) };
  if (/^\s*[[{]/.test(source)) return { kind: 'text', text: source };
  return { kind: 'url', url: absolute(source, baseUrl).href, optional: false };
}

function weightsMessage(
  source: WeightsSource,
  baseUrl: string | undefined,
): { weights: WeightsMessage; transfer: Transferable[] } {
  const plain = (weights: WeightsMessage) => ({ weights, transfer: [] });
  if (typeof source === 'string' || source instanceof URL) {
    return plain({ kind: 'url', url: absolute(source, baseUrl).href });
  }
  if (source instanceof Blob) return plain({ kind: 'blob', blob: source });
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
    // Through a Blob: its bytes are handed over once and streamed, the caller's stay as they are.
    return plain({ kind: 'blob', blob: new Blob([source as BlobPart]) });
  }
  const stream = source instanceof Response ? bodyOf(source) : source;
  if (!(stream instanceof ReadableStream)) {
    throw new VitrineError(
      'invalid_argument',
      `weights: ${describe(source)}, expected a URL, Blob, ArrayBuffer, ReadableStream or Response`,
    );
  }
  if (stream.locked) {
    throw new VitrineError('invalid_argument', 'weights: the stream is being read already; pass a fresh one');
  }
  return { weights: { kind: 'stream', stream }, transfer: [stream] };
}

function bodyOf(response: Response): ReadableStream<Uint8Array> {
  if (!response.ok) {
    throw new VitrineError(
      'network',
      `weights: HTTP ${response.status} for ${response.url}, expected the file`,
    );
  }
  if (!response.body) throw new VitrineError('invalid_argument', 'weights: the response has no body');
  return response.body;
}

/** The URL that `text` means in the page. */
export function absolute(text: string | URL, baseUrl: string | undefined): URL {
  try {
    return new URL(text, baseUrl);
  } catch {
    throw new VitrineError('invalid_argument', `'${text}' is not a URL`);
  }
}

export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
}
