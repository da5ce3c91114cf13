// Turns a picture of any kind into a message for the worker. The caller's objects stay as they are:
// bytes and pixels are copied once, at the call, and the copy is handed over.
import { VitrineError } from '../shared/errors.js';
import type { InputMessage } from '../shared/messages.js';
import { absolute, describe } from './source.js';
import type { ModelInput } from './types.js';

export interface ResolvedInput {
  message: InputMessage;
  transfer: Transferable[];
}

/** A browser's type by name, so that objects of another window are known too. */
const typeName = (value: unknown) => Object.prototype.toString.call(value).slice(8, -1);

/**
 * Errors: invalid_image (empty, broken, not ready, unreadable for its origin) and
 * invalid_argument (not a picture). `baseUrl` is what relative URLs are relative to.
 */
export async function resolveInput(input: ModelInput, baseUrl: string | undefined): Promise<ResolvedInput> {
  const plain = (message: InputMessage): ResolvedInput => ({ message, transfer: [] });
  if (typeof input === 'string') return plain({ kind: 'url', url: absolute(input, baseUrl).href });
  switch (typeName(input)) {
    case 'URL':
      return plain({ kind: 'url', url: (input as URL).href });
    case 'Blob':
    case 'File': {
      const blob = input as Blob;
      // Workers have no SVG renderer.
      if (blob.type.startsWith('image/svg')) return drawable(await imageOf(blob));
      return plain({ kind: 'encoded', bytes: blob });
    }
    case 'ArrayBuffer':
    case 'Uint8Array': {
      const bytes = copyOf(input as ArrayBuffer | Uint8Array);
      return { message: { kind: 'encoded', bytes }, transfer: [bytes] };
    }
    case 'Float32Array': {
      const copy = copyOf(input as Float32Array);
      return { message: { kind: 'tensor', tensor: new Float32Array(copy) }, transfer: [copy] };
    }
    case 'ImageData': {
      const { width, height, data } = input as ImageData;
      if (typeName(data) !== 'Uint8ClampedArray') {
        throw new VitrineError('unsupported', `ImageData of ${describe(data)}, expected 8 bits a sample`);
      }
      const copy = copyOf(data);
      const pixels = { width, height, data: new Uint8ClampedArray(copy) };
      return { message: { kind: 'pixels', pixels }, transfer: [copy] };
    }
    case 'VideoFrame':
      return drawable((input as VideoFrame).clone());
    case 'ImageBitmap':
      requireSize(input as ImageBitmap, 'the ImageBitmap is closed');
      return drawable(await bitmapOf(input as ImageBitmap));
    case 'HTMLCanvasElement':
    case 'OffscreenCanvas':
      requireSize(input as HTMLCanvasElement, 'the canvas is empty');
      return drawable(await bitmapOf(input as HTMLCanvasElement));
    case 'HTMLVideoElement': {
      const video = input as HTMLVideoElement;
      if (video.readyState < video.HAVE_CURRENT_DATA) {
        throw new VitrineError(
          'invalid_image',
          "the video shows no frame yet; wait for its 'loadeddata' event",
        );
      }
      return drawable(await bitmapOf(video));
    }
    case 'HTMLImageElement':
    case 'SVGImageElement':
      return drawable(await bitmapOf(await loaded(input as HTMLImageElement)));
  }
  throw new VitrineError(
    'invalid_argument',
    `input: ${describe(input)}, expected a Blob, URL, ArrayBuffer, ImageData, ImageBitmap, VideoFrame, canvas, ` +
      '<img> or <video>',
  );
}

/** The bytes as they are now, in a buffer of their own that can be handed over. */
function copyOf(source: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  try {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    return new Uint8Array(bytes).buffer; // never shared memory, whatever the source is
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new VitrineError(
        'out_of_memory',
        `no memory to copy the ${describe(source)} (${String(cause)})`,
        {
          cause,
        },
      );
    }
    throw new VitrineError(
      'invalid_argument',
      `input: the ${describe(source)} is detached (${String(cause)}); classify it before it is transferred`,
      { cause },
    );
  }
}

function drawable(picture: ImageBitmap | VideoFrame): ResolvedInput {
  return { message: { kind: 'drawable', drawable: picture }, transfer: [picture] };
}

function requireSize({ width, height }: { width: number; height: number }, what: string): void {
  if (width === 0 || height === 0) {
    throw new VitrineError('invalid_image', `${what} (${width} × ${height} pixels)`);
  }
}

/** A copy of the pixels as they are: not premultiplied, not converted between colour spaces. */
async function bitmapOf(source: ImageBitmapSource): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
  } catch (cause) {
    throw new VitrineError(
      'invalid_image',
      `the browser could not read the ${describe(source)} (${String(cause)})`,
      {
        cause,
      },
    );
  }
}

async function loaded(image: HTMLImageElement): Promise<HTMLImageElement> {
  try {
    await image.decode?.();
  } catch (cause) {
    const source = image.currentSrc || image.src;
    throw new VitrineError(
      'invalid_image',
      `the <img> is broken or has no picture (src: '${source.slice(0, 200)}')`,
      {
        cause,
      },
    );
  }
  return image;
}

async function imageOf(svg: Blob): Promise<ImageBitmap> {
  const url = URL.createObjectURL(svg);
  try {
    const image = new Image();
    image.src = url;
    return await bitmapOf(await loaded(image));
  } finally {
    URL.revokeObjectURL(url);
  }
}
