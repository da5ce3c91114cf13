// The model folders that the engines load, made once and kept in the user's cache: config.json and
// model.safetensors for Vitrine, model.onnx of the same values for onnxruntime-web, and an input.
import fs from 'node:fs';
import path from 'node:path';
import { cacheDir } from '../../scripts/lib/paths.mjs';
import { randomPixels, randomWeights, timmConfig } from './vit.mjs';
import { encodeVit } from './vit_onnx.mjs';

/** To be raised whenever what is written here changes. */
const GENERATION = 1;

export const benchCache = path.join(cacheDir, 'bench');
export const modelsDir = path.join(benchCache, `models-${GENERATION}`);

/** Makes the folder of a size where it is missing; returns its path. */
export function prepareModel(size) {
  const folder = path.join(modelsDir, size);
  if (fs.existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  fs.mkdirSync(unfinished, { recursive: true });
  const weights = randomWeights(size);
  fs.writeFileSync(path.join(unfinished, 'config.json'), JSON.stringify(timmConfig(size), null, 2) + '\n');
  writeChunks(path.join(unfinished, 'model.safetensors'), encodeSafetensors(weights));
  writeChunks(path.join(unfinished, 'model.onnx'), encodeVit(size, weights));
  writeChunks(path.join(unfinished, 'input.f32'), [bytesOf(randomPixels())]);
  fs.renameSync(unfinished, folder);
  return folder;
}

/** The length of the header in 8 bytes, the header, the tensors: https://github.com/huggingface/safetensors#format */
function encodeSafetensors(weights) {
  const header = {};
  let offset = 0;
  for (const { name, shape, data } of weights) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return [length, padded, ...weights.map(({ data }) => bytesOf(data))];
}

function bytesOf(array) {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function writeChunks(file, chunks) {
  const descriptor = fs.openSync(file, 'w');
  for (const chunk of chunks) fs.writeFileSync(descriptor, chunk);
  fs.closeSync(descriptor);
}
