// `npm run build`: makes the npm package in web/dist and states its size.
import { main } from './lib/run.mjs';
import { buildWeb, checkSizes } from './lib/web.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  await setup(['npm', 'cpp', 'emscripten']);
  await buildWeb();
  checkSizes();
});
