// The pre-commit hook: formats the staged files as `npm run format` would. What is staged counts: a file that
// has further, unstaged changes keeps them, and the commit gets the formatted staged version.
import fs from 'node:fs';
import path from 'node:path';
import { isCpp } from './lib/format.mjs';
import { root } from './lib/paths.mjs';
import { Failure, main, run } from './lib/run.mjs';
import { presentClangFormat } from './setup/toolchain.mjs';

/** A function (file, text) -> formatted text, or null when files of this kind are not formatted. */
async function formatters() {
  const clangFormat = await presentClangFormat();
  const prettier = await import('prettier').catch(() => null);
  return async (file, text) => {
    if (isCpp(file)) {
      if (!clangFormat) return null;
      return run(clangFormat, [`--assume-filename=${file}`], { input: text });
    }
    if (!prettier) return null;
    const filepath = path.join(root, file);
    const ignorePath = path.join(root, '.prettierignore');
    const { ignored, inferredParser } = await prettier.getFileInfo(filepath, { ignorePath });
    if (ignored || !inferredParser) return null;
    const options = await prettier.resolveConfig(filepath);
    return prettier.format(text, { ...options, filepath });
  };
}

await main(async () => {
  const staged = await run('git', ['diff', '--cached', '--raw', '--no-renames', '--diff-filter=AM', '-z']);
  // :old-mode new-mode old-object new-object status NUL path NUL
  const files = [...staged.matchAll(/:\d+ (100\d{3}) \w+ \w+ \w\0([^\0]+)\0/g)];
  if (files.length === 0) return;
  const format = await formatters();
  for (const [, mode, file] of files) {
    const text = await run('git', ['show', `:${file}`]);
    const formatted = await format(file, text).catch((error) => {
      throw new Failure(`${file} cannot be formatted (git commit --no-verify skips this)\n${error.message}`);
    });
    if (formatted === null || formatted === text) continue;
    const object = await run('git', ['hash-object', '-w', '--no-filters', '--stdin'], { input: formatted });
    await run('git', ['update-index', '--cacheinfo', `${mode},${object.trim()},${file}`]);
    const onDisk = path.join(root, file);
    if (fs.existsSync(onDisk) && fs.readFileSync(onDisk, 'utf8') === text)
      fs.writeFileSync(onDisk, formatted);
    console.log(`formatted ${file}`);
  }
});
