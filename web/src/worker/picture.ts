// Pictures on their way to the core. What the core decodes goes there as the file is, so that its
// pixels are the same everywhere; everything else through the browser's decoders.
import { VitrineError } from '../shared/errors.js';
import type { InputMessage, LocalInput, Pixels } from '../shared/messages.js';

/** A picture as the core takes it, or a normalised tensor. */
export type Picture =
  | { kind: 'encoded'; bytes: Uint8Array }
  | { kind: 'pixels'; pixels: Pixels }
  | { kind: 'tensor'; tensor: Float32Array };

/** An input whose bytes are at hand, and what errors call it. */
export interface Fetched {
  input: LocalInput;
  name: string;
}

/** How files begin. Which of these formats the core decodes, the core says. */
export const SIGNATURES: Readonly<Record<string, string>> = {
  'image/jpeg': '\xff\xd8\xff',
  'image/png': '\x89PNG',
  'image/gif': 'GIF8',
  'image/bmp': 'BM',
};
const MAX_SIGNATURE_BYTES = 12;

export async function fetchInput(input: InputMessage, signal: AbortSignal): Promise<Fetched> {
  if (input.kind !== 'url') return { input, name: 'the picture' };
  const bytes = await fetchPicture(input.url, signal);
  return { input: { kind: 'encoded', bytes }, name: input.url };
}

/** Decodes what is not one of `coreFormats`, the types that the core decodes. */
export async function readPicture(
  { input, name }: Fetched,
  coreFormats: readonly string[],
): Promise<Picture> {
  switch (input.kind) {
    case 'encoded':
      return readEncoded(input.bytes, name, coreFormats);
    case 'drawable':
      return { kind: 'pixels', pixels: pixelsOf(input.drawable) };
    case 'pixels':
    case 'tensor':
      return input;
  }
}

async function fetchPicture(url: string, signal: AbortSignal): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new VitrineError(
      'network',
      `${url}: no answer (${String(cause)}); is the address right, and does its server allow this page (CORS)?`,
      { cause },
    );
  }
  if (!response.ok) throw new VitrineError('network', `${url}: HTTP ${response.status}, expected a picture`);
  const blob = await response.blob();
  if (blob.type.startsWith('text/html')) {
    throw new VitrineError('invalid_image', `${url}: an HTML page, expected a picture`);
  }
  return blob;
}

async function readEncoded(
  file: Blob | ArrayBuffer,
  name: string,
  coreFormats: readonly string[],
): Promise<Picture> {
  const size = file instanceof Blob ? file.size : file.byteLength;
  if (size === 0) throw new VitrineError('invalid_image', `${name} is empty (0 bytes)`);
  const start = await bytesOf(file.slice(0, MAX_SIGNATURE_BYTES), name);
  if (coreFormats.some((format) => begins(start, SIGNATURES[format]))) {
    return { kind: 'encoded', bytes: await bytesOf(file, name) };
  }
  const blob = file instanceof Blob ? file : new Blob([file]);
  return { kind: 'pixels', pixels: pixelsOf(await decodeByBrowser(blob, name)) };
}

function begins(start: Uint8Array, signature: string | undefined): boolean {
  return signature !== undefined && String.fromCharCode(...start).startsWith(signature);
}

async function bytesOf(file: Blob | ArrayBuffer, what: string): Promise<Uint8Array> {
  if (!(file instanceof Blob)) return new Uint8Array(file);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new VitrineError('io', `${what}: the file could not be read (${String(cause)}); choose it again`, {
      cause,
    });
  }
}

async function decodeByBrowser(blob: Blob, what: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(blob, {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    });
  } catch (cause) {
    throw new VitrineError(
      'invalid_image',
      `${what}: ${blob.size} bytes${blob.type && ` of ${blob.type}`} that neither Vitrine nor this browser can decode; ` +
        'is it a whole picture file? JPEG, PNG and WebP work everywhere',
      { cause },
    );
  }
}

/** Straight RGBA; the bitmap or frame is closed. */
function pixelsOf(drawable: ImageBitmap | VideoFrame): Pixels {
  const width = 'displayWidth' in drawable ? drawable.displayWidth : drawable.width;
  const height = 'displayHeight' in drawable ? drawable.displayHeight : drawable.height;
  try {
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no 2D canvas');
    context.drawImage(drawable, 0, 0);
    return { width, height, data: context.getImageData(0, 0, width, height).data };
  } catch (cause) {
    throw new VitrineError(
      'invalid_image',
      `the browser could not hand out the ${width} × ${height} pixels of the picture (${String(cause)})`,
      { cause },
    );
  } finally {
    drawable.close();
  }
}
