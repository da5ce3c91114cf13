// The command's numbers on the shared ViT-Tiny: against PyTorch's, and natively against WebAssembly.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { jsonLines, programs, run, shared, skipShared } from './programs.mjs';

const model = path.join(shared, 'models/vit_tiny_patch16_224');
const golden = path.join(shared, 'golden/vit_tiny_patch16_224');

function classify(program, files) {
  const { status, stdout, stderr } = run(program, [
    'classify',
    '--model',
    model,
    '--json',
    '--logits',
    ...files,
  ]);
  assert.equal(status, 0, stderr);
  return jsonLines(stdout).map(({ logits }) => logits);
}

const argMax = (values) => values.indexOf(Math.max(...values));

/** The reference logits [60, 1000], in the order of the photos' names. */
function readReference() {
  const bytes = readFileSync(path.join(golden, 'logits.safetensors'));
  const headerSize = Number(bytes.readBigUInt64LE(0));
  const { shape, data_offsets: offsets } = JSON.parse(bytes.toString('utf8', 8, 8 + headerSize)).logits;
  const data = bytes.subarray(8 + headerSize + offsets[0], 8 + headerSize + offsets[1]);
  return Array.from({ length: shape[0] }, (_, row) =>
    Array.from({ length: shape[1] }, (_, column) => data.readFloatLE(4 * (row * shape[1] + column))),
  );
}

describe('the shared ViT-Tiny', { skip: skipShared }, () => {
  for (const program of programs) {
    test(`${program.name}: top-1 of the photos as PyTorch's`, { skip: program.skip }, () => {
      const folder = path.join(shared, 'photos');
      const photos = readdirSync(folder).sort();
      const reference = readReference();
      assert.equal(photos.length, reference.length);
      const logits = classify(
        program,
        photos.map((name) => path.join(folder, name)),
      );
      const differing = photos.filter((_, i) => argMax(logits[i]) !== argMax(reference[i]));
      // stb_image decodes JPEG a little differently from libjpeg.
      assert.ok(differing.length <= 2, `top-1 differs on ${differing.join(', ')}`);
    });
  }

  const missing = programs.find(({ skip }) => skip);
  test('native and WebAssembly agree within 1e-3', { skip: missing?.skip }, () => {
    const folder = path.join(golden, 'resize');
    const files = readdirSync(folder).filter((name) => name.endsWith('.source.png'));
    assert.ok(files.length > 0);
    const [native, wasm] = programs.map((program) =>
      classify(
        program,
        files.map((name) => path.join(folder, name)),
      ),
    );
    native.forEach((logits, i) => {
      const difference = Math.max(...logits.map((logit, c) => Math.abs(logit - wasm[i][c])));
      assert.ok(difference < 1e-3, `${files[i]}: ${difference}`);
    });
  });
});
