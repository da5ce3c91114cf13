// What a release changes in the texts of web/package.json and CHANGELOG.md.
import { Failure } from './run.mjs';

/** Three numbers of a version such as 1.2.3; fails on anything else. */
function parse(version) {
  const match = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(version ?? '');
  if (!match) throw new Failure(`${version ?? 'nothing'} is no version; expected npm run release -- X.Y.Z`);
  return match.slice(1).map(Number);
}

/** package.json with another version, which may not be lower than the present one. */
export function withVersion(packageJson, version) {
  const present = JSON.parse(packageJson).version;
  const [wanted, before] = [parse(version), parse(present)];
  const order = wanted.map((part, i) => part - before[i]).find((difference) => difference !== 0) ?? 0;
  if (order < 0) throw new Failure(`${version} is lower than the present version, ${present}`);
  return packageJson.replace(/^( {2}"version": )"[^"]*"/m, `$1"${version}"`);
}

/** CHANGELOG.md with what was [Unreleased] under the version and its date. */
export function withRelease(changelog, version, date) {
  if (changelog.includes(`\n## [${version}]`)) throw new Failure(`CHANGELOG.md has ${version} already`);
  const heading = '\n## [Unreleased]\n';
  const [before, after] = changelog.split(heading);
  if (after === undefined) throw new Failure('CHANGELOG.md has no heading "## [Unreleased]"');
  if (!/^[-*] /m.test(after.split('\n## ')[0])) {
    throw new Failure('CHANGELOG.md names no change under [Unreleased]: there is nothing to release');
  }
  return `${before}${heading}\n## [${version}] - ${date}\n${after}`;
}
