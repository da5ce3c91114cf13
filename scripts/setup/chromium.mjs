// A Chromium for the browser tests and the benchmark.
import fs from 'node:fs';
import { Failure, run, step, which } from '../lib/run.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const macApplications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The path of a Chromium: CHROME_PATH, on PATH, or installed now (Debian, as root). */
export async function setupChromium() {
  const found = findChromium();
  if (found) return found;
  const debian = fs.existsSync('/etc/debian_version') && which('apt-get');
  if (debian && process.getuid?.() === 0 && !isUbuntu()) {
    await step('Installing Chromium', installChromium);
    const installed = findChromium();
    if (installed) return installed;
  }
  const command =
    process.platform === 'darwin'
      ? 'brew install --cask chromium'
      : isUbuntu()
        ? 'sudo snap install chromium'
        : debian
          ? 'sudo apt-get install --no-install-recommends chromium'
          : which('dnf')
            ? 'sudo dnf install chromium'
            : "your system's package manager";
  throw new Failure(`No Chromium on PATH. Install one with:\n  ${command}\nor name one in CHROME_PATH.`);
}

export function findChromium() {
  const chosen = process.env.CHROME_PATH ?? process.env.CHROMIUM;
  if (chosen) {
    if (fs.existsSync(chosen)) return chosen;
    throw new Failure(`CHROME_PATH: ${chosen} does not exist`);
  }
  for (const name of names) {
    const file = which(name);
    if (file) return file;
  }
  return macApplications.find((file) => fs.existsSync(file)) ?? null;
}

async function installChromium() {
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = () =>
    run('apt-get', ['install', '-q', '-y', '--no-install-recommends', 'chromium'], { env, log: 'chromium' });
  try {
    await install();
  } catch {
    // The package lists may be missing or old.
    await run('apt-get', ['-q', 'update'], { env, log: 'chromium-update' });
    await install();
  }
}

function isUbuntu() {
  try {
    return /^ID=ubuntu/m.test(fs.readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
