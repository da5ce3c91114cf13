// `npm run fuzz -- [--seconds 60] [TARGET...]`: looks for new inputs with libFuzzer and keeps what
// reaches new code in build/fuzz-corpus; crashes are left in build/fuzz-crashes.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildPreset } from './lib/cmake.mjs';
import { buildDir, root } from './lib/paths.mjs';
import { Failure, main, run } from './lib/run.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { seconds: { type: 'string', default: '60' } },
  });
  const all = fs
    .readdirSync(path.join(root, 'tests/fuzz'))
    .flatMap((name) => /^(fuzz_\w+)\.cc$/.exec(name)?.[1] ?? []);
  const targets = positionals.length > 0 ? positionals : all;
  const unknown = targets.find((name) => !all.includes(name));
  if (unknown) throw new Failure(`${unknown} is no fuzz target; they are ${all.join(', ')}`);

  await setup(['cpp', 'llvm']);
  await buildPreset('fuzz', targets);
  const crashes = path.join(buildDir, 'fuzz-crashes');
  fs.mkdirSync(crashes, { recursive: true });
  for (const target of targets) {
    const found = path.join(buildDir, 'fuzz-corpus', target);
    fs.mkdirSync(found, { recursive: true });
    const seeds = path.join(root, 'tests/fuzz/corpus', target);
    console.log(`\n━━ ${target}, ${values.seconds} s`);
    await run(
      path.join(buildDir, 'fuzz', target),
      [
        `-max_total_time=${values.seconds}`,
        `-artifact_prefix=${crashes}/${target}-`,
        '-print_final_stats=1',
        '-verbosity=1',
        found,
        seeds,
      ],
      { show: true },
    );
  }
});
