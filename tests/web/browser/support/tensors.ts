// Reading golden.safetensors and comparing numbers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export interface Tensor {
  shape: number[];
  values: Float32Array;
}

export function readTensor(file: string, name: string): Tensor {
  const bytes = readFileSync(file);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { shape: number[]; dtype: string; data_offsets: [number, number] }
  >;
  const entry = header[name];
  assert.ok(entry, `${file} has ${name}`);
  assert.equal(entry.dtype, 'F32');
  const [begin, end] = entry.data_offsets.map((offset) => 8 + headerBytes + offset) as [number, number];
  const copy = Uint8Array.prototype.slice.call(bytes, begin, end);
  return { shape: entry.shape, values: new Float32Array(copy.buffer) };
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  let largest = 0;
  for (let i = 0; i < a.length; ++i) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference; // NaN counts
  }
  return largest;
}

/** Floats as a page can be given them. */
export const base64 = (values: Float32Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
