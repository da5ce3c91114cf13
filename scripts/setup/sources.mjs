// The sources of the C and C++ dependencies: the versions that cmake/dependencies.cmake pins, from
// Debian 13's source packages. Where those cannot be had, CMake fetches them from their repositories.
import fs from 'node:fs';
import path from 'node:path';
import { debianObstacle, downloadSources } from '../lib/debian.mjs';
import { cacheDir } from '../lib/paths.mjs';
import { Failure, run, step } from '../lib/run.mjs';

// Name in CMake, Debian's source package, what the tarball's name must hold to be the pinned version.
const dependencies = [
  { name: 'xnnpack', source: 'xnnpack', version: '4ea82e5' },
  { name: 'pthreadpool', source: 'pthreadpool', version: '560c60d' },
  { name: 'fxdiv', source: 'fxdiv', version: 'b408327' },
  { name: 'stb', source: 'libstb', version: '5c20573' },
  { name: 'yyjson', source: 'yyjson', version: '0.10.0' },
  { name: 'catch2', source: 'catch2', version: '3.7.1' },
];

/** Returns {name: folder} of the dependencies that are unpacked on this machine. */
export async function setupSources() {
  const parent = path.join(cacheDir, 'sources');
  const folder = ({ name, version }) => path.join(parent, `${name}-${version}`);
  const missing = dependencies.filter((dependency) => !fs.existsSync(folder(dependency)));
  if (missing.length > 0 && debianObstacle() === null) {
    try {
      await step('Fetching the sources of the dependencies', () => fetchSources(missing, parent, folder));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.log(`  ${error.message}\n  CMake will fetch them from their repositories instead.`);
    }
  }
  const present = dependencies.filter((dependency) => fs.existsSync(folder(dependency)));
  return Object.fromEntries(present.map((dependency) => [dependency.name, folder(dependency)]));
}

async function fetchSources(missing, parent, folder) {
  const work = path.join(parent, `${process.pid}.partial`);
  fs.rmSync(work, { recursive: true, force: true });
  const tarballs = await downloadSources(
    missing.map(({ source }) => source),
    path.join(work, 'tarballs'),
  );
  for (const [i, dependency] of missing.entries()) {
    if (!tarballs[i]?.includes(dependency.version)) {
      throw new Failure(`${dependency.source}: found ${tarballs[i]}, expected version ${dependency.version}`);
    }
    const unpacked = path.join(work, dependency.name);
    fs.mkdirSync(unpacked);
    await run('tar', ['-xf', tarballs[i], '-C', unpacked]);
    // Most tarballs hold one folder; some hold the files themselves.
    const entries = fs.readdirSync(unpacked);
    const inner = entries.length === 1 ? path.join(unpacked, entries[0]) : unpacked;
    fs.renameSync(inner, folder(dependency));
  }
  fs.rmSync(work, { recursive: true });
}
