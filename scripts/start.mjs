// `npm start`: sets up, builds and serves the demo.
import { main } from './lib/run.mjs';
import { buildWeb } from './lib/web.mjs';
import { serveDemo } from './serve.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  await setup(['npm', 'cpp', 'emscripten']);
  await buildWeb({ types: false });
  await serveDemo();
});
