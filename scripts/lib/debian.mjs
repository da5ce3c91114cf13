// Packages from Debian 13's archive, fetched without root and without touching the system's own apt:
// an apt configuration of our own with its own lists, an empty package status and the mirror that the
// machine already uses. Signatures are checked against the archive keyring on the machine.
import fs from 'node:fs';
import path from 'node:path';
import { cacheDir } from './paths.mjs';
import { Failure, run, which } from './run.mjs';

const release = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

const read = (file) => {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

const listDir = (dir) => {
  try {
    return fs.readdirSync(dir).map((name) => path.join(dir, name));
  } catch {
    return [];
  }
};

/** Why this machine cannot use Debian's archive, or null when it can. */
export function debianObstacle() {
  if (!which('apt-get') || !which('dpkg-deb')) return 'apt-get is not there';
  if (!fs.existsSync(keyring)) return `${keyring} is not there`;
  if (!debianMirror()) return "the machine's apt sources name no Debian archive";
  return null;
}

/** The address of the Debian archive in the machine's own apt sources, or null. */
export function debianMirror() {
  const addresses = [];
  const folder = listDir('/etc/apt/sources.list.d');
  for (const file of ['/etc/apt/sources.list', ...folder.filter((name) => name.endsWith('.list'))]) {
    for (const line of read(file).split('\n')) {
      const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
      if (match) addresses.push({ uri: match[1], suite: match[2] });
    }
  }
  for (const file of folder.filter((name) => name.endsWith('.sources'))) {
    for (const stanza of read(file)
      .replace(/^#.*\n/gm, '')
      .split(/\n\s*\n/)) {
      const field = (name) => new RegExp(`^${name}:\\s*(.*)$`, 'mi').exec(stanza)?.[1].trim() ?? '';
      if (field('Enabled').toLowerCase() === 'no' || !/\bdeb\b/.test(field('Types'))) continue;
      for (const uri of field('URIs').split(/\s+/)) addresses.push({ uri, suite: field('Suites') });
    }
  }
  const main = addresses.find(
    ({ uri, suite }) => /^(https?|file|mirror[^:]*):.*\/debian\/?$/.test(uri) && !/-security/.test(suite),
  );
  return main?.uri ?? null;
}

/** Writes the apt configuration once and updates its package lists; returns the environment to use it. */
async function prepareApt() {
  const dir = path.join(cacheDir, 'apt');
  for (const name of ['lists/partial', 'archives/partial', 'etc/preferences.d', 'etc/sources.list.d']) {
    fs.mkdirSync(path.join(dir, name), { recursive: true });
  }
  const signed = `[signed-by=${keyring}] ${debianMirror()} ${release} main`;
  fs.writeFileSync(path.join(dir, 'etc/sources.list'), `deb ${signed}\ndeb-src ${signed}\n`);
  fs.writeFileSync(path.join(dir, 'status'), '');
  fs.writeFileSync(
    path.join(dir, 'etc/apt.conf'),
    `Dir::State "${dir}";
Dir::State::lists "${dir}/lists";
Dir::State::status "${dir}/status";
Dir::Cache "${dir}";
Dir::Cache::archives "${dir}/archives";
Dir::Etc::sourcelist "${dir}/etc/sources.list";
Dir::Etc::sourceparts "${dir}/etc/sources.list.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "${dir}/etc/preferences.d";
APT::Sandbox::User "";
Acquire::Languages "none";
Debug::NoLocking "true";
`,
  );
  const env = { APT_CONFIG: path.join(dir, 'etc/apt.conf') };
  await run('apt-get', ['-q', 'update'], { env, log: 'apt-update' });
  return env;
}

let apt;
const aptEnvironment = () => (apt ??= prepareApt());

/** Downloads binary packages (just these, no dependencies) into `dir`; returns the .deb files. */
export async function downloadPackages(names, dir) {
  fs.mkdirSync(dir, { recursive: true });
  await run('apt-get', ['-q', 'download', ...names], {
    env: await aptEnvironment(),
    cwd: dir,
    log: 'apt-download',
  });
  return names.map((name) => {
    const file = listDir(dir).find((candidate) => path.basename(candidate).startsWith(`${name}_`));
    if (!file) throw new Failure(`apt-get download gave no file for ${name}`);
    return file;
  });
}

/** Downloads the source tarballs of source packages into `dir`. */
export async function downloadSources(names, dir) {
  fs.mkdirSync(dir, { recursive: true });
  await run('apt-get', ['-q', 'source', '--download-only', '--tar-only', ...names], {
    env: await aptEnvironment(),
    cwd: dir,
    log: 'apt-source',
  });
  return names.map((name) => listDir(dir).find((file) => path.basename(file).startsWith(`${name}_`)));
}
