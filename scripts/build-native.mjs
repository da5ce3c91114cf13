// `npm run build:native`: makes build/native/vitrine.
import { buildPreset } from './lib/cmake.mjs';
import { main } from './lib/run.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  await setup(['cpp']);
  await buildPreset('native', ['vitrine']);
  console.log('build/native/vitrine is ready: try `build/native/vitrine classify PHOTO`');
});
