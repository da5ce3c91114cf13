// The `vitrine` command, natively and as WebAssembly in Node, on a small network of tests/golden.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { root } from '../../scripts/lib/paths.mjs';
import { makeBmp, makePng } from './pictures.mjs';
import { jsonLines, programs, run } from './programs.mjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'vitrine-cli-'));
after(() => rmSync(folder, { recursive: true }));
const inFolder = (name) => path.join(folder, name);
const write = (name, bytes) => {
  writeFileSync(inFolder(name), bytes);
  return inFolder(name);
};

const model = path.join(root, 'tests/golden/plain'); // 10 classes, img_size [32, 48]
const config = readFileSync(path.join(model, 'config.json'), 'utf8');
const weights = readFileSync(path.join(model, 'model.safetensors'));

/** A model folder of the given files. */
function makeModel(name, files) {
  mkdirSync(inFolder(name));
  for (const [file, content] of Object.entries(files)) write(path.join(name, file), content);
  return inFolder(name);
}

const red = write('a "red" é.bmp', makeBmp(60, 50, [220, 30, 40]));
const blue = write('blue.bmp', makeBmp(50, 60, [10, 60, 250]));
const white = write('white.bmp', makeBmp(48, 32, [255, 255, 255]));
const black = write('black.bmp', makeBmp(48, 32, [0, 0, 0]));
const clear = write('clear.png', makePng(48, 32, [0, 0, 0, 0]));
const text = write('text.txt', 'no picture');
const empty = write('empty.jpg', '');

function classify(program, args, options) {
  return run(program, ['classify', '--model', model, '--threads', '1', ...args], options);
}

/** Logits of one picture. */
function logits(program, args) {
  const { status, stdout } = classify(program, ['--json', '--logits', ...args]);
  assert.equal(status, 0);
  return jsonLines(stdout)[0].logits;
}

function largestDifference(a, b) {
  assert.equal(a.length, b.length);
  return Math.max(...a.map((value, i) => Math.abs(value - b[i])));
}

/** Fails with `message` on standard error, the usage status and nothing on standard output. */
function assertRefused({ status, stdout, stderr }, message) {
  assert.match(stderr, message);
  assert.match(stderr, /^vitrine: .+\n$/);
  assert.equal(stdout, '');
  assert.equal(status, 2);
}

