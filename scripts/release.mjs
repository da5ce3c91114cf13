// `npm run release -- X.Y.Z`: writes the version and the changelog's heading, commits and tags. It publishes
// nothing: pushing the tag and `npm publish` stay with a person.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './lib/paths.mjs';
import { withRelease, withVersion } from './lib/release.mjs';
import { Failure, main, run } from './lib/run.mjs';

const edit = (name, change) => {
  const file = path.join(root, name);
  return { file, text: change(fs.readFileSync(file, 'utf8')) };
};

await main(async () => {
  const [version] = process.argv.slice(2);
  const tag = `v${version}`;
  const date = new Date().toISOString().slice(0, 10);
  const edits = [
    edit('web/package.json', (text) => withVersion(text, version)),
    edit('CHANGELOG.md', (text) => withRelease(text, version, date)),
  ];
  const changed = await run('git', ['status', '--porcelain']);
  if (changed) throw new Failure(`The tree has changes that are not committed:\n${changed}`);
  if (await run('git', ['tag', '--list', tag])) throw new Failure(`The tag ${tag} is there already`);

  for (const { file, text } of edits) fs.writeFileSync(file, text);
  await run('git', ['commit', '--all', '--message', `Release ${version}`]);
  await run('git', ['tag', '--annotate', tag, '--message', `Vitrine ${version}`]);
  console.log(`Committed and tagged ${tag}. To publish:
  npm test && git push --follow-tags
  npm run build && npm publish ./web`);
});
