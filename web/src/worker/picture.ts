// Pictures on their way to the core. What stb_image reads goes there as the file is, so that its
// pixels are the same everywhere; everything else through the browser's decoders.
import { VitrineError } from '../errors.js';
import type { InputMessage, Pixels } from '../messages.js';

export type Picture =
  | { kind: 'encoded'; bytes: Uint8Array }
  | { kind: 'pixels'; pixels: Pixels; decodeMs: number }
  | { kind: 'tensor'; tensor: Float32Array };

/** First bytes of JPEG, PNG, GIF, BMP, PSD, PGM, PPM. */
const CORE_FORMATS = ['\xff\xd8\xff', '\x89PNG', 'GIF8', 'BM', '8BPS', 'P5', 'P6'];

export async function readPicture(input: InputMessage, signal: AbortSignal): Promise<Picture> {
  switch (input.kind) {
    case 'url':
      return readEncoded(await fetchPicture(input.url, signal), input.url);
    case 'encoded':
      return readEncoded(input.bytes instanceof Blob ? input.bytes : new Blob([input.bytes]), 'the picture');
    case 'pixels':
      return { kind: 'pixels', pixels: input.pixels, decodeMs: 0 };
    case 'drawable':
      return timed(() => pixelsOf(input.drawable));
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

async function readEncoded(blob: Blob, what: string): Promise<Picture> {
  if (blob.size === 0) throw new VitrineError('invalid_image', `${what} is empty (0 bytes)`);
  const start = await bytesOf(blob.slice(0, 12), what);
  const text = String.fromCharCode(...start);
  if (CORE_FORMATS.some((magic) => text.startsWith(magic))) {
    return { kind: 'encoded', bytes: await bytesOf(blob, what) };
  }
  return timed(async () => pixelsOf(await decodeByBrowser(blob, what)));
}

async function bytesOf(blob: Blob, what: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
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

async function timed(decode: () => Pixels | Promise<Pixels>): Promise<Picture> {
  const start = performance.now();
  const pixels = await decode();
  return { kind: 'pixels', pixels, decodeMs: performance.now() - start };
}