for (const program of programs) {
  describe(`vitrine, ${program.name}`, { skip: program.skip }, () => {
    test('explains itself', () => {
      const help = run(program, ['--help']);
      assert.equal(help.status, 0);
      for (const command of ['classify', 'info', 'bench']) {
        assert.match(help.stdout, new RegExp(`^  ${command} `, 'm'));
        const own = run(program, ['help', command]);
        assert.equal(own.status, 0);
        assert.match(own.stdout, new RegExp(`^Usage: vitrine ${command} `));
        assert.match(own.stdout, /--json/);
        assert.equal(run(program, [command, '--help']).stdout, own.stdout);
      }
      const { version } = JSON.parse(readFileSync(path.join(root, 'web/package.json'), 'utf8'));
      assert.ok(run(program, ['--version']).stdout.startsWith(`vitrine ${version} (`));
    });

    test('refuses wrong arguments by name', () => {
      assertRefused(run(program, ['clasify']), /unknown command "clasify", did you mean "classify"\?/);
      assertRefused(run(program, ['help', 'xyzzyxyzzy']), /unknown command "xyzzyxyzzy" See/);
      assertRefused(classify(program, ['--topk', '3', red]), /unknown flag "--topk".+ "--top-k"\?/);
      assertRefused(classify(program, ['--top-k']), /--top-k needs a value/);
      assertRefused(classify(program, ['--top-k', '0', red]), /--top-k: "0", expected .+ from 1/);
      assertRefused(classify(program, ['--top-k=5x', red]), /--top-k: "5x"/);
      assertRefused(classify(program, ['--threads', '-1', red]), /--threads: "-1"/);
      assertRefused(classify(program, ['--json=1', red]), /--json takes no value/);
      assertRefused(classify(program, ['--alpha', 'red', red]), /--alpha: "red", expected white or drop/);
      assertRefused(classify(program, ['--logits', red]), /--logits needs --json/);
      assertRefused(classify(program, []), /no IMAGE given/);
      assert.equal(run(program, []).status, 2);
    });

    test('classify --json prints a line per picture', () => {
      const { status, stdout } = classify(program, ['--json', '--top-k', '10', '--logits', red, blue]);
      assert.equal(status, 0);
      const lines = jsonLines(stdout);
      assert.deepEqual(
        lines.map((line) => line.file),
        [red, blue],
      );
      for (const { labels, ms, logits } of lines) {
        assert.equal(labels.length, 10);
        assert.equal(logits.length, 10);
        const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
        labels.forEach(({ index, label, score }, i) => {
          assert.equal(typeof label, 'string');
          assert.ok(Math.abs(score - Math.exp(logits[index]) / sum) < 2e-6);
          if (i > 0) assert.ok(score <= labels[i - 1].score);
        });
        assert.deepEqual(Object.keys(ms), ['decode', 'preprocess', 'inference']);
        for (const value of Object.values(ms)) assert.ok(value >= 0);
      }
      assert.notDeepEqual(lines[0].logits, lines[1].logits);
    });

    test('classify shows five labels unless told otherwise', () => {
      const { stdout } = classify(program, ['--json', red]);
      const [line] = jsonLines(stdout);
      assert.equal(line.labels.length, 5);
      assert.equal(line.logits, undefined);
    });

    test('classify names a bad picture, goes on, and says so by its status', () => {
      const missing = inFolder('missing.jpg');
      const { status, stdout } = classify(program, ['--json', missing, red, folder, text, empty, blue]);
      assert.equal(status, 1);
      const lines = jsonLines(stdout);
      assert.deepEqual(
        lines.map((line) => line.error?.status ?? 'ok'),
        ['io', 'ok', 'io', 'invalid_image', 'invalid_image', 'ok'],
      );
      assert.match(lines[0].error.message, /missing\.jpg: .*No such file/i);
      assert.match(lines[2].error.message, /is a folder/);
      assert.deepEqual(lines[3].file, text);
    });

    test('classify prints a table for people', () => {
      const { status, stdout, stderr } = classify(program, ['--top-k', '3', red, text]);
      assert.equal(status, 1);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(lines.length, 4);
      assert.ok(lines[0].startsWith(`${red}  (decode `));
      for (const line of lines.slice(1)) assert.match(line, /^ {2}class \d +\d+\.\d %( {2}[█-▏]+)?$/);
      assert.ok(stderr.startsWith(`vitrine: ${text}: `));
    });

    test('classify reads standard input', () => {
      const { status, stdout } = classify(program, ['--json', '--logits', '-'], { input: readFileSync(red) });
      assert.equal(status, 0);
      const [line] = jsonLines(stdout);
      assert.equal(line.file, '-');
      assert.deepEqual(line.logits, logits(program, [red]));
    });

    test('classify takes operands that look like flags after --', () => {
      const { status, stdout } = classify(program, ['--json', '--', '--json']);
      assert.equal(status, 1);
      assert.equal(jsonLines(stdout)[0].file, '--json');
    });

    test('classify shows transparency on white, or drops it', () => {
      assert.deepEqual(logits(program, [clear]), logits(program, [white]));
      assert.deepEqual(logits(program, ['--alpha', 'white', clear]), logits(program, [white]));
      assert.deepEqual(logits(program, ['--alpha=drop', clear]), logits(program, [black]));
    });

    test('classify gives the same with one thread and two', () => {
      const one = logits(program, [red]);
      const two = logits(program, ['--threads', '2', red]);
      assert.ok(largestDifference(one, two) < 1e-5);
    });

    test('the bundled model is the one VITRINE_MODEL names', () => {
      const bundled = run(program, ['classify', '--json', '--logits', '--threads', '1', red], {
        env: { VITRINE_MODEL: model },
      });
      assert.equal(bundled.status, 0);
      assert.deepEqual(jsonLines(bundled.stdout)[0].logits, logits(program, [red]));
      const nowhere = inFolder('nowhere');
      assertRefused(
        run(program, ['classify', red], { env: { VITRINE_MODEL: nowhere } }),
        /nowhere: does not exist/,
      );
    });

    test('models that cannot be loaded are refused in words', () => {
      const refused = (name, files, message) =>
        assertRefused(
          run(program, ['classify', '--model', makeModel(`${program.name} ${name}`, files), red]),
          message,
        );
      refused('empty', {}, /empty: no config\.json, expected a timm or Hugging Face model folder/);
      refused('unweighted', { 'config.json': config }, /unweighted: no model\.safetensors\n/);
      refused(
        'pickled',
        { 'config.json': config, 'pytorch_model.bin': '' },
        /pickle.+convert it to safetensors/,
      );
      refused(
        'sharded',
        { 'config.json': config, 'model.safetensors.index.json': '{}' },
        /split into shards/,
      );
      refused('nonsense', { 'config.json': '{' }, /nonsense: .*config\.json/);
      refused(
        'truncated',
        { 'config.json': config, 'model.safetensors': weights.subarray(0, weights.length - 4) },
        /truncated\/model\.safetensors: /,
      );
      refused(
        'too long',
        { 'config.json': config, 'model.safetensors': Buffer.concat([weights, Buffer.alloc(1)]) },
        /too long\/model\.safetensors: /,
      );
      assertRefused(run(program, ['classify', '--model', red, red]), /is a file, expected a model folder/);
      const headless = path.join(root, 'tests/golden/no_head');
      assertRefused(run(program, ['classify', '--model', headless, red]), /num_classes 0/);
    });

    test('labels come from the folder', () => {
      const labelled = makeModel(`${program.name} labelled`, {
        'config.json': config,
        'labels.json': JSON.stringify([...'abcdefghij'].map((letter) => `thing ${letter}`)),
      });
      cpSync(path.join(model, 'model.safetensors'), path.join(labelled, 'model.safetensors'));
      const { stdout } = run(program, ['classify', '--model', labelled, '--json', red]);
      for (const { index, label } of jsonLines(stdout)[0].labels) {
        assert.equal(label, `thing ${'abcdefghij'[index]}`);
      }
    });

    test('info describes a folder, with or without its weights', () => {
      const { status, stdout } = run(program, ['info', model]);
      assert.equal(status, 0);
      assert.match(stdout, /^ {2}img_size +32 x 48, 3 channels$/m);
      assert.match(stdout, /^ {2}file .* tensors, F16$/m);
      assert.match(stdout, /^ {2}blocks\.0\.attn\.qkv +linear +\[25, 32\] -> \[25, 96\] +3,168 +\d+\.\d$/m);
      assert.match(stdout, /\(blocks\.1 to blocks\.1 are like blocks\.0\)/);
      assert.match(stdout, /^ {2}total/m);

      const info = JSON.parse(run(program, ['info', '--json', model]).stdout);
      assert.equal(info.num_classes, 10);
      assert.equal(info.file.bytes, weights.length);
      assert.equal(info.plan.steps.at(-1).name, 'head');
      assert.equal(info.memory.weights, 4 * info.parameters);

      const bare = makeModel(`${program.name} bare`, { 'config.json': config });
      assert.match(run(program, ['info', bare]).stdout, /no model\.safetensors in this folder/);
      assert.equal(JSON.parse(run(program, ['info', '--json', bare]).stdout).file, null);
    });

    test('info refuses a file that is no safetensors', () => {
      const broken = makeModel(`${program.name} broken`, {
        'config.json': config,
        'model.safetensors': 'PK',
      });
      assertRefused(run(program, ['info', broken]), /broken\/model\.safetensors: /);
    });

    test('bench measures weights and random ones', () => {
      const { status, stdout } = run(program, ['bench', model, '--runs', '2', '--threads', '1', '--profile']);
      assert.equal(status, 0);
      assert.match(stdout, /1 thread, \w+, 2 runs/);
      assert.match(stdout, /^ {2}median .+ GFLOPS$/m);
      assert.match(stdout, /^ {2}blocks\.\*\.mlp\.fc1 /m);

      const bare = makeModel(`${program.name} random`, { 'config.json': config });
      assertRefused(run(program, ['bench', bare]), /no model\.safetensors/);
      const args = ['bench', bare, '--random', '--runs', '3', '--threads', '2', '--profile', '--json'];
      const bench = JSON.parse(run(program, args).stdout);
      assert.equal(bench.threads, 2);
      assert.equal(bench.runs, 3);
      assert.ok(bench.ms.minimum <= bench.ms.median);
      assert.ok(bench.gflops > 0);
      assert.equal(bench.steps.at(-1).name, 'head');
      assert.equal(
        'steps' in
          JSON.parse(
            run(
              program,
              args.filter((arg) => arg !== '--profile'),
            ).stdout,
          ),
        false,
      );
    });
  });
}
